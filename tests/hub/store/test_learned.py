from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from hub.store import learned as learned_module
from hub.store import remembered, shelves
from hub.store.facts import (
    AliasGiven,
    Fact,
    LocationSeen,
    ObjectShown,
    ReferenceGiven,
    SessionSeen,
    TariffSeen,
    TokenChanged,
    TokenSeen,
    TokenUsed,
)
from hub.store.learned import Learned
from hub.store.remembered import UNKNOWN
from hub.store.shelves import KnownLocation, KnownSession, KnownToken, KnownWay, Lookup, Reference, UsedToken
from hub.store.way_facts import WayLearned
from routing.clues import Index
from routing.translation.questions import TariffFacts
from tests.conftest import StoreUrls
from tests.hub.store.learned_stores import (
    HOUR,
    NOW,
    OTHER_EMSP,
    found_soon,
    group,
    learning,
    seen,
    token,
    written,
)
from tests.hub.store.opened import CPO, EMSP, SOON_S

pytestmark = pytest.mark.anyio

SESSION = KnownSession("S1", EMSP, "ACTIVE", NOW, "DEMSPC00001", "LOC1", token(), NOW)
REFERENCE = Reference("REF-1", "RFID", NOW, "LOC1")
FACTS: list[tuple[Fact, Lookup, Any]] = [
    (seen(token()), shelves.tokens_of_uid("04a1"), (KnownToken(token()),)),
    (seen(token()), shelves.tokens_of_contract("de*msp*c00001"), (KnownToken(token()),)),
    (SessionSeen(CPO, SESSION), shelves.session(CPO, "s1"), SESSION),
    (SessionSeen(CPO, SESSION), shelves.sessions_at(CPO, NOW), (SESSION,)),
    (
        TokenUsed(CPO, EMSP, UsedToken(token(), NOW)),
        shelves.recent(CPO, EMSP, "DE-MSP-C00001"),
        UsedToken(token(), NOW),
    ),
    (ReferenceGiven(CPO, EMSP, "04A1", REFERENCE), shelves.references(CPO, EMSP, "04a1"), (REFERENCE,)),
    (LocationSeen(CPO, "LOC1", False), shelves.location(CPO, "loc1"), KnownLocation(False)),
    (
        TariffSeen(CPO, "T1", TariffFacts("REGULAR", None, "2026-12-31T00:00:00Z")),
        shelves.tariff(CPO, "t1"),
        TariffFacts("REGULAR", None, "2026-12-31T00:00:00Z"),
    ),
    (ObjectShown(EMSP, "locations", CPO, "LOC1"), shelves.shown(EMSP, "locations", CPO, "loc1"), True),
    (AliasGiven(CPO, "Station~0a1b", "Station-1"), shelves.alias(CPO, "STATION~0A1B"), "Station-1"),
    (
        WayLearned(Index.LOCATION, ("LOC1",), CPO, NOW, details=("E1", "E2")),
        shelves.ways(Index.LOCATION, ("LOC1",)),
        (KnownWay(CPO, ("E1", "E2"), NOW, None),),
    ),
    (
        WayLearned(Index.CDR, (*CPO, "CDR1"), EMSP, NOW, NOW + HOUR),
        shelves.ways(Index.CDR, (*CPO, "CDR1")),
        (KnownWay(EMSP, ("",), NOW, NOW + HOUR),),
    ),
]


@pytest.fixture
async def one(store_urls: StoreUrls) -> AsyncIterator[Learned]:
    """What a process has learned. The test runs twice."""
    async with learning(store_urls) as learned:
        yield learned


@pytest.fixture
async def shared_urls(database_url: str, redis_url: str) -> StoreUrls:
    return StoreUrls(database_url, redis_url)


async def test_every_kind_of_fact_is_known_after_a_restart(one: Learned, store_urls: StoreUrls) -> None:
    await written(one, *(fact for fact, _, _ in FACTS))

    async with learning(store_urls) as restarted:
        found = await restarted.groups([lookup for _, lookup, _ in FACTS])

    assert found == {lookup: expected for _, lookup, expected in FACTS}


