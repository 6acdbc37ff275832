from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from redis.asyncio import Redis

from hub.store.columns import Row
from hub.store.platforms import UnknownPlatform
from routing.directory import Invited, Registered
from routing.errors import AlreadyRegistered, InvalidParameters, Unauthorized
from routing.quirks import Quirks
from routing.vocabulary import ConnectionStatus, Face, Party, Role, Secret, Version
from tests.conftest import StoreUrls
from tests.hub.store.opened import CPO, EMSP, HUB, Process, registration

pytestmark = pytest.mark.anyio

PLANNED, CONNECTED, SUSPENDED = ConnectionStatus.PLANNED, ConnectionStatus.CONNECTED, ConnectionStatus.SUSPENDED


async def test_the_parties_of_an_invitation_are_planned(store: Process) -> None:
    record, token_a = await store.platforms.create("Volt", parties=[(CPO, Role.CPO), (CPO, Role.EMSP)])

    assert record.status is PLANNED
    assert store.status(CPO) is PLANNED
    entry = store.snapshot.entry(CPO)
    assert entry is not None
    assert [each.role for each in entry.roles] == [Role.CPO, Role.EMSP]
    assert store.invitation(token_a).parties == (CPO,)


async def test_a_registration_connects_the_platform_and_burns_the_invitation(store: Process) -> None:
    record, token_a = await store.platforms.create("Volt", parties=[(CPO, Role.CPO)])

    token_c = await store.platforms.register(store.invitation(token_a), registration(CPO))

    assert store.caller(token_a) is None
    caller = store.registered(token_c)
    assert (caller.platform.id, caller.platform.status) == (record.id, CONNECTED)
    assert caller.connection.version is Version.V2_2_1
    assert store.status(CPO) is CONNECTED
    entry = store.snapshot.entry(CPO)
    assert entry is not None
    assert entry.roles[0].business_details == {"name": "Example"}
    assert (await store.platforms.get(record.id)).invitations == ()


async def test_an_invited_party_that_did_not_register_stays_planned(store: Process) -> None:
    _, token_a = await store.platforms.create("Volt", parties=[(CPO, Role.CPO), (EMSP, Role.EMSP)])

    await store.platforms.register(store.invitation(token_a), registration(CPO))

    assert (store.status(CPO), store.status(EMSP)) == (CONNECTED, PLANNED)


@pytest.mark.parametrize(
    "named",
    [
        pytest.param(EMSP, id="a party of another platform"),
        pytest.param(Party("FR", "PLN"), id="a party that was invited with another platform"),
        pytest.param(HUB, id="the hub party"),
        pytest.param(Party("SE", "OUT"), id="a party outside the invitation"),
    ],
)
async def test_a_registration_that_claims_what_it_may_not_stores_nothing(store: Process, named: Party) -> None:
    owner = await store.connected(EMSP, role=Role.EMSP)
    await store.platforms.create("Planned", parties=[(Party("FR", "PLN"), Role.CPO)])
    record, token_a = await store.platforms.create("Greedy", parties=[(CPO, Role.CPO)])
    before = store.snapshot.parties

    with pytest.raises(InvalidParameters):
        await store.platforms.register(store.invitation(token_a), registration(CPO, named))

    await store.directory.refresh()
    assert store.snapshot.parties == before
    assert isinstance(store.caller(token_a), Invited)
    assert isinstance(store.caller(owner), Registered)
    assert (await store.platforms.get(record.id)).connections == ()


async def test_an_invitation_without_parties_is_for_any_free_ones(store: Process) -> None:
    token = await store.connected(CPO, EMSP)

    assert store.registered(token).platform.parties == (EMSP, CPO)


@pytest.mark.parametrize("party", [HUB, CPO], ids=["the hub's", "somebody else's"])
async def test_a_party_that_is_not_free_cannot_be_invited(store: Process, party: Party) -> None:
    await store.connected(CPO)

    with pytest.raises(InvalidParameters):
        await store.platforms.create("Late", parties=[(party, Role.CPO)])

    page = await store.platforms.list(limit=10, cursor=None)
    assert [each.name for each in page.items] == ["A partner"]


async def test_of_two_registrations_with_one_token_the_second_is_refused(store: Process) -> None:
    _, token_a = await store.platforms.create("Volt")
    invitation = store.invitation(token_a)

    results = await asyncio.gather(
        store.platforms.register(invitation, registration(CPO)),
        store.platforms.register(invitation, registration(CPO)),
        return_exceptions=True,
    )

    [winner] = [each for each in results if isinstance(each, Secret)]
    [loser] = [each for each in results if isinstance(each, Exception)]
    assert isinstance(loser, AlreadyRegistered)
    assert loser.http_status == 405
    assert isinstance(store.caller(winner), Registered)


