"""Which dashboard is in which file."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from ops.grafana.dashboards import DASHBOARDS

FOLDER: Final = Path(__file__).parent / "dashboards"


def files() -> dict[str, str]:
    """Every file's name and text, as it should be."""
    return {f"{each.uid.removeprefix('ocpi-hub-')}.json": each.as_json() for each in DASHBOARDS}
