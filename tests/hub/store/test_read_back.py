from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.asyncio import Redis
from sqlmodel import select
from structlog.testing import capture_logs

from hub.store import shelves
from hub.store.facts import OwnPush
from hub.store.learned import Learned
from hub.store.learned_tables import OwnPushRow
from hub.store.read_back import merged, part_of
from hub.store.vault import Vault
from routing.translation import numbers
from routing.vocabulary import Party, Secret
from tests.conftest import StoreUrls
from tests.hub.store.learned_stores import NOW, group, learning, written
from tests.hub.store.opened import CPO

pytestmark = pytest.mark.anyio

TARIFF = {"id": "T1", "currency": "EUR", "elements": [{"price_components": [{"price": 0.25}]}]}
LOCATION: dict[str, Any] = {
    "id": "LOC1",
    "name": "Station",
    "evses": [
        {"uid": "E1", "status": "AVAILABLE", "connectors": [{"id": "1", "amperage": 16}], "last_updated": "2024-01-02"},
        {"uid": "E2", "status": "CHARGING", "connectors": [], "last_updated": "2024-01-02"},
    ],
    "last_updated": "2024-01-02",
}


@pytest.fixture
async def one(store_urls: StoreUrls) -> AsyncIterator[Learned]:
    """What a process has learned. The test runs twice."""
    async with learning(store_urls) as learned:
        yield learned


def push(*ids: str, body: Any, partial: bool = False, module: str = "locations", owner: Party = CPO) -> OwnPush:  # noqa: ANN401 - any JSON
    return OwnPush(module, owner, ids, partial, None if body is None else numbers.write(body), NOW)


def location_with(*pushes: OwnPush) -> Any:  # noqa: ANN401 - any JSON
    """The Location after these pushes."""
    kept: dict[str, Any] | None = LOCATION
    for each in pushes:
        after = merged(kept, each)
        kept = kept if after is None else after
    return kept


async def test_an_owner_finds_what_it_pushed_last_also_after_a_restart(one: Learned, store_urls: StoreUrls) -> None:
    await written(one, push("T1", body=TARIFF, module="tariffs"), push("LOC1", body=LOCATION))
    await written(one, push("t1", body={**TARIFF, "currency": "SEK"}, module="tariffs"))

    async with learning(store_urls) as restarted:
        assert await group(restarted, shelves.own_push("tariffs", CPO, "T1")) == {**TARIFF, "currency": "SEK"}
        assert await group(restarted, shelves.own_push("locations", CPO, "loc1")) == LOCATION
        assert await group(restarted, shelves.own_push("locations", Party("BE", "CPO"), "LOC1")) is None


async def test_numbers_keep_their_digits(one: Learned) -> None:
    written_by_partner = b'{"id":"T1","price":4.00,"volume":0.12345678901234567890,"step_size":9007199254740993}'
    await written(one, OwnPush("tariffs", CPO, ("T1",), partial=False, body=written_by_partner, at=NOW))

    found = await group(one, shelves.own_push("tariffs", CPO, "T1"))

    assert numbers.write(found) == written_by_partner


async def test_pushes_that_come_one_after_the_other_are_merged_in_that_order(one: Learned) -> None:
    for each in (
        push("T1", body=TARIFF, module="tariffs"),
        push("T1", body={"currency": "SEK"}, partial=True, module="tariffs"),
        push("T1", body={"tariff_alt_url": None}, partial=True, module="tariffs"),
    ):
        one.note(each)

    found = await group(one, shelves.own_push("tariffs", CPO, "T1"))

    assert found == {**TARIFF, "currency": "SEK", "tariff_alt_url": None}


async def test_what_was_deleted_is_gone(one: Learned) -> None:
    await written(one, push("T1", body=TARIFF, module="tariffs"))
    await written(one, push("t1", body=None, module="tariffs"))

    assert await group(one, shelves.own_push("tariffs", CPO, "T1")) is None


async def test_a_part_of_what_was_never_pushed_is_not_kept(one: Learned) -> None:
    await written(
        one,
        push("T1", body={"currency": "SEK"}, partial=True, module="tariffs"),
        push("LOC1", "E1", body={"uid": "E1"}),
    )

    assert await group(one, shelves.own_push("tariffs", CPO, "T1")) is None
    assert await group(one, shelves.own_push("locations", CPO, "LOC1")) is None


async def test_bodies_are_sealed_in_the_database_and_never_in_redis(
    one: Learned, store_urls: StoreUrls, redis_url: str
) -> None:
    await written(one, push("LOC1", body={"id": "LOC1", "name": "A private garage"}))
    assert await group(one, shelves.own_push("locations", CPO, "LOC1")) is not None

    async with one._database.reading() as session:
        [row] = (await session.exec(select(OwnPushRow))).all()
    assert b"garage" not in row.body
    async with Redis.from_url(store_urls.redis_url or redis_url) as client:
        assert [key async for key in client.scan_iter(match="*own*")] == []


