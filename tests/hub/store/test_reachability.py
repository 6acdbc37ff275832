from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Self

import pytest

from hub.store import changes
from hub.store.reachability import NoAnswer, Reachability
from hub.store.records import StatusCause
from hub.store.remote_parties import RemoteParties
from hub.store.terms import TermOver, Terms
from hub.store.truth import UnknownPlatform
from routing.client_info import ClientInfo
from routing.errors import InvalidParameters
from routing.vocabulary import ConnectionStatus, Party, Role, Secret
from tests.conftest import StoreUrls
from tests.hub.store.opened import CPO, EMSP, OUTAGE_S, Process, process, registration

pytestmark = pytest.mark.anyio

CONNECTED, OFFLINE = ConnectionStatus.CONNECTED, ConnectionStatus.OFFLINE
PLANNED, SUSPENDED = ConnectionStatus.PLANNED, ConnectionStatus.SUSPENDED
SECOND = Party("NL", "TWO")


class Leading:
    """A process that leads, and what it finds out."""

    def __init__(self, store: Process, term: int) -> None:
        self.store = store
        self.term = term
        self.rows = Reachability(store.database, store.directory)

    def platform_id(self, token: Secret) -> str:
        return self.store.registered(token).platform.id

    async def gone(self, *tokens: Secret, term: int | None = None) -> frozenset[str]:
        """Nobody answers who presents one of these tokens."""
        ids = [self.platform_id(token) for token in tokens]
        found = [NoAnswer(id_, self.store.directory.revision_of(id_), "It does not answer") for id_ in ids]
        return await self.rows.gone(found, term or self.term)

    async def back(self, *tokens: Secret) -> frozenset[str]:
        return await self.rows.back([self.platform_id(token) for token in tokens], self.term)

    def statuses(self, *parties: Party) -> Sequence[ConnectionStatus | None]:
        return [self.store.status(party) for party in parties]

    async def causes(self, platform_id: str) -> list[StatusCause]:
        page = await self.rows.history(platform_id, limit=100, cursor=None)
        return [each.cause for each in page.items]


@pytest.fixture
async def leading(store: Process) -> Leading:
    return Leading(store, await Terms(store.database).begin())


async def test_all_parties_of_a_platform_go_and_come_together(leading: Leading) -> None:
    token = await leading.store.connected(CPO, SECOND)
    platform_id = leading.platform_id(token)
    before = leading.store.snapshot.revision

    assert await leading.gone(token) == {platform_id}
    assert leading.statuses(CPO, SECOND) == [OFFLINE, OFFLINE]
    assert leading.store.snapshot.platform(platform_id).status is OFFLINE
    leading.store.registered(token)  # it may go on calling
    assert await leading.gone(token) == frozenset()

    assert await leading.back(token) == {platform_id}
    assert leading.statuses(CPO, SECOND) == [CONNECTED, CONNECTED]
    assert await leading.back(token) == frozenset()
    assert leading.store.snapshot.revision > before
    assert await leading.causes(platform_id) == [StatusCause.ANSWERED, StatusCause.NO_ANSWER, StatusCause.REGISTERED]


async def test_many_platforms_go_in_one_transaction_each_with_a_revision_of_its_own(leading: Leading) -> None:
    tokens = [await leading.store.connected(Party("NL", f"P{number:02}")) for number in range(30)]
    before = {id_: leading.store.directory.revision_of(id_) for id_ in map(leading.platform_id, tokens)}

    assert len(await leading.gone(*tokens)) == 30

    records = [await leading.store.platforms.get(id_) for id_ in before]
    assert len({record.revision for record in records}) == 30
    assert min(record.revision for record in records) > max(before.values())
    for record in records:
        assert record.status is OFFLINE
        assert {party.shown_revision for party in record.parties} == {record.revision}
        assert leading.store.directory.revision_of(record.id) == record.revision


async def test_nothing_is_settled_in_a_term_that_is_over(leading: Leading) -> None:
    token = await leading.store.connected(CPO)
    await leading.gone(token)
    await Terms(leading.store.database).begin()

    with pytest.raises(TermOver):
        await leading.back(token)
    with pytest.raises(TermOver):
        await leading.gone(token)

    await leading.store.directory.refresh()
    assert leading.statuses(CPO) == [OFFLINE]


async def test_who_registered_anew_meanwhile_is_not_made_offline(leading: Leading) -> None:
    token = await leading.store.connected(CPO)
    connection = leading.store.registered(token).connection
    found = NoAnswer(connection.platform_id, leading.store.directory.revision_of(connection.platform_id), "")

    await leading.store.platforms.reregister(connection.id, registration(CPO))

    assert await leading.rows.gone([found], leading.term) == frozenset()
    assert leading.statuses(CPO) == [CONNECTED]


async def test_registering_anew_makes_it_connected(leading: Leading) -> None:
    token = await leading.store.connected(CPO)
    await leading.gone(token)
    connection = leading.store.registered(token).connection

    await leading.store.platforms.reregister(connection.id, registration(CPO, SECOND))

    assert leading.statuses(CPO, SECOND) == [CONNECTED, CONNECTED]


async def test_the_suspended_and_those_who_left_are_nothing_else(leading: Leading) -> None:
    suspended, left = await leading.store.connected(CPO), await leading.store.connected(EMSP)
    await leading.gone(suspended, left)
    suspended_id, connection = leading.platform_id(suspended), leading.store.registered(left).connection
    await leading.store.platforms.suspend(suspended_id)
    await leading.store.platforms.leave(connection.id)
    assert leading.statuses(CPO, EMSP) == [SUSPENDED, SUSPENDED]

    ids = [suspended_id, connection.platform_id]
    assert await leading.rows.back(ids, leading.term) == frozenset()
    found = [NoAnswer(id_, leading.store.directory.revision_of(id_), "") for id_ in ids]
    assert await leading.rows.gone(found, leading.term) == frozenset()
    assert leading.statuses(CPO, EMSP) == [SUSPENDED, SUSPENDED]

    await leading.store.platforms.resume(suspended_id)
    assert leading.statuses(CPO) == [CONNECTED]  # until it is looked at
    assert (await leading.causes(connection.platform_id))[0] is StatusCause.LEFT


