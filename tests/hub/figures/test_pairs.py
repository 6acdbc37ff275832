from __future__ import annotations

from hub.figures.cells import CODE_OF, COUNT, FAILED, Cell
from hub.figures.flows import Flow
from hub.figures.pairs import Pair, Pairs
from hub.store.journal_entries import Failure
from tests.hub.figures.rows import NOON

HOUR, DAY = 3600, 86_400
MINUTE = int(NOON) // 60


def to(receiver: str, number: int = 1, failed: int = 0) -> dict[Flow, Cell]:
    flow = Flow("cpo", "emsp", "NL*CPO", receiver, "sessions", "PUT", True)
    return {flow: {COUNT: number, **({CODE_OF[Failure.TIMEOUT]: failed, FAILED: failed} if failed else {})}}


def test_a_pair_has_its_messages_and_failures() -> None:
    pairs = Pairs()
    pairs.merge(to("DE*MSP", 5, 2), MINUTE)
    pairs.merge(to("DE*MSP", 1), MINUTE + 1)

    pair = Pair("NL*CPO", "DE*MSP", "sessions")
    assert pairs.since(HOUR, NOON + 60) == {pair: {COUNT: 6, CODE_OF[Failure.TIMEOUT]: 2, FAILED: 2}}
    assert pairs.since(HOUR, NOON + 60, "cdrs") == {}


def test_what_is_over_counts_as_before_until_it_is_too_old() -> None:
    pairs = Pairs()
    pairs.merge(to("DE*MSP"), MINUTE)
    for hours in range(1, 24 * 8):
        now = NOON + hours * HOUR
        pairs.settle(now)
        for window in (HOUR, DAY, 7 * DAY):
            is_inside = bool(pairs.since(window, now))
            assert is_inside if hours * HOUR < window else not is_inside or hours * HOUR < window + 6 * HOUR
    assert pairs.size() == 0


def test_only_the_busiest_are_kept_and_the_rest_is_one_number() -> None:
    pairs = Pairs(most=10)
    for number in range(100):
        pairs.merge(to(f"XX*{number}"), MINUTE)
    pairs.merge(to("DE*MSP", 50, 7), MINUTE)
    for number in range(100):
        pairs.merge(to(f"YY*{number}"), MINUTE)
    pairs.settle(NOON + HOUR)

    found = pairs.since(HOUR, NOON + 60)
    assert len(found) <= 11
    assert found[Pair("NL*CPO", "DE*MSP", "sessions")][COUNT] == 50
    assert sum(cell[COUNT] for cell in found.values()) == 250
    assert found[Pair("", "", "sessions")][COUNT] >= 180


def test_what_comes_late_is_added_to_what_is_packed() -> None:
    pairs = Pairs()
    pairs.merge(to("DE*MSP"), MINUTE)
    pairs.settle(NOON + HOUR)
    pairs.merge(to("DE*MSP", 2), MINUTE)

    [cell] = pairs.since(2 * HOUR, NOON + HOUR).values()
    assert cell[COUNT] == 3
