"""What a reader of a report should know that no figure says: why messages failed, and what is missing."""

from __future__ import annotations

from collections.abc import Iterator

from loadtests.load.recording import GRACE_S, NO_RESULT, Recording


def notes(recording: Recording) -> Iterator[str]:
    """One line for each thing that was noticed."""
    missing = sum(tally.outcomes[NO_RESULT] for (_, kind), tally in recording.by_sender.items() if kind.result)
    if missing:
        commands = "1 command was" if missing == 1 else f"{missing:,} commands were"
        yield f"{commands} accepted, and no result had come {GRACE_S:g} s after the end of the run"