async def test_a_body_of_another_key_is_unreadable_and_hurts_nothing_else(one: Learned) -> None:
    await written(one, push("T1", body=TARIFF, module="tariffs"))
    await written(one, push("T2", body=TARIFF, module="tariffs"))
    async with one._database.writing() as session:
        row = await session.get_one(OwnPushRow, (CPO, "tariffs", "T1"))
        row.body = Vault(Secret("another key")).seal(Secret("{}"), "own push tariffs NL*CPO T1")

    lookups = [shelves.own_push("tariffs", CPO, tariff_id) for tariff_id in ("T1", "T2")]
    with capture_logs() as logs:
        found = await one.groups(lookups)

    assert found == dict(zip(lookups, (None, TARIFF), strict=True))
    assert [each["event"] for each in logs] == ["own_push_unreadable"]


async def test_a_body_that_stands_in_anothers_place_is_unreadable(one: Learned) -> None:
    await written(one, push("T1", body=TARIFF, module="tariffs"))
    async with one._database.writing() as session:
        row = await session.get_one(OwnPushRow, (CPO, "tariffs", "T1"))
        session.add(OwnPushRow(owner=CPO, module="tariffs", object_key="T2", body=row.body, updated_at=row.updated_at))

    assert await group(one, shelves.own_push("tariffs", CPO, "T2")) is None


# How pushes of EVSEs and Connectors become part of their Location


def test_an_evse_takes_the_place_of_the_one_with_its_uid() -> None:
    evse = {"uid": "E1", "status": "OUTOFORDER", "last_updated": "2024-01-03"}

    found = location_with(push("LOC1", "e1", body=evse))

    assert found == {**LOCATION, "evses": [evse, LOCATION["evses"][1]], "last_updated": "2024-01-03"}


def test_an_evse_that_is_new_comes_last() -> None:
    evse = {"uid": "E3", "status": "AVAILABLE"}

    assert location_with(push("LOC1", "E3", body=evse)) == {**LOCATION, "evses": [*LOCATION["evses"], evse]}
    assert merged({"id": "LOC2"}, push("LOC2", "E3", body=evse)) == {"id": "LOC2", "evses": [evse]}


def test_a_patch_of_an_evse_changes_what_it_names() -> None:
    found = location_with(push("LOC1", "E2", body={"status": "AVAILABLE", "last_updated": "2023-12-31"}, partial=True))

    assert found["evses"][1] == {"uid": "E2", "status": "AVAILABLE", "connectors": [], "last_updated": "2023-12-31"}
    assert found["last_updated"] == "2024-01-02", "what is older does not make the Location older"
    assert found["evses"][0] == LOCATION["evses"][0]


def test_a_connector_takes_its_place_in_its_evse() -> None:
    found = location_with(
        push("LOC1", "E1", "1", body={"amperage": 32, "last_updated": "2024-01-05"}, partial=True),
        push("LOC1", "E2", "1", body={"id": "1", "amperage": 63, "last_updated": "2024-01-04"}),
    )

    assert [evse["connectors"] for evse in found["evses"]] == [
        [{"id": "1", "amperage": 32, "last_updated": "2024-01-05"}],
        [{"id": "1", "amperage": 63, "last_updated": "2024-01-04"}],
    ]
    assert [evse["last_updated"] for evse in found["evses"]] == ["2024-01-05", "2024-01-04"]
    assert found["last_updated"] == "2024-01-05"


@pytest.mark.parametrize(
    "lost",
    [
        push("LOC1", "E9", body={"status": "AVAILABLE"}, partial=True),
        push("LOC1", "E9", "1", body={"id": "1"}),
        push("LOC1", "E1", "9", body={"amperage": 1}, partial=True),
    ],
    ids=["EVSE", "Connector of an EVSE", "Connector"],
)
def test_a_part_of_a_part_that_is_not_there_changes_nothing(lost: OwnPush) -> None:
    assert merged(LOCATION, lost) is None


def test_a_part_of_a_location_is_found_by_its_ids() -> None:
    evse = LOCATION["evses"][0]

    assert part_of(LOCATION, ()) is LOCATION
    assert part_of(LOCATION, ("e1",)) == evse
    assert part_of(LOCATION, ("E1", "1")) == evse["connectors"][0]
    for ids in (("E3",), ("E1", "2"), ("E3", "1")):
        assert part_of(LOCATION, ids) is None
    assert part_of({"evses": [7, {"uid": "E1", "connectors": "none"}]}, ("E1", "1")) is None


def test_what_was_kept_is_not_changed_in_place() -> None:
    before = numbers.write(LOCATION)

    location_with(push("LOC1", "E1", "1", body={"amperage": 32, "last_updated": "2024-01-05"}, partial=True))

    assert numbers.write(LOCATION) == before
