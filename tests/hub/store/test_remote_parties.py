"""What other hubs say of parties, in the truth and in the directory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Any

import msgspec
import pytest

from hub.store.records import PartyRecord, RegisteredParty, Registration
from hub.store.remote_parties import RemoteParties
from routing.client_info import ClientInfo
from routing.directory import CredentialsRole, Invited
from routing.errors import InvalidParameters
from routing.vocabulary import ConnectionStatus, Party, Role, Secret, Version
from tests.conftest import StoreUrls
from tests.hub.store.opened import HUB, Process, first_process, registration

pytestmark = pytest.mark.anyio

KNOT, VLT, MSP, EVE = Party("BE", "KNO"), Party("NL", "VLT"), Party("DE", "MSP"), Party("FR", "EVE")
CONNECTED, OFFLINE = ConnectionStatus.CONNECTED, ConnectionStatus.OFFLINE
PLANNED, SUSPENDED = ConnectionStatus.PLANNED, ConnectionStatus.SUSPENDED


class PeeredHub:
    """A process of a hub, and another hub that registered at it."""

    def __init__(self, process: Process, platform_id: str, token: Secret) -> None:
        self.process = process
        self.platform_id = platform_id
        self.token = token
        self.remote = RemoteParties(process.database, process.directory)

    async def lists(self, *infos: ClientInfo, is_complete: bool = True) -> bool:
        return await self.remote.listed(self.platform_id, infos, is_complete=is_complete)

    async def registers_again(self, *behind: RegisteredParty, is_hub: bool = True) -> None:
        connection = self.process.registered(self.token).connection
        self.token = await self.process.platforms.reregister(connection.id, named(*behind, is_hub=is_hub))

    def status(self, party: Party) -> ConnectionStatus | None:
        return self.process.status(party)

    async def listed(self, **wanted: Any) -> list[tuple[str, ConnectionStatus, Party | None]]:  # noqa: ANN401 - as `Parties.list`
        page = await self.process.parties.list(limit=10, cursor=None, **wanted)
        return [brief(each) for each in page.items]


def brief(party: PartyRecord) -> tuple[str, ConnectionStatus, Party | None]:
    return str(party.party), party.status, party.reachable_via


def info(party: Party, status: ConnectionStatus = CONNECTED, role: Role = Role.CPO) -> ClientInfo:
    return ClientInfo(party, role, status)


def behind(party: Party, *roles: Role, name: str = "Behind") -> RegisteredParty:
    return RegisteredParty(party, tuple(CredentialsRole(role, {"name": name}) for role in roles or (Role.CPO,)))


def named(*reached: RegisteredParty, is_hub: bool = True, version: Version = Version.V2_3_0) -> Registration:
    plain = registration(KNOT, role=Role.HUB if is_hub else Role.OTHER, version=version, is_hub=is_hub)
    return msgspec.structs.replace(plain, remote=reached if is_hub and version is Version.V2_3_0 else None)


async def peered(process: Process, *reached: RegisteredParty, version: Version = Version.V2_3_0) -> PeeredHub:
    record, token_a = await process.platforms.create("Knot", allow_hub=True)
    token = await process.platforms.register(process.invitation(token_a), named(*reached, version=version))
    return PeeredHub(process, record.id, token)


@pytest.fixture
async def process(store_urls: StoreUrls) -> AsyncIterator[Process]:
    async with first_process(store_urls) as one:
        yield one


def parties(records: Iterable[PartyRecord]) -> dict[Party, set[Role]]:
    return {record.party: {each.role for each in record.roles} for record in records}


async def test_the_roles_of_a_hub_are_parties_behind_it(process: Process) -> None:
    hub = await peered(process, behind(VLT, Role.CPO, Role.EMSP), behind(HUB), behind(MSP, Role.EMSP))

    record = await process.platforms.get(hub.platform_id)
    entry = process.snapshot.entry(VLT)

    assert parties(record.remote) == {VLT: {Role.CPO, Role.EMSP}, MSP: {Role.EMSP}}
    assert entry is not None
    assert (entry.platform_id, entry.is_remote, entry.status) == (hub.platform_id, True, CONNECTED)
    assert entry.roles[0].business_details == {"name": "Behind"}
    assert process.snapshot.entry(HUB) is None


async def test_who_a_hub_names_no_longer_is_suspended_and_comes_back(process: Process) -> None:
    hub = await peered(process, behind(VLT, Role.CPO, Role.EMSP), behind(MSP))
    await hub.lists(info(EVE, PLANNED), is_complete=False)
    before = process.snapshot.entry(MSP)

    await hub.registers_again(behind(VLT, Role.CPO))
    after = process.snapshot.entry(MSP)

    assert [hub.status(each) for each in (VLT, MSP, EVE)] == [CONNECTED, SUSPENDED, PLANNED]
    [volt] = await process.parties.known_as(VLT)
    assert {each.role for each in volt.roles} == {Role.CPO}
    assert [each.role for each in volt.former_roles] == [Role.EMSP]
    assert await hub.listed(role=Role.EMSP, status=SUSPENDED) == [(str(VLT), CONNECTED, KNOT)]
    assert await hub.listed(role=Role.EMSP, status=CONNECTED) == []
    assert before is not None
    assert after is not None
    assert after.last_updated > before.last_updated
    await hub.registers_again(behind(MSP))
    assert [hub.status(each) for each in (VLT, MSP)] == [SUSPENDED, CONNECTED]


async def test_a_list_says_who_is_behind_a_hub_and_how_they_are(process: Process) -> None:
    hub = await peered(process, version=Version.V2_2_1)

    assert await hub.lists(info(VLT), info(MSP, OFFLINE, Role.EMSP), info(EVE, PLANNED))
    assert [hub.status(each) for each in (VLT, MSP, EVE)] == [CONNECTED, OFFLINE, PLANNED]
    revision = process.snapshot.revision
    assert not await hub.lists(info(VLT), info(MSP, OFFLINE, Role.EMSP), info(EVE, PLANNED))
    assert process.snapshot.revision == revision

    assert await hub.lists(info(VLT, PLANNED), info(EVE))
    assert [hub.status(each) for each in (VLT, MSP, EVE)] == [SUSPENDED, SUSPENDED, CONNECTED]


async def test_one_role_that_is_there_is_enough(process: Process) -> None:
    hub = await peered(process, version=Version.V2_2_1)

    await hub.lists(info(VLT, OFFLINE), info(VLT, CONNECTED, Role.EMSP))

    assert hub.status(VLT) is CONNECTED


async def test_a_single_announcement_leaves_the_others_alone(process: Process) -> None:
    hub = await peered(process, behind(VLT), behind(MSP))

    assert await hub.remote.put(hub.platform_id, info(VLT, OFFLINE))

    assert [hub.status(each) for each in (VLT, MSP)] == [OFFLINE, CONNECTED]
    await hub.registers_again(behind(VLT), behind(MSP))
    assert hub.status(VLT) is OFFLINE


async def test_nobody_behind_a_hub_is_there_while_it_is_not(process: Process) -> None:
    hub = await peered(process, behind(VLT))
    await hub.lists(info(EVE, PLANNED), is_complete=False)

    await process.platforms.suspend(hub.platform_id)
    assert [hub.status(each) for each in (VLT, EVE)] == [SUSPENDED, PLANNED]
    await process.platforms.resume(hub.platform_id)
    assert [hub.status(each) for each in (VLT, EVE)] == [CONNECTED, PLANNED]
    await process.platforms.remove(hub.platform_id)
    assert hub.status(VLT) is SUSPENDED


async def test_a_hub_that_registers_as_something_else_reaches_nobody(process: Process) -> None:
    hub = await peered(process, behind(VLT))

    await hub.registers_again(is_hub=False)

    assert hub.status(VLT) is None
    assert await hub.listed() == [(str(KNOT), CONNECTED, None), (str(VLT), SUSPENDED, None)]


async def test_a_party_behind_a_hub_registers_here_only_when_it_is_invited_by_name(process: Process) -> None:
    await peered(process, behind(VLT), behind(MSP))
    _, open_invitation = await process.platforms.create("Anybody")
    _, invitation = await process.platforms.create("Volt", parties=[(VLT, Role.CPO)])

    with pytest.raises(InvalidParameters, match="another hub"):
        await process.platforms.register(process.invitation(open_invitation), registration(MSP))
    await process.platforms.register(process.invitation(invitation), registration(VLT))

    entry = process.snapshot.entry(VLT)
    assert entry is not None
    assert not entry.is_remote
    assert isinstance(process.caller(open_invitation), Invited)


async def test_the_list_of_parties_says_through_which_hub(process: Process) -> None:
    await process.connected(VLT, name="Volt")
    hub = await peered(process, behind(VLT), behind(MSP, Role.EMSP), behind(EVE, Role.EMSP))
    await hub.lists(info(EVE, OFFLINE, Role.EMSP), is_complete=False)
    everybody = [
        (str(KNOT), CONNECTED, None),
        (str(MSP), CONNECTED, KNOT),
        (str(EVE), OFFLINE, KNOT),
        (str(VLT), CONNECTED, None),
        (str(VLT), CONNECTED, KNOT),
    ]

    assert await hub.listed() == everybody
    assert await hub.listed(role=Role.EMSP) == everybody[1:3]
    assert await hub.listed(status=OFFLINE) == everybody[2:3]
    assert await hub.listed(q="knot") == [everybody[0], everybody[1], everybody[2], everybody[4]]
    assert await hub.listed(q="nl*v") == everybody[3:]


async def test_the_list_of_parties_is_read_page_by_page(process: Process) -> None:
    await process.connected(VLT, name="Volt")
    await peered(process, behind(VLT), behind(MSP))
    found, cursor = [], None

    for _ in range(4):
        page = await process.parties.list(limit=1, cursor=cursor)
        found += [brief(each) for each in page.items]
        cursor = page.next_cursor

    assert cursor is None
    assert [(name, hub) for name, _, hub in found] == [
        (str(KNOT), None),
        (str(MSP), KNOT),
        (str(VLT), None),
        (str(VLT), KNOT),
    ]