async def test_every_kind_of_fact_learned_in_one_process_is_known_in_another(shared_urls: StoreUrls) -> None:
    async with learning(shared_urls) as one, learning(shared_urls) as other:
        for fact, _, _ in FACTS:
            one.note(fact)

        for _, lookup, expected in FACTS:
            await found_soon(other, lookup, expected)


async def test_that_nothing_was_learned_is_known_too(one: Learned) -> None:
    lookups = [lookup for _, lookup, _ in FACTS]

    found = await one.groups(lookups)

    assert found == {lookup: shelves.empty(lookup.shelf) for lookup in lookups}


async def test_nothing_is_kept_for_what_is_too_long_to_be_an_identifier(one: Learned) -> None:
    """Who sends such a thing could fill the memory of the hub with it, and Redis."""
    lookups = [shelves.tokens_of_contract("C" * 1000), shelves.session(CPO, "S" * 1000), shelves.tokens_of_uid("0123")]

    found = await one.groups(lookups)

    assert found == {lookup: shelves.empty(lookup.shelf) for lookup in lookups}
    assert [one.remembered.get(lookup) for lookup in lookups] == [UNKNOWN, UNKNOWN, ()]


async def test_a_process_knows_what_it_learned_before_it_is_written(one: Learned) -> None:
    cached = [(fact, lookup, expected) for fact, lookup, expected in FACTS if lookup.shelf not in shelves.READ_FRESH]
    await one.groups([lookup for _, lookup, _ in cached])

    for fact, lookup, expected in cached:
        one.note(fact)
        assert one.remembered.get(lookup) == expected


async def test_what_is_left_is_written_at_the_end(store_urls: StoreUrls) -> None:
    async with learning(store_urls) as one:
        one.note(seen(token()))

    async with learning(store_urls) as restarted:
        assert await group(restarted, shelves.tokens_of_uid("04A1")) == (KnownToken(token()),)


async def test_a_process_gives_up_what_it_read_when_another_learns_more(shared_urls: StoreUrls) -> None:
    lookup = shelves.location(CPO, "LOC1")
    async with learning(shared_urls) as one, learning(shared_urls) as other:
        await written(one, LocationSeen(CPO, "LOC1", True))
        await found_soon(other, lookup, KnownLocation(True))

        await written(one, LocationSeen(CPO, "LOC1", False))

        await found_soon(other, lookup, KnownLocation(False))
        assert other._hears_notices


async def test_what_another_process_has_read_is_taken_from_redis(shared_urls: StoreUrls) -> None:
    lookup = shelves.tokens_of_uid("04A1")
    async with learning(StoreUrls(shared_urls.database_url, None)) as before:
        await written(before, seen(token()))
    async with learning(shared_urls) as one, learning(shared_urls) as other:
        await group(other, lookup)

        async with asyncio.timeout(SOON_S):
            while not await one._from_redis([lookup]):  # noqa: ASYNC110 - the other has put it there behind an answer
                await asyncio.sleep(0.01)
        assert await one._from_redis([lookup]) == {lookup: (KnownToken(token()),)}


async def test_what_is_in_redis_and_cannot_be_read_is_read_from_the_truth(shared_urls: StoreUrls) -> None:
    lookup = shelves.tokens_of_uid("04A1")
    async with learning(shared_urls) as one:
        shared = one._shared
        assert shared is not None
        await shared.put({learned_module._entry(lookup): b"{"}, 10)
        one.note(seen(token()))

        assert await group(one, lookup) == (KnownToken(token()),)


async def test_a_notice_nobody_can_read_makes_a_process_forget_everything(shared_urls: StoreUrls) -> None:
    lookup = shelves.tokens_of_uid("04A1")
    async with learning(shared_urls) as one:
        await group(one, lookup)
        assert one.remembered.get(lookup) == ()
        shared = one._shared
        assert shared is not None

        await shared.forget([], b"nonsense")

        async with asyncio.timeout(10):
            while one.remembered.get(lookup) is not UNKNOWN:  # noqa: ASYNC110 - it comes over Redis, without an event
                await asyncio.sleep(0.01)


