"""Which ids partners are shown: decided once, whoever asks, however many ask at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs

from hub.store.database import Database
from hub.store.shown_ids import ShownIds
from routing.errors import HubFault
from routing.shown_ids import Id, IdKind, aliases_of
from routing.vocabulary import Party
from tests.conftest import StoreUrls
from tests.hub.store.opened import CPO, Process, first_process
from tests.servers import PostgresServer

pytestmark = pytest.mark.anyio

OTHER_CPO, THIRD_CPO = Party("BE", "CPO"), Party("FR", "CPO")
PATIENT_S = 20.0
NEVER_SHOWN = Id(IdKind.SESSION, "S1")
LOC1, TARIFF = Id(IdKind.LOCATION, "LOC1"), Id(IdKind.TARIFF, "LOC1")


async def platform(store: Process, name: str = "viewer") -> str:
    record, _ = await store.platforms.create(
        name, parties=(), face=None, version=None, require_modules=(), allow_hub=False, expires_at=None
    )
    return record.id


@asynccontextmanager
async def shown_ids(url: str, *, patience_s: float = PATIENT_S, room: int = 1000) -> AsyncIterator[ShownIds]:
    """As one process has them."""
    database = Database(url)
    ids = ShownIds(database, patience_s=patience_s, room=room)
    try:
        yield ids
    finally:
        await ids.close()
        await database.close()


@pytest.fixture
async def viewer(store: Process) -> str:
    """A platform that is shown things."""
    return await platform(store)


@pytest.fixture
async def ids(
    viewer: str,  # noqa: ARG001 - asking for it makes the tables
    store_urls: StoreUrls,
) -> AsyncIterator[ShownIds]:
    """Those of one process, once there is a viewer. The test runs twice."""
    async with shown_ids(store_urls.database_url) as one:
        yield one


async def as_shown(ids: ShownIds, viewer: str, owner: Party, real: Id = LOC1, *, always: bool = False) -> str:
    return (await ids.shown(viewer, owner, [real], always=always))[real]


async def test_an_id_that_was_never_shown_is_known_as_soon_as_it_is(ids: ShownIds, viewer: str) -> None:
    assert await ids.owned(viewer, [LOC1]) == {}

    await as_shown(ids, viewer, CPO)

    assert (await ids.owned(viewer, [LOC1]))[LOC1].owner == CPO


async def test_an_alias_another_process_gives_out_is_known_although_it_was_never_shown_before(
    ids: ShownIds, viewer: str, store_urls: StoreUrls
) -> None:
    alias = Id(IdKind.LOCATION, "BECPO-LOC1")
    assert await ids.owned(viewer, [alias]) == {}

    async with shown_ids(store_urls.database_url) as elsewhere:
        await as_shown(elsewhere, viewer, CPO)
        await as_shown(elsewhere, viewer, OTHER_CPO)

    assert (await ids.owned(viewer, [alias]))[alias].owner == OTHER_CPO


async def test_the_first_owner_keeps_its_id_and_later_ones_get_aliases(ids: ShownIds, viewer: str) -> None:
    assert await as_shown(ids, viewer, CPO) == "LOC1"
    assert await as_shown(ids, viewer, OTHER_CPO) == "BECPO-LOC1"
    assert await as_shown(ids, viewer, THIRD_CPO, Id(IdKind.LOCATION, "loc1")) == "FRCPO-loc1"
    assert await as_shown(ids, viewer, OTHER_CPO, TARIFF) == "LOC1"


async def test_what_a_viewer_means_is_what_it_was_shown(ids: ShownIds, viewer: str) -> None:
    await as_shown(ids, viewer, CPO)
    await as_shown(ids, viewer, OTHER_CPO)
    alias, unknown = Id(IdKind.LOCATION, "beCPO-loc1"), Id(IdKind.LOCATION, "LOC2")

    found = await ids.owned(viewer, [LOC1, alias, unknown, Id(IdKind.SESSION, "LOC1")])

    assert found == {LOC1: (CPO, "LOC1"), alias: (OTHER_CPO, "LOC1")}


async def test_an_object_is_always_shown_in_its_first_spelling(ids: ShownIds, viewer: str) -> None:
    assert await as_shown(ids, viewer, CPO, Id(IdKind.LOCATION, "Loc1")) == "Loc1"
    assert await as_shown(ids, viewer, CPO, LOC1) == "Loc1"


async def test_every_viewer_has_ids_of_its_own(ids: ShownIds, viewer: str, store: Process) -> None:
    other = await platform(store, "other")

    assert await as_shown(ids, viewer, CPO) == "LOC1"
    assert await as_shown(ids, other, OTHER_CPO) == "LOC1"
    assert await as_shown(ids, other, CPO) == "NLCPO-LOC1"
    assert (await ids.owned(other, [LOC1]))[LOC1].owner == OTHER_CPO


async def test_a_viewer_may_be_shown_aliases_always(ids: ShownIds, viewer: str) -> None:
    assert await as_shown(ids, viewer, CPO, always=True) == "NLCPO-LOC1"
    assert await as_shown(ids, viewer, OTHER_CPO) == "LOC1"


async def test_once_aliases_are_always_wanted_ids_from_before_still_mean_the_same(ids: ShownIds, viewer: str) -> None:
    assert await as_shown(ids, viewer, CPO) == "LOC1"
    assert await as_shown(ids, viewer, CPO, always=True) == "NLCPO-LOC1"
    assert await as_shown(ids, viewer, OTHER_CPO) == "BECPO-LOC1"
    assert await as_shown(ids, viewer, CPO) == "LOC1"
    found = await ids.owned(viewer, [LOC1, Id(IdKind.LOCATION, "NLCPO-LOC1")])
    assert {owned.owner for owned in found.values()} == {CPO}


async def test_an_alias_that_is_somebodys_id_is_not_given_out(ids: ShownIds, viewer: str) -> None:
    assert await as_shown(ids, viewer, CPO, Id(IdKind.LOCATION, "BECPO-LOC1")) == "BECPO-LOC1"
    await as_shown(ids, viewer, CPO)

    candidates = aliases_of(OTHER_CPO, LOC1)

    assert next(candidates) == "BECPO-LOC1"
    assert await as_shown(ids, viewer, OTHER_CPO) == next(candidates)


async def test_a_page_with_the_same_id_in_two_spellings_is_one_object(ids: ShownIds, viewer: str) -> None:
    other = Id(IdKind.LOCATION, "loc1")

    shown = await ids.shown(viewer, CPO, [LOC1, other], always=False)

    assert len(set(shown.values())) == 1


async def test_aliases_outlive_a_restart(ids: ShownIds, viewer: str, store_urls: StoreUrls) -> None:
    await as_shown(ids, viewer, CPO)
    await as_shown(ids, viewer, OTHER_CPO)

    async with shown_ids(store_urls.database_url) as restarted:
        assert await as_shown(restarted, viewer, OTHER_CPO) == "BECPO-LOC1"
        assert await as_shown(restarted, viewer, CPO) == "LOC1"
    async with shown_ids(store_urls.database_url) as restarted:
        assert (await restarted.owned(viewer, [LOC1]))[LOC1] == (CPO, "LOC1")


async def test_of_many_that_come_at_once_in_two_processes_no_two_get_one_id(
    ids: ShownIds, viewer: str, store_urls: StoreUrls
) -> None:
    """Ten owners with the same hundred ids, each in both processes, all at the same time."""
    owners = [Party("NL", f"C{number:02}") for number in range(10)]
    wanted = [Id(IdKind.LOCATION, f"LOC{number}") for number in range(100)]
    async with shown_ids(store_urls.database_url) as elsewhere:
        pages = [
            (owner, process.shown(viewer, owner, wanted, always=False))
            for owner in owners
            for process in (ids, elsewhere)
        ]
        shown = await asyncio.gather(*(page for _, page in pages))

    by_owner: dict[Party, set[frozenset[tuple[Id, str]]]] = {}
    for (owner, _), found in zip(pages, shown, strict=True):
        by_owner.setdefault(owner, set()).add(frozenset(found.items()))
    assert all(len(answers) == 1 for answers in by_owner.values()), "both processes say the same"
    everything = [shown_id for [answer] in by_owner.values() for _, shown_id in answer]
    assert len(set(everything)) == 1000
    for each in wanted:
        assert sum(each.value == shown_id for shown_id in everything) == 1


async def test_only_so_many_are_remembered_and_all_are_known(viewer: str, store_urls: StoreUrls) -> None:
    wanted = [Id(IdKind.TARIFF, f"T{number}") for number in range(500)]
    async with shown_ids(store_urls.database_url, room=50) as ids:
        first = await ids.shown(viewer, CPO, wanted, always=False)
        assert await ids.shown(viewer, CPO, wanted, always=False) == first
        assert len(await ids.owned(viewer, wanted)) == 500
        assert len(ids._given) <= 50
        assert len(ids._owned) <= 50


# A store that fails


@pytest.fixture
def postgres() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


async def test_without_a_store_nothing_new_is_shown_and_what_is_known_goes_on(
    postgres: PostgresServer, redis_url: str
) -> None:
    urls = StoreUrls(await postgres.create_database(), redis_url)
    async with first_process(urls) as store, shown_ids(urls.database_url, patience_s=1.0) as ids:
        viewer = await platform(store)
        await as_shown(ids, viewer, CPO)
        await ids.owned(viewer, [LOC1, NEVER_SHOWN])
        for hurt, heal in ((postgres.freeze, postgres.thaw), (postgres.kill, postgres.start)):
            hurt()
            began = time.monotonic()
            with capture_logs():
                with pytest.raises(HubFault):
                    await as_shown(ids, viewer, OTHER_CPO, TARIFF)
                with pytest.raises(HubFault):
                    await ids.owned(viewer, [TARIFF])
            assert time.monotonic() - began < 4
            assert await as_shown(ids, viewer, CPO) == "LOC1"
            assert (await ids.owned(viewer, [LOC1]))[LOC1].owner == CPO
            assert await ids.owned(viewer, [NEVER_SHOWN]) == {}
            heal()
        async with asyncio.timeout(20):
            while True:
                try:
                    assert await as_shown(ids, viewer, OTHER_CPO) == "BECPO-LOC1"
                    break
                except HubFault:
                    await asyncio.sleep(0.05)
