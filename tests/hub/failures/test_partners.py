"""Partners that misbehave in every way there is cost only those who write to them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass

import pytest

from loadtests.hub_process import HubProcess
from loadtests.simulator import Answer, Behaviour, Partner
from loadtests.simulator.misbehaviour import DEAD, GARBAGE, RESETTING
from tests.hub.failures.traffic import Traffic, unharmed
from tests.partners import CPO, EMSP, partner, path_of, registered, token

DRIPPING = Behaviour(drip_s=1)
PATIENCE_S = 1.5
"""How long the hub waits for a bad partner where it is to run out of patience."""
CONCURRENCY = 5
CALLS = 12


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    with HubProcess(tmp_path_factory.mktemp("hub"), {"rate_limit": "off"}) as process:
        yield process


@pytest.fixture(scope="module")
def healthy(hub: HubProcess) -> Iterator[Sequence[Partner]]:
    with registered(hub, *map(partner, [CPO, EMSP] * 2)) as partners:
        yield partners


@dataclass
class Bad:
    """A partner that misbehaves on functional modules, and how messages to it end."""

    partner: Partner
    platform_id: str
    status: int

    def messages(self, sender: Partner, count: int = CALLS) -> list[Future[Answer]]:
        """So many messages to it, all at once."""
        return [
            sender.start(
                "PUT",
                "tokens",
                path_of(sender.party, f"BAD{number}"),
                to=self.partner.party,
                json=token(sender.party, f"BAD{number}"),
            )
            for number in range(count)
        ]


BEHAVIOURS = {"silent": (DEAD, 4002), "closing": (RESETTING, 4003), "dripping": (DRIPPING, 4002), "garbage": (GARBAGE, 4000)}


@pytest.fixture
def bad(hub: HubProcess) -> Iterator[dict[str, Bad]]:
    """One of each kind."""
    with registered(hub, *(partner(CPO) for _ in BEHAVIOURS)) as partners:
        found = {}
        for one, (kind, (behaviour, status)) in zip(partners, BEHAVIOURS.items(), strict=True):
            [listed] = hub.operator.ask("GET", "/api/v1/parties", params={"q": str(one.party)})["items"]
            found[kind] = Bad(one, listed["platform_id"], status)
            hub.operator.change(listed["platform_id"], concurrency=CONCURRENCY)
            one.behaves(behaviour)
        yield found


def test_healthy_partners_do_not_wait_for_bad_ones(
    hub: HubProcess, healthy: Sequence[Partner], bad: dict[str, Bad]
) -> None:
    sender = healthy[1]
    with unharmed(healthy) as traffic:
        pending = [message for kind in ("silent", "dripping") for message in bad[kind].messages(sender)]
        for kind in ("silent", "dripping"):
            bad[kind].partner.received.wait_for("tokens", count=CONCURRENCY)
        for _ in range(3):
            quick = [message for kind in ("closing", "garbage") for message in bad[kind].messages(sender)]
            traffic.goes_on()
            wait(quick)
        assert not any(message.done() for message in pending)
        for kind in ("silent", "dripping"):
            assert len(bad[kind].partner.received) == CONCURRENCY
            hub.operator.ask("POST", f"/api/v1/platforms/{bad[kind].platform_id}/suspend")
    for kind in ("silent", "dripping"):
        with bad[kind].partner.port_closed():
            assert len(wait([each for each in pending], timeout=0).done) >= 0


@pytest.mark.parametrize("kind", BEHAVIOURS)
def test_messages_to_a_bad_partner_end_in_time(
    hub: HubProcess, healthy: Sequence[Partner], bad: dict[str, Bad], kind: str
) -> None:
    hub.operator.change(bad[kind].platform_id, timeout_s=PATIENCE_S, concurrency=CONCURRENCY)
    with Traffic(healthy):
        [answer] = [message.result(PATIENCE_S + 5) for message in bad[kind].messages(healthy[1], 1)]
    assert answer.status_code == bad[kind].status
