from __future__ import annotations

from hub.listener.drain import Drain
from hub.telling.pace import Pace

TURN_S = 0.001


class Process:
    """A process whose time passes as it is told; it works for a part of it."""

    def __init__(self) -> None:
        self.drain = Drain()
        self.now = self.worked = 0.0
        self.pace = Pace(self.drain, clock=lambda: self.now, worked=lambda: self.worked)

    def begun_within(self, seconds: float, *, busy: float) -> int:
        begun = 0
        for _ in range(round(seconds / TURN_S)):
            self.now += TURN_S
            self.worked += TURN_S * busy
            begun += self.pace.granted()
        return begun


def test_many_begin_in_a_turn_where_there_are_no_messages() -> None:
    assert Process().pace.granted() > 2


def test_few_begin_in_a_turn_beside_messages_and_for_a_while_after_them() -> None:
    process = Process()
    process.drain.entered()
    process.begun_within(0.1, busy=0)
    assert process.pace.granted() <= 2

    process.drain.left()
    process.begun_within(0.5, busy=0)
    assert process.pace.granted() <= 2

    process.begun_within(1, busy=0)
    assert process.pace.granted() > 2


def test_a_message_that_came_and_went_between_two_turns_counts() -> None:
    process = Process()
    process.drain.entered()
    process.drain.left()

    assert process.pace.granted() <= 2


def test_more_begin_in_an_idle_process_and_fewer_in_a_busy_one_but_never_none() -> None:
    process = Process()
    process.drain.entered()
    first = process.begun_within(1, busy=0.2)
    idle = process.begun_within(1, busy=0.2)
    process.begun_within(3, busy=0.9)
    busy = process.begun_within(1, busy=0.9)

    assert idle > first > busy
    assert busy >= 400
