from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from ops.grafana.dashboards import DASHBOARDS
from ops.grafana.files import FOLDER, files
from ops.grafana.panels import Dashboard, Panel
from tests.ops.metrics import exposed, unknown
from tests.ops.test_alerts import RULES
from tests.ops.tools import OPS, document, run


def panels() -> Iterator[Panel]:
    for dashboard in DASHBOARDS:
        for row in dashboard.rows:
            yield from row.panels


def expressions() -> list[str]:
    return [expression for panel in panels() for expression, _ in panel.queries]


def test_the_files_are_what_the_description_makes() -> None:
    there = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()}
    assert there == files(), "run: python -m ops.grafana"


@pytest.mark.parametrize("expression", expressions())
def test_a_panel_asks_for_what_the_hub_shows(expression: str) -> None:
    assert not unknown(expression, exposed())


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda dashboard: dashboard.uid)
def test_a_line_is_named_by_labels_that_it_has(dashboard: Dashboard) -> None:
    for row in dashboard.rows:
        for panel in row.panels:
            for expression, legend in panel.queries:
                kept = set(re.findall(r"\w+", " ".join(re.findall(r"by \(([^)]*)\)", expression))))
                named = set(re.findall(r"{{(\w+)}}", legend))
                assert named <= kept | ({"instance"} if not kept else set()), (panel.title, legend)


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda dashboard: dashboard.uid)
def test_no_panel_lies_on_another(dashboard: Dashboard) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in json.loads(dashboard.as_json())["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert at["x"] + at["w"] <= 24
        assert not cells & taken
        taken |= cells


def test_the_same_rules_refuse_here_and_in_the_alerts() -> None:
    [refusing] = {match for rule in RULES for match in re.findall(r'loss=~"(RF[^"]+)"', rule["expr"])}
    assert any(refusing in expression for expression in expressions())


def test_every_expression_is_promql(tmp_path: Path) -> None:
    texts = [re.sub(r"\$__rate_interval", "5m", re.sub(r'"\$\w+"', '".*"', each)) for each in expressions()]
    rules = [{"record": f"panel_{number}", "expr": text} for number, text in enumerate(texts)]
    (tmp_path / "panels.yaml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    assert f"{len(texts)} rules found" in run("promtool", "check", "rules", "panels.yaml", cwd=tmp_path)


def test_grafana_finds_the_data_source_and_the_files() -> None:
    provisioning = OPS / "grafana" / "provisioning"
    [source] = document(provisioning / "datasources" / "prometheus.yaml")["datasources"]
    [provider] = document(provisioning / "dashboards" / "ocpi-hub.yaml")["providers"]
    assert source["type"] == "prometheus"
    mounts = document(OPS / "compose.yaml")["services"]["grafana"]["volumes"]
    assert f"./grafana/dashboards:{provider['options']['path']}:ro" in mounts
