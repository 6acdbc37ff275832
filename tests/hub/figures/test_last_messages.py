from __future__ import annotations

from hub.figures.flows import Flow
from hub.figures.last_messages import LastMessages
from tests.hub.figures.rows import NOON

MINUTE = int(NOON) // 60
AGREED = {frozenset({"NL*CPO", f"DE*{number:03}"}): f"agreed-{number}" for number in range(100)}


def known(most: int = 1000) -> LastMessages:
    return LastMessages(lambda one, other: AGREED.get(frozenset({one, other})), most)


def flow(sender: str, receiver: str) -> Flow:
    return Flow("cpo", "emsp", sender, receiver, "sessions", "PUT", True)


def test_the_last_message_of_a_pair_is_known_whoever_sent_it_and_in_whatever_order_it_is_told() -> None:
    last = known()
    last.merge([flow("NL*CPO", "DE*001")], MINUTE)
    last.merge([flow("DE*001", "NL*CPO"), flow("NL*CPO", "DE*002")], MINUTE + 2)
    last.merge([flow("NL*CPO", "DE*001")], MINUTE + 1)

    assert [last.at(f"agreed-{number}") for number in (1, 2, 3)] == [NOON + 180, NOON + 180, None]
    assert last.forgotten_at == 0


def test_nothing_is_kept_of_pairs_without_an_agreement() -> None:
    last = known(most=1)
    last.merge([flow("NL*CPO", f"XX*{number}") for number in range(50)] + [flow("NL*CPO", "")], MINUTE)

    assert last.forgotten_at == 0


def test_what_is_forgotten_for_want_of_room_is_said() -> None:
    last = known(most=20)
    for number in range(21):
        last.merge([flow("NL*CPO", f"DE*{number:03}")], MINUTE + number)

    assert [last.at(f"agreed-{number}") for number in (0, 2)] == [None, None]
    assert last.at("agreed-3") == NOON + 240
    assert last.forgotten_at == NOON + 180