async def test_a_party_that_is_resumed_while_its_platform_is_offline_comes_back_with_it(leading: Leading) -> None:
    token = await leading.store.connected(CPO, SECOND)
    await leading.store.parties.suspend(SECOND)
    await leading.gone(token)
    assert leading.statuses(CPO, SECOND) == [OFFLINE, SUSPENDED]

    await leading.store.parties.resume(SECOND)
    assert leading.statuses(CPO, SECOND) == [OFFLINE, SUSPENDED]

    await leading.back(token)
    assert leading.statuses(CPO, SECOND) == [CONNECTED, CONNECTED]


async def test_a_party_that_stays_suspended_does_not_come_back_with_its_platform(leading: Leading) -> None:
    token = await leading.store.connected(CPO, SECOND)
    await leading.store.parties.suspend(SECOND)
    await leading.gone(token)

    await leading.back(token)

    assert leading.statuses(CPO, SECOND) == [CONNECTED, SUSPENDED]


async def test_who_is_behind_a_hub_goes_and_comes_with_it(leading: Leading) -> None:
    record, token_a = await leading.store.platforms.create("A hub", allow_hub=True)
    invitation = leading.store.invitation(token_a)
    token = await leading.store.platforms.register(invitation, registration(EMSP, role=Role.HUB, is_hub=True))
    infos = [ClientInfo(CPO, Role.CPO, CONNECTED), ClientInfo(SECOND, Role.CPO, PLANNED)]
    await RemoteParties(leading.store.database, leading.store.directory).listed(record.id, infos, is_complete=True)

    await leading.gone(token)
    assert leading.statuses(EMSP, CPO, SECOND) == [OFFLINE, OFFLINE, PLANNED]

    await leading.back(token)
    assert leading.statuses(EMSP, CPO, SECOND) == [CONNECTED, CONNECTED, PLANNED]


async def test_silence_is_measured_by_the_clock_all_processes_share(
    leading: Leading, store_urls: StoreUrls, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = [await leading.store.connected(CPO), await leading.store.connected(EMSP)]
    connections = [leading.store.registered(token).connection for token in tokens]
    ids = [each.platform_id for each in connections]
    just_registered = await leading.rows.silence(ids)
    assert set(just_registered) == set(ids)

    if store_urls.redis_url is not None:  # then there may be other processes, on other machines

        class FiveMinutesAhead(datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> Self:
                return super().now(tz) + timedelta(minutes=5)

        monkeypatch.setattr(changes, "datetime", FiveMinutesAhead)
    await leading.store.platforms.seen([connections[0].id])

    silence = await leading.rows.silence(ids)
    assert silence[ids[0]] < silence[ids[1]]
    assert -1 < silence[ids[0]] < 10


async def test_changes_have_the_time_of_the_database(
    leading: Leading, store_urls: StoreUrls, monkeypatch: pytest.MonkeyPatch
) -> None:
    if store_urls.redis_url is None:
        pytest.skip("a file has no clock")

    class FiveMinutesAhead(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return super().now(tz) + timedelta(minutes=5)

    monkeypatch.setattr(changes, "datetime", FiveMinutesAhead)
    token = await leading.store.connected(CPO)

    [party] = (await leading.store.platforms.get(leading.platform_id(token))).parties
    assert abs(party.last_updated - datetime.now(UTC)) < timedelta(minutes=1)


async def test_the_history_has_pages_and_each_status_its_end(leading: Leading) -> None:
    token = await leading.store.connected(CPO)
    platform_id = leading.platform_id(token)
    for _ in range(3):
        await leading.gone(token)
        await leading.back(token)

    first = await leading.rows.history(platform_id, limit=3, cursor=None)
    second = await leading.rows.history(platform_id, limit=4, cursor=first.next_cursor)

    assert second.next_cursor is None
    items = [*first.items, *second.items]
    assert [each.status for each in items] == [CONNECTED, OFFLINE] * 3 + [CONNECTED]
    assert [each.until for each in items] == [None, *(each.since for each in items[:-1])]
    assert {each.why for each in items if each.status is OFFLINE} == {"It does not answer"}
    with pytest.raises(InvalidParameters):
        await leading.rows.history(platform_id, limit=1, cursor="x")
    with pytest.raises(UnknownPlatform):
        await leading.rows.history("nobody", limit=1, cursor=None)


async def test_statuses_of_long_ago_are_forgotten_but_not_the_present_one(leading: Leading) -> None:
    token = await leading.store.connected(CPO)
    await leading.gone(token)

    await leading.rows.drop_old(datetime.now(UTC) + timedelta(days=399))
    assert len(await leading.causes(leading.platform_id(token))) == 2

    await leading.rows.drop_old(datetime.now(UTC) + timedelta(days=401))
    assert await leading.causes(leading.platform_id(token)) == [StatusCause.NO_ANSWER]


async def test_all_processes_learn_who_is_offline(leading: Leading, store_urls: StoreUrls) -> None:
    async with process(store_urls) as other:
        token = await leading.store.connected(CPO)

        await leading.gone(token)

        async with asyncio.timeout(OUTAGE_S):
            while other.status(CPO) is not OFFLINE:  # a store that does not answer soon is not waited for
                await other.directory.refresh()
