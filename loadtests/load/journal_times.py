"""What a hub's journal says about a run: of single messages, the hub's time apart from the partner's."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from loadtests.hub_process import HubFailed, Operator
from loadtests.load.histogram import Histogram

SLICES = 10
"""The sample is taken from so many equal parts of the run, so that it is not only its end."""
PAGES_OF_A_SLICE = 2
_PAGE = 200
_NOBODY_THERE = "connect_failed"


class Times:
    """The hub's own time, and the time it waited for a partner that answered, or had time to."""

    def __init__(self) -> None:
        self.hub = Histogram()
        self.partner = Histogram()


class JournalTimes:
    """By party, of a sample of the messages of a run that went on to one partner."""

    def __init__(self) -> None:
        self.by_sender: dict[str, Times] = {}
        self.by_receiver: dict[str, Times] = {}

    @classmethod
    def of(cls, operator: Operator, begun: datetime, ended: datetime) -> JournalTimes:
        """Read the sample; without a journal it is empty."""
        times = cls()
        step = (ended - begun) / SLICES
        try:
            for index in range(SLICES):
                times._read_slice(operator, begun + index * step, begun + (index + 1) * step)
        except HubFailed:
            return cls()
        return times

    def add(self, entry: dict[str, Any]) -> None:
        """Count one entry, if the hub asked a partner for its answer."""
        if entry["hub_ms"] is None or entry["upstream_request_id"] is None or entry["hop"] != "message":
            return
        for party, times in ((entry["from"], self.by_sender), (entry["to"], self.by_receiver)):
            if party is not None:
                found = times.setdefault(party, Times())
                found.hub.add(entry["hub_ms"])
                if entry["failure"] != _NOBODY_THERE:  # or a partner that is gone would be the quickest
                    found.partner.add(entry["upstream_ms"] or 0.0)

    def _read_slice(self, operator: Operator, since: datetime, until: datetime) -> None:
        query: dict[str, str | int] = {"since": since.isoformat(), "until": until.isoformat(), "limit": _PAGE}
        for _ in range(PAGES_OF_A_SLICE):
            page = operator.ask("GET", "/api/v1/messages", params=query)
            for entry in page["items"]:
                self.add(entry)
            if page["next_cursor"] is None:
                return
            query["cursor"] = page["next_cursor"]
