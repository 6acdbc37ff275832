"""What a dashboard is made of, and how Grafana writes it down."""

from __future__ import annotations

import json
from typing import Any, Final, Literal, TypeAlias

from msgspec import Struct

Json: TypeAlias = dict[str, Any]

_SCHEMA: Final = 39
"""Of Grafana 11; later ones read it and bring it up to date."""
_COLUMNS: Final = 24
_HEIGHTS: Final = {"stat": 4, "timeseries": 8, "table": 8}
_SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}


class Panel(Struct, frozen=True):
    """One picture. `queries` are pairs of PromQL and the name of each line, with labels in double braces."""

    title: str
    queries: tuple[tuple[str, str], ...]
    unit: str = "short"
    """One of Grafana's: `short`, `reqps`, `s`, `bytes`, `percentunit`, …"""
    kind: Literal["timeseries", "stat", "table"] = "timeseries"
    width: int = 12
    stacked: bool = False
    limit: float | None = None
    """Where it turns red."""
    help: str = ""


class Row(Struct, frozen=True):
    """Panels under one heading."""

    title: str
    panels: tuple[Panel, ...]


class Dashboard(Struct, frozen=True):
    """A page. `variables` are choices at its top: name, and the series that has the label of this name."""

    uid: str
    title: str
    help: str
    rows: tuple[Row, ...]
    variables: tuple[tuple[str, str], ...] = ()

    def as_json(self) -> str:
        """The page as Grafana's file."""
        return json.dumps(self._model(), indent=2, ensure_ascii=False) + "\n"

    def _model(self) -> Json:
        return {
            "uid": self.uid,
            "title": self.title,
            "description": self.help,
            "tags": ["ocpi-hub"],
            "schemaVersion": _SCHEMA,
            "version": 1,
            "editable": False,
            "refresh": "30s",
            "time": {"from": "now-6h", "to": "now"},
            "links": [_link_to_the_others()],
            "templating": {"list": [_data_source(), *(_choice(*each) for each in (_JOB, *self.variables))]},
            "panels": self._panels(),
        }

    def _panels(self) -> list[Json]:
        made: list[Json] = []
        x = y = height = 0
        for row in self.rows:
            x, y, height = 0, y + height, 1
            made.append({"type": "row", "title": row.title, "collapsed": False, "panels": [], **_at(x, y, 24, 1)})
            y, height = y + 1, 0
            for panel in row.panels:
                if x + panel.width > _COLUMNS:
                    x, y = 0, y + height
                height = _HEIGHTS[panel.kind]
                made.append(_panel(panel, _at(x, y, panel.width, height)))
                x += panel.width
        return [{"id": number, **each} for number, each in enumerate(made, 1)]


_JOB: Final = ("job", "ocpi_hub_ready")


def _at(x: int, y: int, width: int, height: int) -> Json:
    return {"gridPos": {"x": x, "y": y, "w": width, "h": height}}


def _panel(panel: Panel, at: Json) -> Json:
    return {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.help,
        **at,
        "datasource": _SOURCE,
        "targets": [_target(panel, number, *query) for number, query in enumerate(panel.queries)],
        "fieldConfig": {"defaults": _defaults(panel), "overrides": []},
        "options": _options(panel),
    }


def _target(panel: Panel, number: int, expression: str, legend: str) -> Json:
    at_once = panel.kind == "table"
    return {
        "refId": chr(ord("A") + number),
        "datasource": _SOURCE,
        "expr": expression,
        "legendFormat": legend,
        "instant": at_once,
        "range": not at_once,
        "format": "table" if at_once else "time_series",
    }


def _defaults(panel: Panel) -> Json:
    steps: list[Json] = [{"color": "green", "value": None}]
    if panel.limit is not None:
        steps.append({"color": "red", "value": panel.limit})
    defaults: Json = {"unit": panel.unit, "min": 0, "thresholds": {"mode": "absolute", "steps": steps}}
    if panel.kind == "timeseries":
        defaults["custom"] = {
            "fillOpacity": 20 if panel.stacked else 5,
            "showPoints": "never",
            "stacking": {"mode": "normal" if panel.stacked else "none"},
            "thresholdsStyle": {"mode": "off" if panel.limit is None else "line"},
        }
    return defaults


def _options(panel: Panel) -> Json:
    if panel.kind == "stat":
        return {"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "value", "graphMode": "area"}
    if panel.kind == "table":
        return {"showHeader": True, "sortBy": [{"displayName": "Value", "desc": True}]}
    return {
        "legend": {"displayMode": "table", "placement": "right", "calcs": ["mean", "max"]},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }


def _data_source() -> Json:
    return {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus"}


def _choice(name: str, series: str) -> Json:
    return {
        "name": name,
        "type": "query",
        "datasource": _SOURCE,
        "query": {"query": f"label_values({series}, {name})", "refId": name},
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": ["All"], "value": ["$__all"]},
    }


def _link_to_the_others() -> Json:
    return {"type": "dashboards", "title": "OCPI hub", "tags": ["ocpi-hub"], "asDropdown": True, "keepTime": True}
