from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from sqlmodel import update

from hub.store.handshakes import LIFE_S
from hub.store.tables import HandshakeRow
from routing.directory import Handshaking, Registered
from routing.errors import AlreadyRegistered, HubFault, InvalidParameters, Unauthorized
from routing.vocabulary import ConnectionStatus, Face, Role, Version
from tests.hub.store.opened import CPO, EMSP, Process, registration

pytestmark = pytest.mark.anyio


async def test_the_token_of_a_first_exchange_opens_little_until_it_is_complete(store: Process) -> None:
    record, token_a = await store.platforms.create("Volt", parties=[(CPO, Role.CPO)])

    handshake_id, token_b = await store.platforms.open_handshake(record.id, face=None, connection_id=None)

    caller = store.caller(token_b)
    assert isinstance(caller, Handshaking)
    assert caller.not_after is not None
    assert caller.not_after > datetime.now(UTC)

    record = await store.platforms.close_handshake(handshake_id, registration(CPO))

    assert isinstance(store.caller(token_b), Registered)
    assert store.caller(token_a) is None
    assert record.status is ConnectionStatus.CONNECTED
    assert record.handshakes == ()
    assert store.status(CPO) is ConnectionStatus.CONNECTED


async def test_the_face_of_an_exchange_becomes_that_of_the_connection(store: Process) -> None:
    record, _ = await store.platforms.create("Old", face=Face.CPO)
    handshake_id, token_b = await store.platforms.open_handshake(record.id, face=Face.CPO, connection_id=None)

    await store.platforms.close_handshake(handshake_id, registration(CPO, version=Version.V2_1_1))

    assert store.registered(token_b).connection.face is Face.CPO


async def test_while_tokens_are_replaced_both_count_and_then_only_the_new_one(store: Process) -> None:
    old = await store.connected(CPO)
    connection = store.registered(old).connection

    handshake_id, new = await store.platforms.open_handshake(
        connection.platform_id, face=None, connection_id=connection.id
    )

    assert store.registered(new).connection is store.registered(old).connection
    assert store.registered(new).not_after is None

    await store.platforms.close_handshake(handshake_id, registration(CPO, our_token="fresh"))

    assert store.caller(old) is None
    after = store.registered(new).connection
    assert (after.id, after.authorization.reveal()) == (connection.id, "Token ZnJlc2g=")


async def test_a_replaced_token_can_be_given_time(store: Process) -> None:
    old = await store.connected(CPO)
    connection = store.registered(old).connection
    handshake_id, _ = await store.platforms.open_handshake(
        connection.platform_id, face=None, connection_id=connection.id
    )

    await store.platforms.close_handshake(handshake_id, registration(CPO), grace_s=60)

    assert _remaining(store.registered(old).not_after) == pytest.approx(60, abs=10)

    await store.platforms.reregister(connection.id, registration(CPO))
    assert store.caller(old) is None


async def test_an_abandoned_exchange_leaves_everything_as_it_was(store: Process) -> None:
    old = await store.connected(CPO)
    connection = store.registered(old).connection
    handshake_id, new = await store.platforms.open_handshake(
        connection.platform_id, face=None, connection_id=connection.id
    )

    await store.platforms.abandon_handshake(handshake_id, grace_s=0)

    assert store.caller(new) is None
    assert store.registered(old).connection.id == connection.id
    await store.platforms.abandon_handshake(handshake_id, grace_s=0)
    with pytest.raises(HubFault):
        await store.platforms.close_handshake(handshake_id, registration(CPO))


