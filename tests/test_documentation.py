"""What the documentation lists is what there is."""

import re
from pathlib import Path

import pytest

from hub.observability import Metrics
from hub.observability.metrics import OUTCOMES
from hub.settings import Settings
from routing.quirks import Quirks
from routing.translation.losses import CATALOGUE, WITHDRAWN, Rule

ROOT = Path(__file__).parents[1]
OPERATING = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
QUIRKS = (ROOT / "docs" / "quirks.md").read_text(encoding="utf-8")
TRANSLATION = (ROOT / "docs" / "translation.md").read_text(encoding="utf-8")


def first_column(text: str) -> list[str]:
    """The names in backticks of every table's first column."""
    return [name for row in re.findall(r"^\|([^|]*)\|", text, re.MULTILINE) for name in re.findall(r"`([^`]+)`", row)]


def test_every_quirk_is_described_and_no_other() -> None:
    assert first_column(QUIRKS) == list(Quirks.__struct_fields__)


def row_of(rule: Rule) -> str:
    """How a rule stands in the catalogue for people."""
    effects = ", ".join(rule.effects) + ("" if rule.counted else " *")
    cells = (f"`{rule.id}`", _ways(rule), effects, ", ".join(rule.objects), rule.happens, rule.means)
    return f"| {' | '.join(cells)} |"


def _ways(rule: Rule) -> str:
    """The ways of a rule, with one sign for a way there and back."""
    texts = []
    for way in rule.ways:
        back = rule.ways.index((way.target, way.source)) if (way.target, way.source) in rule.ways else None
        if back is None:
            texts.append(str(way))
        elif rule.ways.index(way) < back:
            texts.append(f"{way.source} ⇄ {way.target}")
    return ", ".join(texts)


def test_every_loss_is_described_as_in_the_catalogue_and_no_other() -> None:
    rows = re.findall(r"^\| `(?:L|M|RF)-[0-9]{2}` .*$", TRANSLATION, re.MULTILINE)

    assert sorted(rows) == sorted(map(row_of, CATALOGUE.values()))
    assert set(re.findall(r"\b(?:L|M|RF)-[0-9]{2}\b", TRANSLATION)) == CATALOGUE.keys() | WITHDRAWN


def test_the_settings_of_translation_are_settings() -> None:
    described = [name for name in first_column(TRANSLATION) if name in Quirks.__struct_fields__]
    translating = Quirks.__struct_fields__[Quirks.__struct_fields__.index("default_time_zone") :]
    assert sorted(described) == sorted(translating)


def test_every_setting_is_described_and_no_other() -> None:
    described = [name for name in first_column(OPERATING) if name.startswith("HUB_")]
    assert sorted(described) == sorted(f"HUB_{name.upper()}" for name in Settings.model_fields)


def test_plain_defaults_are_the_documented_ones() -> None:
    documented = dict(re.findall(r"^\| `(HUB_\w+)` \| `([^`]*)` \|", OPERATING, re.MULTILINE))
    plain = {f"HUB_{name.upper()}": field.default for name, field in Settings.model_fields.items()}
    for name, text in documented.items():
        default = plain[name]
        if isinstance(default, str | int | float):
            assert text == (str(default).lower() if isinstance(default, bool) else str(default)), name


def test_every_metric_is_described_and_no_other() -> None:
    exposed = re.findall(r"^# TYPE (\w+) ", Metrics().exposition().decode(), re.MULTILINE)
    described = [name for name in first_column(OPERATING) if name.startswith("ocpi_hub_")]
    assert sorted(described) == sorted(name for name in exposed if name.startswith("ocpi_hub_"))


def test_every_outcome_of_a_broadcast_is_described_and_no_other() -> None:
    section = OPERATING.partition("\n## Broadcasts\n")[2].partition("\n## ")[0]
    assert sorted(first_column(section)) == sorted(OUTCOMES)


@pytest.mark.parametrize("page", sorted(ROOT.glob("*.md")) + sorted(ROOT.glob("docs/*.md")), ids=lambda page: page.name)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target
