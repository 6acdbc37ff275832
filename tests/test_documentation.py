"""What the documentation lists is what there is."""

import re
from pathlib import Path

import pytest

from hub.observability import Metrics
from hub.settings import Settings
from routing.quirks import Quirks

ROOT = Path(__file__).parents[1]
OPERATING = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
QUIRKS = (ROOT / "docs" / "quirks.md").read_text(encoding="utf-8")


def first_column(text: str) -> list[str]:
    """The names in backticks of every table's first column."""
    return [name for row in re.findall(r"^\|([^|]*)\|", text, re.MULTILINE) for name in re.findall(r"`([^`]+)`", row)]


def test_every_quirk_is_described_and_no_other() -> None:
    assert first_column(QUIRKS) == list(Quirks.__struct_fields__)


def test_every_setting_is_described_and_no_other() -> None:
    described = [name for name in first_column(OPERATING) if name.startswith("HUB_")]
    assert sorted(described) == sorted(f"HUB_{name.upper()}" for name in Settings.model_fields)


def test_plain_defaults_are_the_documented_ones() -> None:
    documented = dict(re.findall(r"^\| `(HUB_\w+)` \| `([^`]*)` \|", OPERATING, re.MULTILINE))
    plain = {f"HUB_{name.upper()}": field.default for name, field in Settings.model_fields.items()}
    for name, text in documented.items():
        default = plain[name]
        if isinstance(default, str | int | float):
            assert text == str(default), name


def test_every_metric_is_described_and_no_other() -> None:
    exposed = re.findall(r"^# TYPE (\w+) ", Metrics().exposition().decode(), re.MULTILINE)
    described = [name for name in first_column(OPERATING) if name.startswith("ocpi_hub_")]
    assert sorted(described) == sorted(name for name in exposed if name.startswith("ocpi_hub_"))


@pytest.mark.parametrize("page", sorted(ROOT.glob("*.md")) + sorted(ROOT.glob("docs/*.md")), ids=lambda page: page.name)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target