@pytest.mark.parametrize("is_new", [True, False])
async def test_the_token_of_an_exchange_abandoned_with_grace_opens_little_for_that_long(
    store: Process, *, is_new: bool
) -> None:
    if is_new:
        record, _ = await store.platforms.create("Volt")
        platform_id, connection_id = record.id, None
    else:
        connection = store.registered(await store.connected(CPO)).connection
        platform_id, connection_id = connection.platform_id, connection.id
    handshake_id, token_b = await store.platforms.open_handshake(platform_id, face=None, connection_id=connection_id)

    await store.platforms.abandon_handshake(handshake_id, grace_s=300)

    caller = store.caller(token_b)
    assert isinstance(caller, Handshaking)
    assert _remaining(caller.not_after) == pytest.approx(300, abs=10)


async def test_a_partner_that_registers_by_itself_ends_the_exchange_under_way(store: Process) -> None:
    old = await store.connected(CPO)
    connection = store.registered(old).connection
    handshake_id, token_b = await store.platforms.open_handshake(
        connection.platform_id, face=None, connection_id=connection.id
    )

    await store.platforms.reregister(connection.id, registration(CPO))

    assert store.caller(token_b) is None
    with pytest.raises(HubFault):
        await store.platforms.close_handshake(handshake_id, registration(CPO))


async def test_of_a_registration_and_an_exchange_the_second_is_refused(store: Process) -> None:
    record, token_a = await store.platforms.create("Volt")
    handshake_id, token_b = await store.platforms.open_handshake(record.id, face=None, connection_id=None)

    token_c = await store.platforms.register(store.invitation(token_a), registration(CPO))

    with pytest.raises(AlreadyRegistered):
        await store.platforms.close_handshake(handshake_id, registration(CPO))
    with pytest.raises(AlreadyRegistered):
        await store.platforms.open_handshake(record.id, face=None, connection_id=None)
    assert isinstance(store.caller(token_c), Registered)
    assert isinstance(store.caller(token_b), Handshaking)


async def test_an_exchange_that_brings_a_taken_party_stores_nothing(store: Process) -> None:
    await store.connected(EMSP)
    record, _ = await store.platforms.create("Volt")
    handshake_id, token_b = await store.platforms.open_handshake(record.id, face=None, connection_id=None)

    with pytest.raises(InvalidParameters):
        await store.platforms.close_handshake(handshake_id, registration(CPO, EMSP))

    assert store.status(CPO) is None
    assert isinstance(store.caller(token_b), Handshaking)


async def test_leaving_ends_every_exchange_of_the_connection(store: Process) -> None:
    connection = store.registered(await store.connected(CPO)).connection
    _, token_b = await store.platforms.open_handshake(connection.platform_id, face=None, connection_id=connection.id)

    await store.platforms.leave(connection.id)

    assert store.caller(token_b) is None
    with pytest.raises(Unauthorized):
        await store.platforms.open_handshake(connection.platform_id, face=None, connection_id=connection.id)


async def test_only_one_exchange_of_a_connection_is_under_way_at_a_time(store: Process) -> None:
    connection = store.registered(await store.connected(CPO)).connection
    open_handshake = partial(
        store.platforms.open_handshake, connection.platform_id, face=None, connection_id=connection.id
    )
    handshake_id, _ = await open_handshake()

    with pytest.raises(HubFault):
        await open_handshake()

    await store.platforms.abandon_handshake(handshake_id, grace_s=300)
    handshake_id, _ = await open_handshake()
    await store.platforms.close_handshake(handshake_id, registration(CPO))
    await open_handshake()


async def test_an_exchange_that_was_left_behind_long_ago_does_not_count(store: Process) -> None:
    connection = store.registered(await store.connected(CPO)).connection
    open_handshake = partial(
        store.platforms.open_handshake, connection.platform_id, face=None, connection_id=connection.id
    )
    await open_handshake()
    async with store.database.writing() as session:
        await session.exec(update(HandshakeRow).values(created_at=datetime.now(UTC) - timedelta(seconds=LIFE_S)))

    await open_handshake()


def _remaining(not_after: datetime | None) -> float:
    assert not_after is not None
    return (not_after - datetime.now(UTC)) / timedelta(seconds=1)
