"""A partner that is not there costs its callers milliseconds, and everybody else nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from hub.circuits import Patience, State
from hub.event_kinds import EventKind
from loadtests.simulator import Partner
from loadtests.simulator.misbehaviour import DEAD
from tests.hub.event_waiting import event_of
from tests.hub.failures.cluster import EVERYWHERE_WITHIN_S, Cluster
from tests.hub.failures.lines import Line
from tests.hub.failures.traffic import unharmed
from tests.hub.failures.waiting import eventually
from tests.hub.running_hub import RunningHub
from tests.partners import CPO, EMSP, partner, path_of, token

PATIENCE = Patience(failures=5, lasting_s=0.5, look_s=0.5, first_s=1.0, most_s=1.0)
FORWARD_S = 1.0
AT_ONCE = 8
SPARED = "The receiver has not answered for some time"


class Crossing(NamedTuple):
    """A message and what its sender saw."""

    status: int
    seconds: float


class Half:
    """Messages of one eMSP, half of them to a partner that is dead and half to one that is not."""

    def __init__(self, sender: Partner, dead: Partner, healthy: Partner) -> None:
        self.sender, self.receivers = sender, (dead, healthy)

    def send(self) -> tuple[list[Crossing], list[Crossing]]:
        """Some at once; returns what became of those to each of the two."""
        card, began = token(self.sender.party), time.monotonic()
        ended: dict[int, float] = {}
        sent = []
        for receiver in self.receivers * (AT_ONCE // 2):
            path = path_of(self.sender.party, card["uid"])
            future = self.sender.start("PUT", "tokens", path, to=receiver.party, json=card)
            future.add_done_callback(lambda done: ended.update({id(done): time.monotonic()}))
            sent.append(future)
        statuses = [each.result(30).status_code for each in sent]
        crossings = [Crossing(status, ended[id(each)] - began) for status, each in zip(statuses, sent, strict=True)]
        return crossings[::2], crossings[1::2]


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[RunningHub]:
    with RunningHub(tmp_path, forward_timeout_s=FORWARD_S) as running:
        running.hub.circuits._patience = PATIENCE
        yield running


def state_at(hub: RunningHub, platform_id: str) -> State:
    circuits = hub.do(hub.hub.circuits.now())
    assert circuits is not None
    return circuits[platform_id].state if platform_id in circuits else State.CLOSED


def looks_at(one: Partner) -> int:
    """How often it was asked for its versions."""
    return len(one.ledger.of("versions"))


def opens(half: Half, hub: RunningHub, platform_id: str) -> bool:
    """Send, and see whether that was enough."""
    half.send()
    return state_at(hub, platform_id) is not State.CLOSED


def test_a_dead_partner_costs_milliseconds_and_one_look_at_a_time(hub: RunningHub) -> None:
    with ExitStack() as stack:
        sender, dead, healthy = (stack.enter_context(partner(roles).running()) for roles in (EMSP, CPO, CPO))
        hub.registered(sender)
        hub.registered(healthy)
        platform_id = hub.registered(dead)
        half = Half(sender, dead, healthy)

        dead.behaves(DEAD)
        eventually(lambda: opens(half, hub, platform_id), within_s=20)
        dead.ledger.clear()
        opened, spared, others = time.monotonic(), [], []
        while time.monotonic() < opened + 3:
            to_dead, to_healthy = half.send()
            spared += to_dead
            others += to_healthy
            time.sleep(0.05)

        assert {each.status for each in spared} == {4003}
        assert {each.status for each in others} == {1000}
        assert sorted(each.seconds for each in spared)[len(spared) // 2] < FORWARD_S / 2
        assert max(each.seconds for each in spared) < FORWARD_S
        assert not dead.ledger.of("tokens")
        assert 1 <= looks_at(dead) <= 3

        dead.ledger.clear()
        dead.behaves()
        recovered = time.monotonic()
        eventually(lambda: half.send()[0][-1].status == 1000, within_s=10)
        assert time.monotonic() - recovered < PATIENCE.look_s + PATIENCE.first_s * 1.1 + 1
        assert looks_at(dead) == 1


def spared_by(line: Line, sender: Partner, receiver: Partner) -> bool:
    """Whether this worker answered without calling."""
    answer = line.push_token(sender, receiver.party)
    assert answer.status_code == 4003
    return SPARED in answer.json()["status_message"]


def shown(cluster: Cluster, platform_id: str) -> dict[str, object]:
    circuit: dict[str, object] = cluster.hub.operator.platform(platform_id)["circuit"]
    return circuit


def platform_of(cluster: Cluster, one: Partner) -> str:
    [listed] = cluster.hub.operator.ask("GET", "/api/v1/parties", params={"q": str(one.party)})["items"]
    platform_id: str = listed["platform_id"]
    return platform_id


def test_an_operator_sees_and_closes_the_circuits_of_all_workers(
    cluster: Cluster, partners: Sequence[Partner], guest: Partner, emsp: Partner
) -> None:
    platform_id = platform_of(cluster, guest)
    assert shown(cluster, platform_id) == {"state": "closed", "failures": 0, "since": None}

    with cluster.lines() as lines, unharmed(partners), guest.port_closed():
        for line in lines:
            eventually(lambda line=line: spared_by(line, emsp, guest), within_s=10)  # type: ignore[misc]  # mypy cannot type a lambda's default
        eventually(lambda: shown(cluster, platform_id)["state"] in {"open", "probing"})
        assert int(str(shown(cluster, platform_id)["failures"])) > Patience().failures
        metrics = cluster.hub.operator.api.get("/metrics").text
        assert f'ocpi_hub_circuit_open{{platform="{platform_id}"}} 1.0' in metrics

        event = event_of(cluster.hub, EventKind.CIRCUIT_OPEN, platform_id)

        answer = cluster.hub.operator.api.post(f"/api/v1/platforms/{platform_id}/circuit/close")
        assert answer.json()["circuit"]["state"] == "closed"
        for line in lines:
            eventually(
                lambda line=line: not spared_by(line, emsp, guest),  # type: ignore[misc]  # as above
                within_s=EVERYWHERE_WITHIN_S,
            )
        assert event_of(cluster.hub, EventKind.CIRCUIT_OPEN, platform_id, state="closed")["id"] == event["id"]


def test_a_circuit_can_be_closed_only_where_everybody_hears_of_it(cluster: Cluster, guest: Partner) -> None:
    platform_id = platform_of(cluster, guest)
    path = f"/api/v1/platforms/{platform_id}/circuit/close"
    with cluster.without(cluster.redis):
        answer = cluster.hub.operator.api.post(path)
        assert answer.status_code == 503
        assert "Redis does not answer" in answer.json()["detail"]
        assert shown(cluster, platform_id) is None
    cluster.heals()
    assert cluster.hub.operator.api.post(path).status_code == 200
    assert cluster.hub.operator.api.post("/api/v1/platforms/nobody/circuit/close").status_code == 404
