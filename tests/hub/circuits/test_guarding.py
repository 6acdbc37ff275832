from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from hub.circuits import Circuits, Patience, State
from hub.partners.client import CallLimits
from loadtests.simulator import Answer, Partner, envelope
from loadtests.simulator.misbehaviour import GARBAGE, RESETTING, UNAUTHORIZED
from routing.errors import ReceiverTimeout, ReceiverUnreachable, Refusal
from routing.message import Call
from tests.hub.running_hub import RunningHub
from tests.partners import CPO, EMSP, partner, path_of, token

PATIENCE = Patience(failures=3, lasting_s=0.1, look_s=1.0, first_s=0.3, most_s=0.6)
UNAVAILABLE = Answer(503, (("content-type", "text/html"),), b"<html>nobody is here</html>")


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    with RunningHub(tmp_path_factory.mktemp("hub")) as running:
        running.hub.circuits._patience = PATIENCE
        yield running


@pytest.fixture(scope="module")
def emsp(hub: RunningHub) -> Iterator[Partner]:
    with partner(EMSP).running() as one:
        hub.registered(one)
        yield one


class Receiver:
    """A registered CPO, and what the hub has of its circuit."""

    def __init__(self, hub: RunningHub, one: Partner, sender: Partner) -> None:
        self.hub, self.partner, self.sender = hub, one, sender
        self.platform_id = hub.registered(one)
        one.ledger.clear()

    @property
    def circuits(self) -> Circuits:
        return self.hub.hub.circuits

    @property
    def state(self) -> State:
        circuits = self.hub.do(self.circuits.now())
        assert circuits is not None
        return circuits[self.platform_id].state if self.platform_id in circuits else State.CLOSED

    @property
    def looks(self) -> int:
        return len(self.partner.ledger.of("versions"))

    @property
    def metric(self) -> str:
        return self.figures(f'circuit_open{{platform="{self.platform_id}"}}')[0]

    def figures(self, words: str) -> list[str]:
        exposition = self.hub.hub.metrics.exposition().decode().splitlines()
        return [line.split()[-1] for line in exposition if words in line]

    def failures(self, reason: str) -> float:
        words = f'upstream_failures_total{{platform="{self.platform_id}",reason="{reason}"}}'
        return sum(map(float, self.figures(words)))

    def push(self) -> int:
        """The OCPI status of one message to it."""
        path = path_of(self.sender.party, "CARD")
        return self.sender.put("tokens", path, to=self.partner.party, json=token(self.sender.party, "CARD")).status_code

    def fails_until(self, holds: Callable[[], bool]) -> None:
        """Send it messages until this holds."""
        deadline = time.monotonic() + 10
        while not holds():
            assert time.monotonic() < deadline
            assert self.push() != 1000
            time.sleep(0.02)

    def opens(self) -> None:
        self.fails_until(lambda: self.state is not State.CLOSED)

    def closes(self) -> None:
        wait_until(lambda: self.state is State.CLOSED)


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def receiver(hub: RunningHub, emsp: Partner) -> Iterator[Receiver]:
    with partner(CPO).running() as one:
        yield Receiver(hub, one, emsp)


def test_one_refused_connection_leaves_the_circuit_closed(receiver: Receiver) -> None:
    with receiver.partner.port_closed():
        assert receiver.push() == 4003

    assert receiver.push() == 1000
    assert receiver.state is State.CLOSED
    assert receiver.failures("unreachable") == 1


def test_a_burst_of_broken_connections_leaves_the_circuit_closed(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiver.circuits, "_patience", Patience())
    card = token(receiver.sender.party)
    receiver.partner.answers_next(RESETTING, module="tokens", times=32)
    path = path_of(receiver.sender.party, card["uid"])
    burst = [receiver.sender.start("PUT", "tokens", path, to=receiver.partner.party, json=card) for _ in range(32)]
    assert {each.result(10).status_code for each in burst} == {4003}

    assert receiver.push() == 1000
    assert receiver.looks == 0