async def test_a_withdrawn_or_expired_invitation_opens_nothing(store: Process) -> None:
    soon = datetime.now(UTC) - timedelta(seconds=1)
    _, expired = await store.platforms.create("Late", expires_at=soon)
    record, withdrawn = await store.platforms.create("Volt")
    invitations = store.invitation(expired), store.invitation(withdrawn)
    await store.platforms.invite(record.id, None)

    for invitation in invitations:
        with pytest.raises(Unauthorized):
            await store.platforms.register(invitation, registration(CPO))
    assert store.status(CPO) is None


async def test_an_invitation_for_one_version_admits_no_other(store: Process) -> None:
    _, token_a = await store.platforms.create("Volt", version=Version.V2_3_0)

    with pytest.raises(InvalidParameters, match=r"2\.3\.0"):
        await store.platforms.register(store.invitation(token_a), registration(CPO))


@pytest.mark.parametrize("shown_by", ["flag", "role"])
async def test_peering_is_refused_unless_the_operator_allowed_it(store: Process, shown_by: str) -> None:
    peer = registration(CPO, role=Role.HUB if shown_by == "role" else Role.CPO, is_hub=shown_by == "flag")
    _, token_a = await store.platforms.create("Peer")
    _, token_of_friend = await store.platforms.create("Friend", allow_hub=True)

    with pytest.raises(InvalidParameters, match=r"Peering is not allowed"):
        await store.platforms.register(store.invitation(token_a), peer)
    token_c = await store.platforms.register(store.invitation(token_of_friend), peer)

    assert store.registered(token_c).platform.is_hub


async def test_registering_again_replaces_tokens_version_and_endpoints_and_keeps_the_connection(store: Process) -> None:
    old = await store.connected(CPO)
    before = store.registered(old).connection

    new = await store.platforms.reregister(
        before.id,
        registration(CPO, version=Version.V2_3_0, our_token="another", url="https://elsewhere.example.com/ocpi"),
    )

    assert store.caller(old) is None
    after = store.registered(new).connection
    assert (after.id, after.version) == (before.id, Version.V2_3_0)
    assert after.authorization.reveal() == "Token YW5vdGhlcg=="
    assert after.hosts == {"elsewhere.example.com"}
    assert set(after.endpoints.values()) == {
        "https://elsewhere.example.com/ocpi/credentials",
        "https://elsewhere.example.com/ocpi/locations/",
    }


async def test_parties_dropped_when_registering_again_are_suspended_and_added_ones_connected(store: Process) -> None:
    kept, dropped, added = CPO, EMSP, Party("FR", "NEW")
    token = await store.connected(kept, dropped)
    untouched = store.snapshot.entry(kept)

    token = await store.platforms.reregister(store.registered(token).connection.id, registration(kept, added))

    assert [store.status(each) for each in (kept, dropped, added)] == [CONNECTED, SUSPENDED, CONNECTED]
    assert store.snapshot.entry(kept) == untouched

    await store.platforms.reregister(store.registered(token).connection.id, registration(kept, dropped))

    assert [store.status(each) for each in (kept, dropped, added)] == [CONNECTED, CONNECTED, SUSPENDED]


async def test_registering_again_with_a_taken_party_leaves_everything_working(store: Process) -> None:
    token = await store.connected(CPO)
    await store.connected(EMSP)

    with pytest.raises(InvalidParameters):
        await store.platforms.reregister(store.registered(token).connection.id, registration(CPO, EMSP))

    await store.directory.refresh()
    assert store.registered(token).platform.parties == (CPO,)


async def test_a_platform_that_left_is_suspended_and_its_token_dead(store: Process) -> None:
    token = await store.connected(CPO)
    connection = store.registered(token).connection

    await store.platforms.leave(connection.id)

    assert store.caller(token) is None
    assert store.status(CPO) is SUSPENDED
    assert store.snapshot.platform(connection.platform_id).status is SUSPENDED
    assert store.snapshot.platform(connection.platform_id).connections == ()
    await store.platforms.leave(connection.id)
    with pytest.raises(Unauthorized):
        await store.platforms.reregister(connection.id, registration(CPO))


async def test_a_platform_that_left_comes_back_with_a_new_invitation(store: Process) -> None:
    token = await store.connected(CPO)
    connection = store.registered(token).connection
    before = store.snapshot.entry(CPO)
    await store.platforms.leave(connection.id)

    token_a = await store.platforms.invite(connection.platform_id, None)
    assert store.status(CPO) is SUSPENDED
    await store.platforms.register(store.invitation(token_a), registration(CPO))

    after = store.snapshot.entry(CPO)
    assert before is not None
    assert after is not None
    assert (after.status, after.platform_id) == (CONNECTED, before.platform_id)
    assert after.created_at == before.created_at
    assert after.last_updated > before.last_updated


