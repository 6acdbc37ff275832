"""What became of one of the calls that a message led to, as far as its entry in the journal says it. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from hub.store.journal_entries import Failure

_NOBODY_CALLED: Final = frozenset({None, Failure.UNTRANSLATABLE})


class Became(StrEnum):
    """In short."""

    DELIVERED = "delivered"
    FAILED = "failed"
    """The receiver did not answer, or not well; or it was not called because it had not answered before."""
    SKIPPED = "skipped"
    """It was not called: there was no need to, no word for it, no time, or nobody there any more."""


class Skip(StrEnum):
    """Why a receiver was not called."""

    MERGED = "merged"
    """A later PUT of the same object went in its place."""
    OFFLINE = "offline"
    """It left, or went offline, before its turn came."""
    STALE = "stale"
    """Its turn did not come within 30 seconds."""
    UNTRANSLATABLE = "untranslatable"
    """Its version has no word for the object."""
    UNNEEDED = "unneeded"
    """Its version has no word for what a PATCH changes."""


_SKIPS: Final = {
    Failure.RECEIVER_OFFLINE: Skip.OFFLINE,
    Failure.TIMEOUT: Skip.STALE,
    Failure.UNTRANSLATABLE: Skip.UNTRANSLATABLE,
}


def became(failure: Failure | None, *, was_called: bool, was_dropped: bool) -> Became:
    """What became of it. `was_dropped`: it was taken out of the line, so there is no status of an answer."""
    if was_called:
        return Became.DELIVERED if failure is None else Became.FAILED
    return Became.SKIPPED if was_dropped or failure in _NOBODY_CALLED else Became.FAILED


def why_skipped(failure: Failure | None, *, was_dropped: bool) -> Skip:
    """Why a receiver was skipped."""
    if failure is None:
        return Skip.MERGED if was_dropped else Skip.UNNEEDED
    return _SKIPS.get(failure, Skip.OFFLINE)
