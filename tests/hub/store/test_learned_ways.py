"""Who ids lead to, as it is kept: several parties for one id, what is told of each, and how long it counts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import timedelta

import msgspec
import pytest

from hub.store import remembered, shelves
from hub.store.facts import Fact, TokenNamed
from hub.store.learned import Learned
from hub.store.records import RegisteredParty, Registration
from hub.store.shelves import MOST_DETAILS, MOST_WAYS, KnownToken, KnownWay
from hub.store.way_facts import WayLearned, WayLost
from routing.clues import Index
from routing.directory import CredentialsRole
from routing.vocabulary import Party, Role, Version
from tests.conftest import StoreUrls
from tests.hub.store.learned_stores import HOUR, NOW, OTHER_EMSP, found_soon, group, learning, seen, token, written
from tests.hub.store.opened import CPO, EMSP, Process, registration

pytestmark = pytest.mark.anyio

OTHER_CPO = Party("FR", "CPO")
DAY = timedelta(days=1)
PLACE = shelves.ways(Index.LOCATION, ("LOC1",))


def at_place(party: Party, *evses: str, at: timedelta = timedelta()) -> WayLearned:
    return WayLearned(Index.LOCATION, ("LOC1",), party, NOW + at, details=evses or ("",))


def to_cpo(index: Index, *key: str, at: timedelta = timedelta(), kept: timedelta = 30 * DAY) -> WayLearned:
    return WayLearned(index, key, CPO, NOW + at, NOW + at + kept)


@pytest.fixture
async def one(store_urls: StoreUrls) -> AsyncIterator[Learned]:
    """What a process has learned. The test runs twice."""
    async with learning(store_urls) as learned:
        yield learned


async def test_a_second_owner_of_an_id_joins_the_first(one: Learned, store_urls: StoreUrls) -> None:
    await written(one, at_place(CPO, "E1"), at_place(OTHER_CPO, "E9", at=HOUR))

    expected = (KnownWay(OTHER_CPO, ("E9",), NOW + HOUR, None), KnownWay(CPO, ("E1",), NOW, None))
    assert await group(one, PLACE) == expected
    async with learning(store_urls) as restarted:
        assert await group(restarted, PLACE) == expected


async def test_what_is_told_of_an_owner_by_and_by_is_kept_together(one: Learned, store_urls: StoreUrls) -> None:
    await group(one, PLACE)
    await written(one, at_place(CPO, "E1", "E2"), at_place(CPO, "E3", at=HOUR))

    [here] = await group(one, PLACE)
    async with learning(store_urls) as restarted:
        [there] = await group(restarted, PLACE)
    assert here.details == there.details == ("E3", "E1", "E2")


async def test_one_id_of_two_parties_is_two_ids(one: Learned) -> None:
    await written(
        one,
        WayLearned(Index.CDR, (*CPO, "C1"), EMSP, NOW, NOW + HOUR),
        WayLearned(Index.CDR, (*OTHER_CPO, "C1"), OTHER_EMSP, NOW, NOW + HOUR),
        WayLearned(Index.CDR_GOT, (*EMSP, "C1"), CPO, NOW, NOW + HOUR),
    )
    one.remembered.forget_all()

    ids = ((Index.CDR, CPO), (Index.CDR, OTHER_CPO), (Index.CDR_GOT, EMSP))
    lookups = [shelves.ways(index, (*party, "C1")) for index, party in ids]
    found = await one.groups(lookups)

    assert [[each.party for each in found[lookup]] for lookup in lookups] == [[EMSP], [OTHER_EMSP], [CPO]]


async def test_what_is_lost_is_lost_for_one_party_only(one: Learned, store_urls: StoreUrls) -> None:
    tariff = shelves.ways(Index.TARIFF, ("T1",))
    await group(one, tariff)
    await written(one, *(WayLearned(Index.TARIFF, ("T1",), party, NOW) for party in (CPO, OTHER_CPO)))

    await written(one, WayLost(Index.TARIFF, ("T1",), CPO))

    assert await group(one, tariff) == (KnownWay(OTHER_CPO, ("",), NOW, None),)
    async with learning(store_urls) as restarted:
        assert await group(restarted, tariff) == (KnownWay(OTHER_CPO, ("",), NOW, None),)


async def test_what_is_learned_and_lost_in_a_row_counts_in_that_order(one: Learned, store_urls: StoreUrls) -> None:
    learned, lost = WayLearned(Index.TARIFF, ("T1",), CPO, NOW), WayLost(Index.TARIFF, ("T1",), CPO)
    await written(one, learned, lost, learned, lost, learned)
    async with learning(store_urls) as restarted:
        assert await group(restarted, shelves.ways(Index.TARIFF, ("T1",))) == (KnownWay(CPO, ("",), NOW, None),)


async def test_another_process_hears_of_new_ways_and_of_lost_ones(database_url: str, redis_url: str) -> None:
    urls, tariff = StoreUrls(database_url, redis_url), shelves.ways(Index.TARIFF, ("T1",))
    async with learning(urls) as one, learning(urls) as other:
        assert await group(other, tariff) == ()
        one.note(WayLearned(Index.TARIFF, ("T1",), CPO, NOW))
        await found_soon(other, tariff, (KnownWay(CPO, ("",), NOW, None),))
        one.note(WayLost(Index.TARIFF, ("T1",), CPO))
        await found_soon(other, tariff, ())


async def test_processes_that_learn_the_same_place_at_once_know_all_of_it(database_url: str, redis_url: str) -> None:
    urls = StoreUrls(database_url, redis_url)

    def evses(name: str) -> Iterator[Fact]:
        return (at_place(CPO, f"{name}{number}", "SHARED") for number in range(20))

    async with learning(urls) as one, learning(urls) as other:
        await asyncio.gather(written(one, *evses("A")), written(other, *evses("B")))
    async with learning(urls) as restarted:
        [known] = await group(restarted, PLACE)
    assert set(known.details) == {"SHARED", *(f"{name}{number}" for name in "AB" for number in range(20))}


async def test_nobody_crowds_out_others(one: Learned) -> None:
    """One party tells of more EVSEs than are kept, another of one, long before."""
    await written(one, at_place(OTHER_CPO, "E1", at=-DAY))
    await written(one, at_place(CPO, *(f"E{number:04}" for number in range(MOST_DETAILS + 50))))
    one.remembered.forget_all()

    known = {each.party: each for each in await group(one, PLACE)}

    assert known[OTHER_CPO].details == ("E1",)
    assert len(known[CPO].details) == MOST_DETAILS


async def test_an_id_leads_to_a_limited_number_of_parties(one: Learned) -> None:
    parties = [Party("DE", f"{number:03}") for number in range(MOST_WAYS + 10)]
    await group(one, PLACE)
    await written(one, *(at_place(party, at=number * HOUR) for number, party in enumerate(parties)))
    here = await group(one, PLACE)
    one.remembered.forget_all()

    assert here == await group(one, PLACE)
    assert [each.party for each in here] == parties[: -MOST_WAYS - 1 : -1]


async def test_who_set_the_last_charging_profile_comes_first(one: Learned, store_urls: StoreUrls) -> None:
    key = (*CPO, "S1")
    profiles = [
        WayLearned(Index.PROFILE, key, party, NOW + number * timedelta(seconds=1), NOW + 180 * DAY)
        for number, party in enumerate((EMSP, OTHER_EMSP, EMSP))
    ]
    await group(one, shelves.ways(Index.PROFILE, key))
    for fact in profiles:
        await written(one, fact)

    async with learning(store_urls) as restarted:
        for each in (one, restarted):
            found = await group(each, shelves.ways(Index.PROFILE, key))
            assert [way.party for way in found] == [EMSP, OTHER_EMSP]


async def test_that_a_way_goes_on_is_written_once_a_day_and_never_where_it_has_no_end(one: Learned) -> None:
    contact = (*CPO, "DE*MSP")
    await one.groups([PLACE, shelves.ways(Index.CONTACT, contact)])
    await written(one, at_place(CPO, "E1"), to_cpo(Index.CONTACT, *contact))

    one.note(to_cpo(Index.CONTACT, *contact, at=23 * HOUR))
    one.note(at_place(CPO, "E1", at=100 * DAY))
    assert one.remembered.is_written

    one.note(to_cpo(Index.CONTACT, *contact, at=25 * HOUR))
    assert not one.remembered.is_written


async def test_an_end_that_was_promised_is_not_brought_forward(one: Learned, store_urls: StoreUrls) -> None:
    """A reservation in the far future stays, when a Session at the same place is learned."""
    key = (*EMSP, "LOC1")
    await group(one, shelves.ways(Index.CUSTOMER_AT, key))
    await written(one, to_cpo(Index.CUSTOMER_AT, *key, kept=90 * DAY))
    await written(one, to_cpo(Index.CUSTOMER_AT, *key, at=2 * DAY))

    expected = (KnownWay(CPO, ("",), NOW + 2 * DAY, NOW + 90 * DAY),)
    assert await group(one, shelves.ways(Index.CUSTOMER_AT, key)) == expected
    async with learning(store_urls) as restarted:
        assert await group(restarted, shelves.ways(Index.CUSTOMER_AT, key)) == expected


async def test_ways_end_when_it_was_said_or_when_those_they_are_about_leave(
    store: Process, store_urls: StoreUrls
) -> None:
    leaving = store.registered(await store.connected(CPO)).connection
    await store.connected(EMSP, role=Role.EMSP)
    lasting = [
        at_place(CPO, "E1", at=-1000 * DAY),
        WayLearned(Index.TERMINAL, (*EMSP, "T1"), CPO, NOW),
        WayLearned(Index.TERMINAL, (*CPO, "T1"), EMSP, NOW),
    ]
    dated = [
        WayLearned(Index.CDR, (*CPO, "OLD"), EMSP, NOW, NOW),
        WayLearned(Index.CDR, (*CPO, "C1"), EMSP, NOW, NOW + HOUR),
    ]

    async def left(learned: Learned) -> list[str]:
        learned.remembered.forget_all()
        found = await learned.groups([lookup for fact in (*lasting, *dated) for lookup in fact.lookups])
        return sorted("/".join(lookup.key) for lookup, ways in found.items() if ways)

    async with learning(store_urls) as learned:
        await written(learned, *lasting, *dated)
        await learned.drop_expired(NOW)
        assert await left(learned) == [
            "cdr/NL/CPO/C1",
            "location/LOC1",
            "terminal/DE/MSP/T1",
            "terminal/NL/CPO/T1",
        ]

        await store.platforms.leave(leaving.id)
        await learned.drop_expired(NOW)

        assert await left(learned) == ["cdr/NL/CPO/C1"]


async def test_what_is_known_of_a_party_behind_another_hub_stays_while_that_hub_announces_it(
    store: Process, store_urls: StoreUrls
) -> None:
    def peer(*behind: RegisteredParty) -> Registration:
        its = registration(Party("BE", "KNO"), role=Role.HUB, version=Version.V2_3_0, is_hub=True)
        return msgspec.structs.replace(its, remote=behind)

    there = RegisteredParty(CPO, (CredentialsRole(Role.CPO, {"name": "Behind"}),))
    _, token_a = await store.platforms.create("Knot", allow_hub=True)
    peers = store.registered(await store.platforms.register(store.invitation(token_a), peer(there))).connection
    async with learning(store_urls) as learned:
        await written(learned, at_place(CPO, "E1"), seen(token(CPO)))
        await learned.drop_expired(NOW)
        learned.remembered.forget_all()
        assert all((await learned.groups([PLACE, shelves.tokens_of_uid("04A1")])).values())

        await store.platforms.reregister(peers.id, peer())
        await learned.drop_expired(NOW)

        learned.remembered.forget_all()
        assert not any((await learned.groups([PLACE, shelves.tokens_of_uid("04A1")])).values())


async def test_a_token_that_is_only_named_takes_nothing_away_from_one_that_is_known(
    one: Learned, store_urls: StoreUrls
) -> None:
    lookup = shelves.tokens_of_uid("04A1")
    named = TokenNamed(KnownToken(token(contract_id="OTHER"), NOW + HOUR))
    await group(one, lookup)
    await written(one, seen(token(valid=False)))
    await written(one, named)
    await written(one, TokenNamed(KnownToken(token(OTHER_EMSP), NOW + HOUR)))

    expected = (KnownToken(token(valid=False)), KnownToken(token(OTHER_EMSP), NOW + HOUR))
    assert await group(one, lookup) == expected
    async with learning(store_urls) as restarted:
        assert await group(restarted, lookup) == expected


# What is told again and again


async def test_facts_of_a_topic_are_made_once_an_hour(one: Learned, monkeypatch: pytest.MonkeyPatch) -> None:
    now, made = 0.0, 0
    monkeypatch.setattr(one.remembered, "_clock", lambda: now)

    def facts() -> Iterator[Fact]:
        nonlocal made
        made += 1
        yield at_place(CPO, "E1")

    for _ in range(3):
        one.note_once(1, facts())
    assert made == 1

    one.note_once(2, facts())
    now = remembered.TOLD_S + 1
    one.note_once(1, facts())
    assert made == 3


async def test_a_topic_that_had_no_room_is_taken_up_again(one: Learned, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "MOST_PENDING", 0)
    one.note_once(1, iter([at_place(CPO, "E1")]))
    assert one.dropped == 1
    monkeypatch.undo()

    one.note_once(1, iter([at_place(CPO, "E1")]))
    await written(one)

    assert await group(one, PLACE) == (KnownWay(CPO, ("E1",), NOW, None),)


async def test_topics_told_longest_ago_make_room(one: Learned, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "MOST_TOLD", 3)
    nothing: Iterable[Fact] = ()
    for topic in (1, 2, 3, 1, 4):
        one.note_once(topic, nothing)

    assert [one.remembered.is_told(topic) for topic in (1, 2, 3, 4)] == [False, True, True, True]
