from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hub.circuits.circuit import Circuit, Patience, State

PATIENCE = Patience()
FIRST_S, MOST_S = PATIENCE.first_s, PATIENCE.most_s


class CircuitMachine(RuleBasedStateMachine):
    """Calls and looks in any order; the machine remembers what should follow from them."""

    @initialize()
    def begin(self) -> None:
        self.circuit = Circuit()
        self.now = 1000.0
        self.row: list[float] = []
        """When calls found nobody since somebody answered."""
        self.vain_looks = 0
        """In a row, since the circuit opened."""
        self.open = False

    @rule(seconds=st.floats(0.001, 100))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def a_call_finds_nobody(self) -> None:
        self.circuit.failed(self.now)
        self.row.append(self.now)

    @rule(count=st.integers(1, 40))
    def many_calls_find_nobody_at_once(self, count: int) -> None:
        for _ in range(count):
            self.a_call_finds_nobody()

    @rule()
    def somebody_answers(self) -> None:
        assert self.circuit.answered() == self.open
        self.row, self.open, self.vain_looks = [], False, 0

    @precondition(lambda self: self.circuit.wants_look(self.now))
    @rule()
    def a_look_begins(self) -> None:
        self.circuit.begin_look()

    @precondition(lambda self: self.circuit.is_looking)
    @rule()
    def a_look_finds_somebody(self) -> None:
        self.circuit.end_look()
        self.somebody_answers()

    @precondition(lambda self: self.circuit.is_looking)
    @rule(jitter=st.floats(0.9, 1.1))
    def a_look_finds_nobody(self, jitter: float) -> None:
        was_open, doubted = self.open, len(self.row) >= PATIENCE.failures

        assert self.circuit.end_look_in_vain(self.now, jitter) == (doubted and not was_open)

        self.open = was_open or doubted
        if self.open:
            self.vain_looks += 1
            pause_s = min(FIRST_S * 2 ** (self.vain_looks - 1), MOST_S) * jitter
            assert abs(self.circuit.due_at - self.now - pause_s) < 1e-6
            assert not self.circuit.wants_look(self.now + pause_s * 0.99)
            assert self.circuit.wants_look(self.now + pause_s * 1.01)

    @invariant()
    def it_is_open_exactly_when_a_look_confirmed_the_doubt(self) -> None:
        assert self.circuit.is_open == self.open
        assert (self.circuit.state is State.CLOSED) == (not self.open)

    @invariant()
    def it_never_looks_twice_at_once(self) -> None:
        assert not (self.circuit.is_looking and self.circuit.wants_look(self.now))

    @invariant()
    def it_doubts_only_after_several_failures_over_some_time(self) -> None:
        lasting_s = self.row[-1] - self.row[0] if self.row else 0.0
        if not self.open and not self.circuit.is_looking and self.circuit.wants_look(self.row[-1] if self.row else 0):
            assert len(self.row) >= PATIENCE.failures
            assert lasting_s >= PATIENCE.lasting_s

    @invariant()
    def who_answers_has_no_failures(self) -> None:
        assert (self.circuit.failures == 0) == (not self.row)


CircuitMachine.TestCase.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
TestCircuit = CircuitMachine.TestCase


def doubting() -> Circuit:
    circuit = Circuit()
    for second in range(PATIENCE.failures):
        circuit.failed(float(second))
    return circuit


def test_one_refused_connection_is_no_reason_to_look() -> None:
    circuit = Circuit()
    circuit.failed(0)

    assert not circuit.wants_look(1000)


def test_a_burst_of_failures_is_no_reason_to_look() -> None:
    circuit = Circuit()
    for _ in range(32):
        circuit.failed(100)
        assert not circuit.wants_look(100)


def test_failures_that_go_on_are_a_reason_to_look() -> None:
    assert doubting().wants_look(PATIENCE.failures - 1)


def test_a_partner_that_answers_meanwhile_is_not_cut_off_by_a_look_in_vain() -> None:
    circuit = doubting()
    circuit.begin_look()
    circuit.answered()

    assert not circuit.end_look_in_vain(10)
    assert circuit.state is State.CLOSED


def test_pauses_between_looks_grow_up_to_a_minute() -> None:
    circuit, now, pauses = doubting(), 100.0, []
    for _ in range(7):
        circuit.begin_look()
        circuit.end_look_in_vain(now)
        pauses.append(circuit.due_at - now)
        now = circuit.due_at

    assert pauses == [5, 10, 20, 40, 60, 60, 60]