def test_a_partner_that_is_gone_is_called_no_more_until_it_is_back(receiver: Receiver) -> None:
    with receiver.partner.port_closed():
        receiver.opens()
        assert receiver.metric == "1.0"
    receiver.partner.ledger.clear()
    answer = receiver.sender.put(
        "tokens",
        path_of(receiver.sender.party, "CARD"),
        to=receiver.partner.party,
        json=token(receiver.sender.party, "CARD"),
    )
    if not receiver.looks:  # it has not looked meanwhile
        assert answer.status_code == 4003
        assert "calls it again when it is back" in answer.json()["status_message"]
        assert not receiver.partner.received

    receiver.closes()

    assert receiver.looks == 1
    assert receiver.push() == 1000
    assert receiver.metric == "0.0"


@pytest.mark.parametrize("proper", [UNAUTHORIZED, GARBAGE], ids=["refused", "garbage"])
def test_whoever_answers_a_look_somehow_is_there(receiver: Receiver, proper: object) -> None:
    with receiver.partner.port_closed():
        receiver.opens()
    receiver.partner.answers_next(proper, module="versions")  # type: ignore[arg-type]  # a union in the list above

    receiver.closes()


def test_a_partner_that_fails_with_one_kind_of_message_only_is_not_cut_off(receiver: Receiver) -> None:
    receiver.partner.answers_next(RESETTING, module="tokens", times=1000)

    receiver.fails_until(lambda: receiver.looks >= 2)

    assert receiver.state is State.CLOSED
    assert receiver.sender.get("locations", to=receiver.partner.party).status_code == 1000


def test_a_gateway_with_nobody_behind_it_opens_the_circuit(receiver: Receiver) -> None:
    for module in (None, "versions"):
        receiver.partner.answers_next(UNAVAILABLE, module=module, times=1000)

    receiver.opens()

    receiver.partner.script.clear()
    receiver.closes()


def test_an_answer_that_is_no_success_keeps_the_circuit_closed(receiver: Receiver) -> None:
    for _ in range(2):
        receiver.partner.answers_next(RESETTING, module="tokens", times=PATIENCE.failures - 1)
        receiver.partner.answers_next(envelope(status_code=3000), module="tokens")
        assert [receiver.push() for _ in range(PATIENCE.failures)] == [4003, 4003, 3000]
        time.sleep(PATIENCE.lasting_s)  # long enough for a doubt, were they counted together

    assert receiver.looks == 0


def test_only_calls_at_that_partner_are_spared(receiver: Receiver, hub: RunningHub, emsp: Partner) -> None:
    with partner(CPO).running() as other, receiver.partner.port_closed():
        healthy = Receiver(hub, other, emsp)
        receiver.opens()

        assert healthy.push() == 1000
        assert healthy.state is State.CLOSED


def test_an_operator_closes_a_circuit(receiver: Receiver, hub: RunningHub) -> None:
    with receiver.partner.port_closed():
        receiver.opens()

        hub.do(receiver.circuits.close(receiver.platform_id))

        assert receiver.state is State.CLOSED
        receiver.opens()


def test_a_circuit_ends_with_the_connection(receiver: Receiver, hub: RunningHub) -> None:
    with receiver.partner.port_closed():
        receiver.opens()
        hub.do(hub.hub.platforms.suspend(receiver.platform_id))

        receiver.closes()

        assert receiver.metric == "0.0"


def test_a_call_that_had_no_time_says_nothing_about_the_partner(receiver: Receiver, hub: RunningHub) -> None:
    [connection] = hub.hub.directory.snapshot.platform(receiver.platform_id).connections
    call = Call("GET", connection.versions_url, [])
    hasty = CallLimits(
        total_s=0.1,
        connect_s=1,
        max_answer_bytes=1000,
        concurrency=4,
        platform_id=receiver.platform_id,
        allow_private=True,
    )
    for _ in range(PATIENCE.failures):
        with receiver.partner.port_closed(), pytest.raises((ReceiverTimeout, ReceiverUnreachable)):
            hub.do(receiver.circuits.call(connection, call, hasty))

    assert receiver.platform_id not in receiver.circuits._guarded


def test_the_operator_is_told_why_there_was_no_call(receiver: Receiver, hub: RunningHub) -> None:
    with receiver.partner.port_closed():
        receiver.opens()
        [connection] = hub.hub.directory.snapshot.platform(receiver.platform_id).connections

        with pytest.raises(ReceiverUnreachable) as refused:
            receiver.circuits.check(connection)

    assert refused.value.refusal is Refusal.CIRCUIT_OPEN
