"""When two who have an agreement exchanged their last message.

The busiest pairs are known from `hub.figures.pairs`; of a pair that is not among them that says nothing, and silence is
what is asked about here. So there is one number for each agreement, and none for anybody else: as many as operators
made, whatever partners send.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from heapq import nsmallest
from typing import Final, TypeAlias

from hub.figures.flows import MINUTE_S, Flow

Agreed: TypeAlias = Callable[[str, str], str | None]
"""The id of the agreement that two parties have, such as NL*ABC; None without."""

MOST_KEPT: Final = 200_000


def nobody_agreed(_: str, __: str) -> None:
    """There is no agreement."""


class LastMessages:
    """The last message of each pair that has an agreement, either way, to the minute."""

    def __init__(self, agreed: Agreed = nobody_agreed, most: int = MOST_KEPT) -> None:
        self.forgotten_at = 0.0
        """Of what was before this moment something may be missing. Seconds since 1970."""
        self._agreed = agreed
        self._most = most
        self._minutes: dict[str, int] = {}
        """By the id of the agreement. Threads may read it."""

    def merge(self, flows: Iterable[Flow], minute: int) -> None:
        """Take note of who said anything in this minute."""
        for sender, receiver in {(flow.sender, flow.receiver) for flow in flows if flow.sender and flow.receiver}:
            agreement_id = self._agreed(sender, receiver)
            if agreement_id is not None and self._minutes.get(agreement_id, -1) < minute:
                self._minutes[agreement_id] = minute
        if len(self._minutes) > self._most:
            self._forget(len(self._minutes) - self._most * 9 // 10)

    def at(self, agreement_id: str) -> float | None:
        """The end of the minute of the last message; None where nothing is known of one."""
        minute = self._minutes.get(agreement_id)
        return None if minute is None else _end_of(minute)

    def _forget(self, number: int) -> None:
        """Forget those that have been silent longest, which ended agreements are among."""
        for agreement_id in nsmallest(number, self._minutes, key=self._minutes.__getitem__):
            self.forgotten_at = max(self.forgotten_at, _end_of(self._minutes.pop(agreement_id)))


def _end_of(minute: int) -> float:
    return (minute + 1.0) * MINUTE_S
