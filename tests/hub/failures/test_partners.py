"""Partners that misbehave in every way there is cost only those who write to them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from typing import NamedTuple

import pytest

from loadtests.hub_process import HubProcess
from loadtests.simulator import Answer, Behaviour, Partner
from loadtests.simulator.misbehaviour import DEAD, GARBAGE, RESETTING
from tests.hub.failures.traffic import Traffic, unharmed
from tests.hub.forked import ForkedHub
from tests.partners import CPO, EMSP, partner, path_of, registered, token

DRIPPING = Behaviour(drip_s=1)
PATIENCE_S = 1.5
"""How long the hub waits for a bad partner where it is to run out of patience."""
CONCURRENCY = 5
CALLS = 12


class Kind(NamedTuple):
    behaviour: Behaviour
    status: int
    """Of messages to a partner of this kind."""
    hangs: bool = False


KINDS = {
    "silent": Kind(DEAD, 4002, hangs=True),
    "closing": Kind(RESETTING, 4003),
    "dripping": Kind(DRIPPING, 4002, hangs=True),
    "garbage": Kind(GARBAGE, 4000),
}


class Bad(NamedTuple):
    """A partner that misbehaves on functional modules."""

    kind: Kind
    partner: Partner
    platform_id: str

    def messages_from(self, sender: Partner, count: int = CALLS) -> list[Future[Answer]]:
        """So many messages to it, all at once."""
        cards = [token(sender.party, f"BAD{number}") for number in range(count)]
        return [
            sender.start("PUT", "tokens", path_of(sender.party, card["uid"]), to=self.partner.party, json=card)
            for card in cards
        ]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    with ForkedHub(tmp_path_factory.mktemp("hub"), {"rate_limit": "off"}) as process:
        yield process


@pytest.fixture(scope="module")
def healthy(hub: HubProcess) -> Iterator[Sequence[Partner]]:
    with registered(hub, *map(partner, [CPO, EMSP] * 2)) as partners:
        yield partners


@pytest.fixture
def bad(hub: HubProcess) -> Iterator[dict[str, Bad]]:
    """A partner of each kind."""
    with registered(hub, *(partner(CPO) for _ in KINDS)) as partners:
        yield {name: _turned_bad(hub, one, KINDS[name]) for name, one in zip(KINDS, partners, strict=True)}


def _turned_bad(hub: HubProcess, one: Partner, kind: Kind) -> Bad:
    [listed] = hub.operator.ask("GET", "/api/v1/parties", params={"q": str(one.party)})["items"]
    hub.operator.change(listed["platform_id"], concurrency=CONCURRENCY)
    one.behaves(kind.behaviour)
    return Bad(kind, one, listed["platform_id"])


def test_nobody_waits_for_partners_that_misbehave(healthy: Sequence[Partner], bad: dict[str, Bad]) -> None:
    sender = healthy[1]
    hanging = [each for each in bad.values() if each.kind.hangs]
    with unharmed(healthy) as traffic:
        pending = [message for each in hanging for message in each.messages_from(sender)]
        for each in hanging:
            each.partner.received.wait_for("tokens", count=CONCURRENCY, timeout_s=30)
        for each in bad.values():
            if not each.kind.hangs:
                statuses = {message.result(10).status_code for message in each.messages_from(sender)}
                assert statuses == {each.kind.status}
        traffic.goes_on(5)
        assert not any(message.done() for message in pending)
    assert [len(each.partner.received) for each in hanging] == [CONCURRENCY] * len(hanging)


@pytest.mark.parametrize("name", KINDS)
def test_a_message_to_a_partner_that_misbehaves_ends_in_time(
    hub: HubProcess, healthy: Sequence[Partner], bad: dict[str, Bad], name: str
) -> None:
    room = 2 * CALLS  # the hub also tells it about the others
    hub.operator.change(bad[name].platform_id, timeout_s=PATIENCE_S, concurrency=room)
    with Traffic(healthy):
        answers = [message.result(PATIENCE_S + 5) for message in bad[name].messages_from(healthy[1])]
    assert {answer.status_code for answer in answers} == {bad[name].kind.status}
    assert len(bad[name].partner.received) == CALLS
