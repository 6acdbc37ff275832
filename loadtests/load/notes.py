"""What a reader of a report should know that no figure says: why messages failed, and what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from loadtests.load.objectives import merged
from loadtests.load.recording import EVERYBODY, NO_RESULT, RATE_LIMITED, UNANSWERED, Recording, Tally

_SILENT: Final = {
    "4002": "it did not answer the hub in time",
    "4003": "it could not be reached, a gateway answered for it (502 to 504), or the hub did not try any more",
}
"""What statuses of OCPI say about a receiver."""
_MANY: Final = 0.1
"""From this share of the messages to somebody on there is something to say about it."""
_SHOWN: Final = 6


def notes(recording: Recording) -> Iterator[str]:
    """One line for each thing that was noticed."""
    limited = sum(tally.outcomes[RATE_LIMITED] for tally in recording.by_sender.values())
    if limited:
        yield (
            f"the hub's rate limit refused {_counted(limited, 'message')}: start the hub with HUB_RATE_LIMIT=off, or "
            "this measures the limit"
        )
    silent = [line for receiver in _receivers(recording) for line in _silence(receiver, _of(recording, receiver))]
    yield from silent[:_SHOWN]
    if len(silent) > _SHOWN:
        yield f"and so on for others: see the outcomes of {len(silent) - _SHOWN} more receivers"
    missing = sum(tally.outcomes[NO_RESULT] for (_, kind), tally in recording.by_sender.items() if kind.result)
    if missing:
        yield (
            f"{_counted(missing, 'command')} {'was' if missing == 1 else 'were'} accepted, and no result had come "
            "when the run was over"
        )


def _receivers(recording: Recording) -> list[str]:
    return sorted({receiver for receiver, _ in recording.by_receiver} - {EVERYBODY})


def _of(recording: Recording, receiver: str) -> Tally:
    return merged(recording.by_receiver, lambda party, kind: party == receiver and not kind.endswith("result"))


def _silence(receiver: str, tally: Tally) -> Iterator[str]:
    messages, outcomes = tally.histogram.count, tally.outcomes
    of = f"of {_counted(messages, 'message')}"
    for status, meaning in _SILENT.items():
        if messages and outcomes[status] >= _MANY * messages:
            yield f"{outcomes[status]:,} {of} to {receiver} ended with {status}: {meaning}"
    if messages and outcomes[UNANSWERED] >= _MANY * messages:
        yield f"{outcomes[UNANSWERED]:,} {of} to {receiver} had no answer when the run was over"


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
