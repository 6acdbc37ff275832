from __future__ import annotations

import pytest

from hub.deliveries import Became, Skip, became, why_skipped
from hub.store.journal_entries import Failure


@pytest.mark.parametrize(
    ("failure", "was_called", "was_dropped", "end"),
    [
        (None, True, False, Became.DELIVERED),
        (Failure.TIMEOUT, True, False, Became.FAILED),
        (Failure.CIRCUIT_OPEN, False, False, Became.FAILED),
        (Failure.TIMEOUT, False, True, Became.SKIPPED),
        (Failure.RECEIVER_OFFLINE, False, True, Became.SKIPPED),
        (Failure.UNTRANSLATABLE, False, False, Became.SKIPPED),
        (None, False, True, Became.SKIPPED),
        (None, False, False, Became.SKIPPED),
    ],
)
def test_a_receiver_took_it_or_failed_or_was_never_called(
    failure: Failure | None, was_called: bool, was_dropped: bool, end: Became
) -> None:
    assert became(failure, was_called=was_called, was_dropped=was_dropped) is end


@pytest.mark.parametrize(
    ("failure", "was_dropped", "why"),
    [
        (None, True, Skip.MERGED),
        (None, False, Skip.UNNEEDED),
        (Failure.TIMEOUT, True, Skip.STALE),
        (Failure.RECEIVER_OFFLINE, True, Skip.OFFLINE),
        (Failure.UNTRANSLATABLE, False, Skip.UNTRANSLATABLE),
    ],
)
def test_who_was_not_called_has_a_reason(failure: Failure | None, was_dropped: bool, why: Skip) -> None:
    assert why_skipped(failure, was_dropped=was_dropped) is why