async def test_a_connected_platform_is_not_invited_again(store: Process) -> None:
    token = await store.connected(CPO)

    with pytest.raises(AlreadyRegistered):
        await store.platforms.invite(store.registered(token).platform.id, None)


async def test_a_new_invitation_withdraws_the_unused_one(store: Process) -> None:
    record, first = await store.platforms.create("Volt")

    second = await store.platforms.invite(record.id, None)

    assert store.caller(first) is None
    assert store.invitation(second).platform_id == record.id


async def test_suspending_a_platform_closes_it_and_resuming_opens_it(store: Process) -> None:
    token = await store.connected(CPO, EMSP)
    platform_id = store.registered(token).platform.id

    record = await store.platforms.suspend(platform_id)

    assert record.status is SUSPENDED
    assert store.caller(token) is None
    assert (store.status(CPO), store.status(EMSP)) == (SUSPENDED, SUSPENDED)

    assert (await store.parties.suspend(EMSP)).suspended
    record = await store.platforms.resume(platform_id)

    assert record.status is CONNECTED
    assert isinstance(store.caller(token), Registered)
    assert (store.status(CPO), store.status(EMSP)) == (CONNECTED, SUSPENDED)

    assert not (await store.parties.resume(EMSP)).suspended
    assert store.status(EMSP) is CONNECTED


async def test_a_suspended_platform_cannot_register_or_be_invited(store: Process) -> None:
    record, token_a = await store.platforms.create("Volt", parties=[(CPO, Role.CPO)])
    invitation = store.invitation(token_a)
    await store.platforms.suspend(record.id)

    assert store.caller(token_a) is None
    with pytest.raises(Unauthorized):
        await store.platforms.register(invitation, registration(CPO))
    with pytest.raises(InvalidParameters):
        await store.platforms.invite(record.id, None)
    with pytest.raises(InvalidParameters):
        await store.platforms.open_handshake(record.id, face=None, connection_id=None)


async def test_a_party_that_was_suspended_is_never_planned_again(store: Process) -> None:
    record, token_a = await store.platforms.create("Volt", parties=[(CPO, Role.CPO)])

    await store.platforms.suspend(record.id)
    await store.platforms.resume(record.id)

    assert store.status(CPO) is SUSPENDED
    await store.platforms.register(store.invitation(token_a), registration(CPO))
    assert store.status(CPO) is CONNECTED


async def test_a_removed_platform_stays_listed_and_can_be_invited_again(store: Process) -> None:
    record, token_a = await store.platforms.create("Volt", parties=[(CPO, Role.CPO)])
    _, token_b = await store.platforms.open_handshake(record.id, face=None, connection_id=None)

    removed = await store.platforms.remove(record.id)

    assert removed.status is SUSPENDED
    assert store.caller(token_a) is None
    assert store.caller(token_b) is None
    assert store.status(CPO) is SUSPENDED

    token_a = await store.platforms.invite(record.id, None)
    await store.platforms.register(store.invitation(token_a), registration(CPO))
    assert store.status(CPO) is CONNECTED


@pytest.mark.parametrize(("face", "role"), [(Face.EMSP, Role.CPO), (Face.CPO, Role.EMSP)])
async def test_the_role_of_a_2_1_1_partner_is_the_opposite_of_the_hubs_face(
    store: Process, face: Face, role: Role
) -> None:
    _, token_a = await store.platforms.create("Old", face=face)

    token = await store.platforms.register(store.invitation(token_a), registration(CPO, version=Version.V2_1_1))

    entry = store.snapshot.entry(CPO)
    assert entry is not None
    assert [(each.role, each.business_details) for each in entry.roles] == [(role, {"name": "Example"})]
    assert store.registered(token).connection.face is face


async def test_2_1_1_without_a_face_is_refused(store: Process) -> None:
    _, token_a = await store.platforms.create("Old")

    with pytest.raises(InvalidParameters, match="role"):
        await store.platforms.register(store.invitation(token_a), registration(CPO, version=Version.V2_1_1))


