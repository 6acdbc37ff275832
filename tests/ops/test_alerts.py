from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from routing.translation.losses import CATALOGUE, Effect
from tests.ops.metrics import exposed, unknown
from tests.ops.tools import OPS, document, run

ROOT = OPS.parent
FOLDER = OPS / "prometheus"
[GROUP] = document(FOLDER / "alerts.yaml")["groups"]
RULES: list[dict[str, Any]] = GROUP["rules"]
NAMES = [rule["alert"] for rule in RULES]


def anchors(page: Path) -> set[str]:
    """What a link to a heading of this page can end with."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_an_alert_looks_at_what_the_hub_shows(rule: dict[str, Any]) -> None:
    assert not unknown(rule["expr"], exposed())


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_an_alert_says_what_happened_what_to_do_and_where_to_read_on(rule: dict[str, Any]) -> None:
    assert rule["labels"] in ({"severity": "page"}, {"severity": "ticket"})
    assert rule["annotations"].keys() == {"summary", "do", "runbook"}
    page, _, anchor = rule["annotations"]["runbook"].partition("#")
    assert anchor in anchors(ROOT / page)


def test_every_alert_has_been_seen_firing() -> None:
    tests = (FOLDER / "alerts.test.yaml").read_text(encoding="utf-8")
    assert [name for name in NAMES if name not in tests] == []


def test_the_rules_that_refuse_are_those_of_the_catalogue() -> None:
    expression = next(rule["expr"] for rule in RULES if rule["alert"] == "OcpiHubTranslationRefused")
    pattern = re.search(r'loss=~"([^"]+)"', expression)
    assert pattern is not None
    refusing = {rule.id for rule in CATALOGUE.values() if rule.effects == (Effect.REFUSED,) and rule.counted}
    found = {rule.id for rule in CATALOGUE.values() if re.fullmatch(pattern[1], rule.id) and rule.counted}
    assert found == refusing


def test_the_alerts_do_what_their_tests_say() -> None:
    assert "SUCCESS" in run("promtool", "test", "rules", "alerts.test.yaml", cwd=FOLDER)


def test_prometheus_would_start_with_these_files() -> None:
    assert "SUCCESS" in run("promtool", "check", "config", "prometheus.yml", cwd=FOLDER)
