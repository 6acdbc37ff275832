"""Which metrics the hub has, and whether PromQL asks for others."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache

from prometheus_client.metrics_core import Metric

from hub.observability import Metrics

_SUFFIXES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}
_SERIES = re.compile(r"\b((?:ocpi_hub|process)_\w+)(?:\{([^}]*)\})?")
_CONDITION = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")
ADDED_BY_PROMETHEUS = frozenset({"job", "instance"})


@cache
def exposed() -> dict[str, frozenset[str]]:
    """The labels of each series the hub shows."""
    registry = Metrics()._registry
    labels = {
        series: frozenset(getattr(collector, "_labelnames", ()))
        for collector, names in registry._collector_to_names.items()
        for series in names
    }
    return {
        family.name + suffix: labels.get(family.name, frozenset()) | ({"le"} if suffix == "_bucket" else set())
        for family in registry.collect()
        for suffix in _suffixes(family)
    }


def _suffixes(family: Metric) -> Iterable[str]:
    return _SUFFIXES[family.type]


def asked(expression: str) -> Iterator[tuple[str, frozenset[str]]]:
    """The series that an expression asks for, and the labels it looks at."""
    for name, conditions in _SERIES.findall(expression):
        yield name, frozenset(_CONDITION.findall(conditions)) - ADDED_BY_PROMETHEUS


def unknown(expression: str, known: dict[str, frozenset[str]]) -> list[str]:
    """What this expression asks for and the hub does not have."""
    return [
        f"{name} {sorted(labels)}"
        for name, labels in asked(expression)
        if name not in known or not labels <= known[name]
    ]