async def test_a_2_1_1_company_with_both_roles_has_two_connections_with_one_party(store: Process) -> None:
    record, first = await store.platforms.create("Both", face=Face.EMSP)
    as_cpo = await store.platforms.register(store.invitation(first), registration(CPO, version=Version.V2_1_1))
    second = await store.platforms.invite(record.id, Face.CPO)
    as_emsp = await store.platforms.register(store.invitation(second), registration(CPO, version=Version.V2_1_1))

    assert store.registered(as_cpo).platform is store.registered(as_emsp).platform
    assert _roles(store, CPO) == [Role.CPO, Role.EMSP]
    for face in (Face.CPO, Face.EMSP, None):
        with pytest.raises(AlreadyRegistered):
            await store.platforms.invite(record.id, face)

    await store.platforms.leave(store.registered(as_cpo).connection.id)
    assert store.status(CPO) is CONNECTED
    assert _roles(store, CPO) == [Role.EMSP]

    await store.platforms.leave(store.registered(as_emsp).connection.id)
    assert store.status(CPO) is SUSPENDED
    assert _roles(store, CPO) == [Role.EMSP]


async def test_a_2_1_1_connection_can_switch_to_a_newer_version_and_back(store: Process) -> None:
    _, token_a = await store.platforms.create("Old", face=Face.EMSP)
    old = registration(CPO, version=Version.V2_1_1)
    token = await store.platforms.register(store.invitation(token_a), old)
    connection_id = store.registered(token).connection.id

    token = await store.platforms.reregister(connection_id, registration(CPO))
    assert store.registered(token).connection.face is None

    token = await store.platforms.reregister(connection_id, old)
    assert store.registered(token).connection.face is Face.EMSP


async def test_settings_and_name_can_be_changed_apart(store: Process) -> None:
    token = await store.connected(CPO)
    platform_id = store.registered(token).platform.id

    await store.platforms.change(platform_id, quirks=Quirks(auth_encoding="plain", hosts_allowed=("CDN.example.com",)))
    record = await store.platforms.change(platform_id, name="New name")

    assert (record.name, record.quirks.auth_encoding) == ("New name", "plain")
    connection = store.registered(token).connection
    assert connection.platform_name == "New name"
    assert connection.authorization.reveal() == "Token a token of the partner's"
    assert connection.hosts == {"partner.example.com", "cdn.example.com"}


async def test_signs_of_life_are_noted_without_changing_the_directory(store: Process) -> None:
    tokens = [await store.connected(CPO), await store.connected(EMSP)]
    connections = [store.registered(token).connection for token in tokens]
    revision = store.snapshot.revision

    await store.platforms.seen([each.id for each in connections] + ["gone"])
    before = (await store.platforms.get(connections[0].platform_id)).last_seen
    await store.platforms.seen([connections[0].id])
    await store.platforms.seen([])

    first, second = [(await store.platforms.get(each.platform_id)).last_seen for each in connections]
    assert second is not None
    assert first is not None
    assert before is not None
    assert first > before
    await store.directory.refresh()
    assert store.snapshot.revision == revision


async def test_an_unknown_platform_is_a_404(store: Process) -> None:
    with pytest.raises(UnknownPlatform) as raised:
        await store.platforms.get("0" * 32)
    assert raised.value.http_status == 404
    with pytest.raises(UnknownPlatform):
        await store.platforms.suspend("0" * 32)


async def test_what_is_too_long_for_the_truth_is_refused_on_every_engine(store: Process) -> None:
    with pytest.raises(InvalidParameters):
        await store.platforms.create("x" * 101)
    _, token_a = await store.platforms.create("Volt")
    with pytest.raises(InvalidParameters):
        await store.platforms.register(
            store.invitation(token_a), registration(CPO, url=f"https://example.com/{'x' * 255}")
        )
    assert store.status(CPO) is None


async def test_neither_a_dump_of_the_truth_nor_one_of_redis_contains_a_token(
    store: Process, store_urls: StoreUrls
) -> None:
    record, token_a = await store.platforms.create("Invited")
    _, token_b = await store.platforms.open_handshake(record.id, face=None, connection_id=None)
    token_c = await store.connected(CPO)

    dump = [row async for row in _everything_in_tables(store)]
    if store_urls.redis_url is not None:
        dump += [text async for text in _everything_in_redis(store_urls.redis_url)]

    assert record.id in str(dump)
    for secret in (token_a.reveal(), token_b.reveal(), token_c.reveal(), "a token of the partner's"):
        assert secret not in str(dump)


async def _everything_in_tables(store: Process) -> AsyncIterator[str]:
    async with store.database.engine.connect() as connection:
        for table in Row.metadata.sorted_tables:
            for row in await connection.execute(table.select()):
                yield str(row)


async def _everything_in_redis(url: str) -> AsyncIterator[str]:
    async with Redis.from_url(url) as client:
        async for key in client.scan_iter():
            if await client.type(key) == b"hash":
                yield str(await client.hgetall(key))


def _roles(store: Process, party: Party) -> list[Role]:
    entry = store.snapshot.entry(party)
    assert entry is not None
    return [each.role for each in entry.roles]
