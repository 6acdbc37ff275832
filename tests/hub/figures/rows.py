"""Rows of the journal, as far as figures look at them."""

from __future__ import annotations

from typing import Any

from hub.figures.flows import Row
from hub.store.journal_entries import Hop
from hub.store.journal_tables import JournalRow
from routing.vocabulary import Version

NOON = 1_794_916_800.0
"""2026-11-17T12:00:00Z"""
_COLUMNS = list(JournalRow.model_fields)


def row(**facts: Any) -> Row:  # noqa: ANN401 - any column
    """A message from `cpo` to `emsp` that went well, but for these facts."""
    known: dict[str, Any] = {
        "hop": Hop.MESSAGE,
        "sender_platform_id": "cpo",
        "receiver_platform_id": "emsp",
        "sender": "NL*CPO",
        "receiver": "DE*MSP",
        "module": "sessions",
        "method": "PUT",
        "upstream_request_id": "u1",
        "source_version": Version.V2_2_1,
        "target_version": Version.V2_2_1,
        "hub_us": 600,
        "upstream_us": 40_000,
    } | facts
    assert known.keys() <= set(_COLUMNS)
    return tuple(known.get(column) for column in _COLUMNS)


class Clock:
    """Seconds since 1970 that pass when a test wants."""

    def __init__(self, now: float = NOON) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now