async def test_two_owners_of_one_uid_are_kept_side_by_side(one: Learned, store_urls: StoreUrls) -> None:
    theirs = token(OTHER_EMSP, contract_id="FR-OTH-C00002")
    await written(one, seen(token()), seen(theirs), seen(token(type="APP_USER", contract_id="DE-MSP-C00003")))

    await written(one, TokenChanged(OTHER_EMSP, "04a1", None, {"valid": False}))

    async with learning(store_urls) as restarted:
        found = await group(restarted, shelves.tokens_of_uid("04A1"))
    assert {(each.facts.owner, each.facts.type, each.facts.valid) for each in found} == {
        (EMSP, "RFID", True),
        (EMSP, "APP_USER", True),
        (OTHER_EMSP, "RFID", False),
    }


async def test_nobody_can_crowd_out_another_owners_token(one: Learned) -> None:
    many = [seen(token(OTHER_EMSP, type=f"TYPE{number}")) for number in range(300)]
    for fact in (*many, seen(token())):  # of one uid and owner only one is written in a transaction
        await written(one, fact)

    one.remembered.forget_all()
    owners = {each.facts.owner for each in await group(one, shelves.tokens_of_uid("04A1"))}

    assert owners == {EMSP, OTHER_EMSP}


async def test_the_token_seen_first_comes_first(one: Learned) -> None:
    await written(one, seen(token(type="OTHER")))
    await written(one, seen(token(type="APP_USER")))
    await written(one, seen(token(type="OTHER", valid=False)))

    one.remembered.forget_all()

    assert [each.facts.type for each in await group(one, shelves.tokens_of_uid("04A1"))] == ["OTHER", "APP_USER"]


async def test_a_patch_changes_what_it_names_in_every_group(one: Learned, store_urls: StoreUrls) -> None:
    lookups = [shelves.tokens_of_uid("04A1"), shelves.tokens_of_contract("DE-MSP-C00001")]
    await written(one, seen(token()))
    await one.groups(lookups)

    await written(one, TokenChanged(EMSP, "04a1", "RFID", {"valid": False, "last_updated": "2026-02-02T00:00:00Z"}))

    expected = (KnownToken(token(valid=False, last_updated="2026-02-02T00:00:00Z")),)
    assert list((await one.groups(lookups)).values()) == [expected, expected]
    async with learning(store_urls) as restarted:
        assert list((await restarted.groups(lookups)).values()) == [expected, expected]


async def test_a_contract_that_changes_is_found_under_its_new_id_only(one: Learned) -> None:
    await written(one, seen(token()))
    await written(one, TokenChanged(EMSP, "04A1", "RFID", {"contract_id": "DE-MSP-NEW"}))
    one.remembered.forget_all()

    assert await group(one, shelves.tokens_of_contract("DE-MSP-C00001")) == ()
    assert await group(one, shelves.tokens_of_contract("DEMSPNEW")) == (KnownToken(token(contract_id="DE-MSP-NEW")),)


async def test_a_patch_of_a_token_nobody_has_seen_makes_none(one: Learned) -> None:
    await written(one, TokenChanged(EMSP, "04A1", "RFID", {"valid": False}))

    assert await group(one, shelves.tokens_of_uid("04A1")) == ()


async def test_what_is_said_of_one_object_in_a_row_counts_in_that_order(one: Learned, store_urls: StoreUrls) -> None:
    for number in range(5):
        one.note(seen(token(valid=True, last_updated=str(number))))
        one.note(TokenChanged(EMSP, "04A1", "RFID", {"valid": False}))
        one.note(TariffSeen(CPO, "T1", TariffFacts(None, None, None)))
        one.note(TariffSeen(CPO, "T1", None))
    await written(one)

    async with learning(store_urls) as restarted:
        tokens, tariff = shelves.tokens_of_uid("04A1"), shelves.tariff(CPO, "T1")
        assert await restarted.groups([tokens, tariff]) == {
            tokens: (KnownToken(token(valid=False, last_updated="4")),),
            tariff: None,
        }


