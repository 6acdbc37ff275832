"""What is decided once, whoever asks and however many ask at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from hub.store import shelves
from hub.store.facts import ReferenceGiven, ReservationSeen
from hub.store.learned import Learned
from hub.store.learned_claims import Charge
from hub.store.shelves import Credit, Reference
from routing.translation.commands import reservation_numbers
from routing.vocabulary import Party
from tests.conftest import StoreUrls
from tests.hub.store.learned_stores import HOUR, NOW, OTHER_EMSP, group, learning, written
from tests.hub.store.opened import CPO, EMSP

pytestmark = pytest.mark.anyio

OTHER_CPO = Party("BE", "CPO")
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def one(store_urls: StoreUrls) -> AsyncIterator[Learned]:
    """What a process has learned. The test runs twice."""
    async with learning(store_urls) as learned:
        yield learned


async def number(learned: Learned, reservation_id: str, emsp: Party = EMSP, cpo: Party = CPO) -> int | None:
    return await learned.reservation_number(cpo, emsp, reservation_id, NOW + HOUR)


def given(value: str, *, minutes_ago: int = 10, uid: str = "04A1", location: str | None = None) -> ReferenceGiven:
    reference = Reference(value, "RFID", NOW - minutes_ago * MINUTE, location)
    return ReferenceGiven(CPO, EMSP, uid, reference)


def charge(session_id: str | None = "S1", *, location: str | None = "LOC1", minutes_ago: int = 0) -> Charge:
    return Charge(CPO, EMSP, "04a1", "RFID", session_id, NOW - minutes_ago * MINUTE, location)


# Numbers of reservations


async def test_a_reservation_has_the_same_number_again_also_after_a_restart(
    one: Learned, store_urls: StoreUrls
) -> None:
    first = await number(one, "Res-1")

    assert first == next(reservation_numbers(EMSP, "Res-1"))
    assert await number(one, "RES-1") == first
    async with learning(store_urls) as restarted:
        assert await number(restarted, "res-1") == first


async def test_the_same_id_of_two_emsps_is_two_numbers_at_one_cpo(one: Learned) -> None:
    assert await number(one, "77") == 77
    assert await number(one, "77", OTHER_EMSP) == list(reservation_numbers_of(OTHER_EMSP, "77"))[1]
    assert await number(one, "77", OTHER_EMSP, OTHER_CPO) == 77


def reservation_numbers_of(emsp: Party, reservation_id: str) -> list[int]:
    candidates = reservation_numbers(emsp, reservation_id)
    return [next(candidates) for _ in range(30)]


async def test_a_number_that_is_taken_gives_way_to_the_next_free_one(one: Learned) -> None:
    candidates = reservation_numbers_of(EMSP, "Res-1")
    taken = [
        ReservationSeen(CPO, OTHER_EMSP, str(each), each, NOW + HOUR) for each in candidates[:25] if each % 2 == 0
    ] + [ReservationSeen(CPO, OTHER_EMSP, str(each), each, NOW + HOUR) for each in candidates[:25] if each % 2 == 1]
    await written(one, *taken)

    assert await number(one, "Res-1") == candidates[25]


async def test_a_number_a_2_1_1_emsp_chose_is_taken(one: Learned) -> None:
    await written(one, ReservationSeen(CPO, OTHER_EMSP, "5", 5, NOW + HOUR))

    assert await number(one, "5", OTHER_EMSP) == 5
    assert await number(one, "5") == reservation_numbers_of(EMSP, "5")[1]


async def test_reservations_that_race_for_a_number_all_get_one_of_their_own(
    one: Learned, store_urls: StoreUrls
) -> None:
    emsps = [Party("DE", f"M{which:02}") for which in range(12)]

    async def numbers(learned: Learned) -> list[int | None]:
        return await asyncio.gather(*(number(learned, "77", emsp) for emsp in emsps))

    if store_urls.redis_url is None:
        first, second = await numbers(one), await numbers(one)
    else:
        async with learning(store_urls) as other:
            first, second = await asyncio.gather(numbers(one), numbers(other))

    assert None not in first
    assert first == second
    assert len(set(first)) == len(emsps)


async def test_different_reservations_that_want_one_number_never_share_it(
    database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.store.learned_claims.reservation_numbers", lambda *_: iter(range(100, 200)))
    urls = StoreUrls(database_url, redis_url)
    async with learning(urls) as one, learning(urls) as other:
        found = await asyncio.gather(
            *(number(learned, f"R{which}{index}") for index, learned in enumerate((one, other)) for which in range(8))
        )

    assert sorted(each or 0 for each in found) == list(range(100, 116))


# Authorization references


async def test_a_reference_belongs_to_one_session_and_stays_there(one: Learned, store_urls: StoreUrls) -> None:
    await written(one, given("REF-1"))

    assert await one.bind_reference(charge("S1")) == "REF-1"
    assert await one.bind_reference(charge("S2")) is None
    assert await one.bind_reference(charge("s1")) == "REF-1"
    async with learning(store_urls) as restarted:
        assert await restarted.bind_reference(charge("S1", minutes_ago=1)) == "REF-1"


async def test_the_newest_reference_that_fits_is_the_one(one: Learned) -> None:
    await written(
        one,
        given("too old", minutes_ago=24 * 60 + 1),
        given("old", minutes_ago=60),
        given("new", minutes_ago=30, location="LOC1"),
        given("elsewhere", minutes_ago=20, location="LOC2"),
        given("too late", minutes_ago=-5),
        given("of another card", minutes_ago=10, uid="04B2"),
    )

    found = [await one.bind_reference(charge(session_id)) for session_id in ("S1", "S2", "S3")]

    assert found == ["new", "old", None]


async def test_a_cdr_without_a_session_has_the_reference_of_the_session_that_began_then(one: Learned) -> None:
    await written(one, given("REF-1"), given("REF-2", minutes_ago=5))

    assert await one.bind_reference(charge("S1")) == "REF-2"
    assert await one.bind_reference(charge(None)) == "REF-2"
    assert await one.bind_reference(charge(None, minutes_ago=1)) == "REF-1"
    assert await one.bind_reference(charge(None, minutes_ago=1)) == "REF-1"


async def test_a_reference_given_again_does_not_leave_its_session(one: Learned) -> None:
    await written(one, given("REF-1"))
    assert await one.bind_reference(charge("S1")) == "REF-1"

    await written(one, given("REF-1", minutes_ago=1))

    assert await one.bind_reference(charge("S2")) is None
    [kept] = await group(one, shelves.references(CPO, EMSP, "04A1"))
    assert (kept.bound_to, kept.bound_start) == ("S1", NOW)


async def test_a_reference_learned_a_moment_ago_counts(one: Learned) -> None:
    one.note(given("REF-1"))

    assert await one.bind_reference(charge()) == "REF-1"


async def test_sessions_that_race_for_references_get_different_ones(database_url: str, redis_url: str) -> None:
    urls = StoreUrls(database_url, redis_url)
    async with learning(urls) as one, learning(urls) as other:
        await written(one, *(given(f"REF-{index}", minutes_ago=index) for index in range(1, 5)))

        found = await asyncio.gather(
            *(learned.bind_reference(charge(f"S{index}")) for index in range(6) for learned in (one, other))
        )

    first, second = found[::2], found[1::2]
    assert first == second
    assert sorted(each for each in first if each) == ["REF-1", "REF-2", "REF-3", "REF-4"]


# Credits


async def test_a_credit_held_back_is_found_by_session_and_by_start(one: Learned, store_urls: StoreUrls) -> None:
    credit = Credit("CDR1", "S1", NOW, "04A1", "E1")
    assert await one.note_credit(CPO, EMSP, "Credit-1", credit, NOW)
    assert await one.note_credit(CPO, EMSP, "CREDIT-1", credit, NOW + HOUR)

    async with learning(store_urls) as restarted:
        for session_id, start in (("s1", None), ("s1", NOW + HOUR), ("S2", NOW), (None, NOW)):
            assert await group(restarted, shelves.credits_of(CPO, EMSP, session_id, start)) == (credit,)
        for lookup in (
            shelves.credits_of(CPO, EMSP, "S2", NOW + HOUR),
            shelves.credits_of(CPO, EMSP, None, None),
            shelves.credits_of(CPO, OTHER_EMSP, "S1", NOW),
        ):
            assert await group(restarted, lookup) == ()
