from __future__ import annotations

import pytest
from msgspec.structs import replace

from hub.store.records import RegisteredParty, Registration
from hub.store.truth import UnknownParty
from routing.directory import CredentialsRole, PartyEntry
from routing.roles import roles_of
from routing.vocabulary import ConnectionStatus, Face, Role, Secret, Version
from tests.hub.store.opened import CPO, EMSP, Process, registration

pytestmark = pytest.mark.anyio

CONNECTED, SUSPENDED = ConnectionStatus.CONNECTED, ConnectionStatus.SUSPENDED


def in_roles(*roles: Role) -> Registration:
    """A registration of one party in these roles."""
    named = RegisteredParty(CPO, tuple(CredentialsRole(role, {"name": "Example"}) for role in roles))
    return replace(registration(CPO), parties=(named,))


async def registers_again(store: Process, token: Secret, *roles: Role) -> Secret:
    return await store.platforms.reregister(store.registered(token).connection.id, in_roles(*roles))


def entry_of(store: Process) -> PartyEntry:
    entry = store.snapshot.entry(CPO)
    assert entry is not None
    return entry


def has(store: Process) -> tuple[set[Role], list[Role]]:
    """The roles it has, and those it had."""
    return set(roles_of(CPO, store.snapshot)), [former.role for former in entry_of(store).former_roles]


async def test_a_party_nobody_has_cannot_be_suspended(store: Process) -> None:
    await store.connected(CPO)

    with pytest.raises(UnknownParty):
        await store.parties.suspend(EMSP)


async def test_a_role_that_is_not_named_any_more_is_a_former_one_until_it_is_named_again(store: Process) -> None:
    token = await registers_again(store, await store.connected(CPO), Role.CPO, Role.EMSP)
    assert has(store) == ({Role.CPO, Role.EMSP}, [])

    token = await registers_again(store, token, Role.CPO)
    dropped = entry_of(store)
    token = await registers_again(store, token, Role.CPO)
    assert has(store) == ({Role.CPO}, [Role.EMSP])
    assert entry_of(store) == dropped
    assert (dropped.status, dropped.last_updated) == (CONNECTED, dropped.former_roles[0].since)

    token = await registers_again(store, token, Role.NSP)
    assert has(store) == ({Role.NSP}, [Role.EMSP, Role.CPO])
    assert entry_of(store).former_roles[0] == dropped.former_roles[0]

    await registers_again(store, token, Role.EMSP, Role.CPO)
    assert has(store) == ({Role.EMSP, Role.CPO}, [Role.NSP])


async def test_who_leaves_keeps_the_roles_it_had_and_those_it_does_not_come_back_in_are_former_ones(
    store: Process,
) -> None:
    token = await registers_again(store, await store.connected(CPO), Role.CPO, Role.EMSP)
    connection = store.registered(token).connection
    await store.platforms.leave(connection.id)
    assert has(store) == ({Role.CPO, Role.EMSP}, [])

    token_a = await store.platforms.invite(connection.platform_id, None)
    await store.platforms.register(store.invitation(token_a), in_roles(Role.EMSP))

    assert has(store) == ({Role.EMSP}, [Role.CPO])


async def test_a_2_1_1_company_that_ends_one_of_its_connections_had_a_role(store: Process) -> None:
    plain = registration(CPO, version=Version.V2_1_1)
    record, first = await store.platforms.create("Both", face=Face.EMSP)
    as_cpo = await store.platforms.register(store.invitation(first), plain)
    second = await store.platforms.invite(record.id, Face.CPO)
    await store.platforms.register(store.invitation(second), plain)

    await store.platforms.leave(store.registered(as_cpo).connection.id)

    assert has(store) == ({Role.EMSP}, [Role.CPO])


async def test_the_list_of_parties_finds_a_former_role_as_suspended(store: Process) -> None:
    await registers_again(store, await store.connected(CPO, role=Role.EMSP), Role.CPO)

    async def finds(role: Role | None, status: ConnectionStatus | None) -> bool:
        return bool((await store.parties.list(limit=10, cursor=None, role=role, status=status)).items)

    assert [await finds(role, None) for role in (Role.CPO, Role.EMSP, Role.NSP)] == [True, True, False]
    assert [await finds(role, SUSPENDED) for role in (None, Role.EMSP, Role.CPO)] == [True, True, False]
    assert [await finds(role, CONNECTED) for role in (None, Role.EMSP, Role.CPO)] == [True, False, True]