async def test_a_session_keeps_what_a_later_message_does_not_say(one: Learned, store_urls: StoreUrls) -> None:
    later = NOW + HOUR
    patch = KnownSession("S1", None, "COMPLETED", None, None, None, None, later)
    await written(one, SessionSeen(CPO, SESSION))
    await written(one, SessionSeen(CPO, patch))

    async with learning(store_urls) as restarted:
        found = await group(restarted, shelves.session(CPO, "S1"))
    assert found == KnownSession("S1", EMSP, "COMPLETED", NOW, "DEMSPC00001", "LOC1", token(), later)


async def test_a_token_of_a_command_is_kept_for_good_once_its_owner_pushed_it(one: Learned) -> None:
    lookup = shelves.tokens_of_uid("04A1")
    await written(one, seen(token(), NOW + HOUR))
    one.remembered.forget_all()
    assert await group(one, lookup) == (KnownToken(token(), NOW + HOUR),)

    await written(one, seen(token()))
    await written(one, seen(token(), NOW + 2 * HOUR))
    one.remembered.forget_all()

    assert await group(one, lookup) == (KnownToken(token()),)


@pytest.mark.parametrize(
    "fact",
    [
        seen(token(), NOW + timedelta(days=30)),
        SessionSeen(CPO, SESSION),
        LocationSeen(CPO, "LOC1", True),
        TariffSeen(CPO, "T1", TariffFacts(None, None, None)),
        ObjectShown(EMSP, "tariffs", CPO, "T1"),
        TokenUsed(CPO, EMSP, UsedToken(token(), NOW)),
        WayLearned(Index.LOCATION, ("LOC1",), CPO, NOW, details=("E1", "E2")),
    ],
    ids=lambda fact: type(fact).__name__,
)
async def test_what_is_known_already_is_not_written_again(one: Learned, fact: Fact) -> None:
    await one.groups(fact.lookups)
    await written(one, fact)

    one.note(fact)

    assert one.remembered.is_written


async def test_that_a_session_goes_on_is_written_once_a_day(one: Learned) -> None:
    await one.groups([shelves.session(CPO, "S1")])
    await written(one, SessionSeen(CPO, SESSION))

    one.note(SessionSeen(CPO, KnownSession("S1", None, None, None, None, None, None, NOW + timedelta(hours=23))))
    assert one.remembered.is_written

    one.note(SessionSeen(CPO, KnownSession("S1", None, None, None, None, None, None, NOW + timedelta(hours=25))))
    assert not one.remembered.is_written


async def test_facts_without_room_are_dropped_counted_and_told_once(
    one: Learned, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembered, "MOST_PENDING", 2)
    with capture_logs() as logs:
        for number in range(10):
            one.note(seen(token(uid=f"U{number}")))

    assert one.dropped == 8
    assert [each["event"] for each in logs] == ["learned_facts_dropped"]
    assert await group(one, shelves.tokens_of_uid("U1")) != ()
    assert await group(one, shelves.tokens_of_uid("U2")) == ()


async def test_groups_that_were_read_longest_ago_make_room(one: Learned, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "ROOM", 3)
    lookups = [shelves.tokens_of_uid(f"U{number}") for number in range(5)]
    for lookup in lookups:
        await group(one, lookup)

    assert [one.remembered.get(lookup) is UNKNOWN for lookup in lookups] == [True, True, False, False, False]


async def test_what_one_fact_has_wrong_does_not_keep_later_ones_from_being_written(one: Learned) -> None:
    one.note(seen(token(uid="x" * 300)))
    with capture_logs() as logs:
        await written(one)
    assert [each["event"] for each in logs] == ["learned_facts_refused"]
    assert "x" * 300 not in str(logs)

    await written(one, seen(token()))
    assert await group(one, shelves.tokens_of_uid("04A1")) == (KnownToken(token()),)


