from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from hub.hub import Hub
from hub.presence import Presence
from hub.store.database import Database
from hub.store.platforms import Platforms
from loadtests.simulator import Behaviour, Partner, envelope, misbehaviour
from loadtests.simulator.server import free_port
from routing.directory import Connection
from tests.hub.running_hub import RunningHub
from tests.partners import CPO, partner


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    with RunningHub(tmp_path_factory.mktemp("hub")) as running:
        yield running


@pytest.fixture
def cpo() -> Iterator[Partner]:
    with partner(CPO).running() as one:
        yield one


@pytest.fixture
def presence(hub: RunningHub) -> Iterator[Presence]:
    """One that is not started yet, and notes often."""
    one = hub.do(presence_of(hub.hub, hub.hub.platforms))
    yield one
    hub.do(one.close())


async def presence_of(hub: Hub, platforms: Platforms) -> Presence:
    return Presence(hub.partners, platforms, connect_timeout_s=1, allow_private=True, note_every_s=0.02)


def unreachable(hub: Hub) -> Platforms:
    """The platforms of a hub whose database is down."""
    database = Database(f"postgresql+asyncpg://nobody@127.0.0.1:{free_port()}/none")
    return Platforms(database, hub.vault, hub.directory, hub.party)


def connection_of(hub: RunningHub, one: Partner) -> Connection:
    platform_id = hub.registered(one)
    one.ledger.clear()
    [connection] = hub.hub.directory.snapshot.platform(platform_id).connections
    return connection


async def on_loop(action: Callable[[], None]) -> None:
    action()


def looked(hub: RunningHub, presence: Presence, connection: Connection) -> None:
    """Look at a partner, to the end."""

    async def look() -> None:
        presence.check_soon(connection)
        await presence._looking[connection.id]

    hub.do(look())


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_partner_is_looked_at_once_at_a_time(hub: RunningHub, presence: Presence, cpo: Partner) -> None:
    connection = connection_of(hub, cpo)

    async def look_often() -> None:
        for _ in range(5):
            presence.check_soon(connection)
        await presence._looking[connection.id]

    hub.do(look_often())
    assert len(cpo.ledger.of("versions", "GET")) == 1

    hub.do(look_often())
    assert len(cpo.ledger.of("versions", "GET")) == 2
    assert not presence._looking


def test_a_partner_that_hangs_keeps_no_other_from_being_looked_at(
    hub: RunningHub, presence: Presence, cpo: Partner
) -> None:
    connection = connection_of(hub, cpo)
    with partner(CPO).running() as other:
        cpo.behaves(misbehaviour.DEAD)
        hub.do(on_loop(lambda: presence.check_soon(connection)))
        cpo.ledger.wait_for("versions")

        looked(hub, presence, connection_of(hub, other))

        assert len(other.ledger.of("versions")) == 1
        assert set(presence._looking) == {connection.id}
        hub.do(presence.close())
        assert not presence._looking


@pytest.mark.parametrize(
    ("behaviour", "alive"),
    [
        (misbehaviour.FAST, True),
        (misbehaviour.UNAUTHORIZED, True),
        (misbehaviour.HTML, True),
        (Behaviour(answer=envelope(status_code=3000)), True),
        (misbehaviour.RESETTING, False),
        (misbehaviour.GARBAGE, False),
        (misbehaviour.CUT_SHORT, False),
        (misbehaviour.HUGE, False),
    ],
)
def test_any_complete_answer_is_a_sign_of_life_and_nothing_else_is(
    hub: RunningHub, presence: Presence, cpo: Partner, behaviour: Behaviour, *, alive: bool
) -> None:
    connection = connection_of(hub, cpo)
    cpo.behaves(behaviour)

    looked(hub, presence, connection)

    assert presence._seen == ({connection.id} if alive else set())


def test_a_partner_whose_port_is_closed_gives_no_sign_of_life(
    hub: RunningHub, presence: Presence, cpo: Partner
) -> None:
    connection = connection_of(hub, cpo)
    with cpo.port_closed():
        looked(hub, presence, connection)

    assert not presence._seen


def test_signs_of_life_are_noted_soon(hub: RunningHub, presence: Presence, cpo: Partner) -> None:
    connection = connection_of(hub, cpo)
    before = hub.record(connection.platform_id).last_seen

    hub.do(on_loop(presence.start))
    hub.do(on_loop(lambda: presence.seen(connection.id)))

    wait_until(lambda: hub.record(connection.platform_id).last_seen != before)
    assert not presence._seen


def test_many_signs_of_life_are_noted_at_once(hub: RunningHub, presence: Presence, cpo: Partner) -> None:
    connection = connection_of(hub, cpo)
    for _ in range(1000):
        presence.seen(connection.id)

    assert presence._seen == {connection.id}


def test_what_was_seen_is_noted_at_the_end(hub: RunningHub, presence: Presence, cpo: Partner) -> None:
    connection = connection_of(hub, cpo)
    before = hub.record(connection.platform_id).last_seen
    presence.seen(connection.id)

    hub.do(presence.close())

    assert hub.record(connection.platform_id).last_seen != before


def test_signs_of_life_survive_an_outage_of_the_store(hub: RunningHub, cpo: Partner) -> None:
    connection = connection_of(hub, cpo)
    before = hub.record(connection.platform_id).last_seen
    presence = hub.do(presence_of(hub.hub, unreachable(hub.hub)))
    presence.seen(connection.id)

    hub.do(presence._note())
    assert presence._seen == {connection.id}

    presence._platforms = hub.hub.platforms
    hub.do(presence._note())
    assert not presence._seen
    assert hub.record(connection.platform_id).last_seen != before