async def test_processes_that_learn_the_same_at_once_do_not_block_each_other(shared_urls: StoreUrls) -> None:
    def facts(valid: bool) -> list[Fact]:
        tokens: list[Fact] = [seen(token(uid=f"U{number}", valid=valid)) for number in range(100)]
        locations: list[Fact] = [LocationSeen(CPO, f"L{number}", valid) for number in range(100)]
        return tokens + locations if valid else [*reversed(tokens), *reversed(locations)]

    async with learning(shared_urls) as one, learning(shared_urls) as other:
        with capture_logs() as logs:
            for _ in range(3):
                await asyncio.gather(written(one, *facts(True)), written(other, *facts(False)))

    assert logs == []


def test_facts_about_one_row_are_written_one_after_the_other() -> None:
    one, more, other = seen(token()), seen(token(type="OTHER")), seen(token(uid="04A2"))
    memory = remembered.Remembered(60)
    for fact in (one, other, more):
        assert memory.note(fact)

    assert memory.oldest(10) == [one, other]
    memory.written([one, other])
    assert memory.oldest(10) == [more]


def test_a_second_fact_about_one_row_keeps_no_other_row_waiting() -> None:
    """Of each new Session two are noted: by what was sent, and by what was answered."""
    pending = [replace(SESSION, session_id=f"S{number}", status="PENDING") for number in range(50)]
    memory = remembered.Remembered(60)
    for said in pending:
        assert memory.note(SessionSeen(CPO, said))
        assert memory.note(SessionSeen(CPO, replace(said, status="ACTIVE")))

    for status in ("PENDING", "ACTIVE"):
        together = memory.oldest(500)
        assert together == [SessionSeen(CPO, replace(said, status=status)) for said in pending]
        memory.written(together)
    assert memory.is_written


def test_what_was_read_while_others_changed_it_is_not_kept() -> None:
    memory, lookup = remembered.Remembered(60), shelves.tokens_of_uid("04A1")
    reader = memory.begin_reading([lookup])
    memory.forget([lookup])

    assert memory.end_reading({lookup: ()}, reader) == {lookup: ()}
    assert memory.get(lookup) is UNKNOWN


def test_what_was_written_while_a_group_was_read_makes_the_group_old() -> None:
    memory, lookup, fact = remembered.Remembered(60), shelves.tokens_of_uid("04A1"), seen(token())
    memory.note(fact)
    reader = memory.begin_reading([lookup])
    memory.written([fact])

    memory.end_reading({lookup: ()}, reader)

    assert memory.get(lookup) is UNKNOWN


async def test_what_was_read_before_a_change_does_not_get_into_redis_after_it(shared_urls: StoreUrls) -> None:
    lookup = shelves.tokens_of_uid("04A1")
    async with learning(shared_urls) as one:
        shared = one._shared
        assert shared is not None
        await written(one, seen(token()))

        await one._share(shared, {lookup: ()})

        assert await one._from_redis([lookup]) == {}
        one.remembered.forget_all()
        assert await group(one, lookup) == (KnownToken(token()),)


def test_what_was_learned_while_a_group_was_read_is_in_it() -> None:
    memory, lookup = remembered.Remembered(60), shelves.tokens_of_uid("04A1")
    reader = memory.begin_reading([lookup])
    memory.note(TokenSeen(KnownToken(token())))

    assert memory.end_reading({lookup: ()}, reader) == {lookup: (KnownToken(token()),)}


def test_a_group_counts_as_current_for_a_while_only() -> None:
    now = 0.0
    memory, lookup = remembered.Remembered(60, lambda: now), shelves.tokens_of_uid("04A1")
    memory.end_reading({lookup: ()}, memory.begin_reading([lookup]))

    now = 61.0

    assert memory.get(lookup) is UNKNOWN
    assert memory.get_outdated(lookup) == ()


async def test_a_page_may_ask_about_more_than_one_statement_can_say(one: Learned) -> None:
    lookups = [shelves.session(CPO, f"S{number}") for number in range(1500)]
    assert await one.groups(lookups) == dict.fromkeys(lookups)
