from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import select

from hub.store import learned_ends, shelves
from hub.store.facts import (
    AliasGiven,
    Fact,
    LocationSeen,
    ObjectShown,
    OwnPush,
    ReferenceGiven,
    ReservationSeen,
    ResidueLeft,
    SessionSeen,
    TariffSeen,
    TokenUsed,
)
from hub.store.learned_tables import ReservationRow
from hub.store.shelves import Credit, KnownLocation, KnownSession, Lookup, Reference, UsedToken
from routing.translation.questions import TariffFacts
from routing.vocabulary import Role
from tests.conftest import StoreUrls
from tests.hub.store.learned_stores import HOUR, NOW, learning, seen, token, written
from tests.hub.store.opened import CPO, EMSP, Process

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)


def aged(days: float, name: str) -> list[tuple[Fact, Lookup]]:
    """Facts of that age, all of which have an end."""
    at = NOW - days * DAY
    session = KnownSession(name, EMSP, "ACTIVE", at, None, None, None, at)
    used = UsedToken(token(contract_id=name), at)
    push = OwnPush("tariffs", CPO, (name,), partial=False, body=b"{}", at=at)
    return [
        (SessionSeen(CPO, session), shelves.session(CPO, name)),
        (TokenUsed(CPO, EMSP, used), shelves.recent(CPO, EMSP, name)),
        (ReferenceGiven(CPO, EMSP, name, Reference(name, "RFID", at, None)), shelves.references(CPO, EMSP, name)),
        (push, shelves.own_push("tariffs", CPO, name)),
        (
            ResidueLeft(CPO, "Tariff", (name,), EMSP, b'{"last_updated":"","members":{}}', at),
            shelves.residue(CPO, "Tariff", (name,), EMSP),
        ),
        (seen(token(uid=name), at + learned_ends.TOKENS_OF_COMMANDS), shelves.tokens_of_uid(name)),
    ]


async def test_everything_is_kept_as_long_as_it_is_said_to_be(store: Process, store_urls: StoreUrls) -> None:
    await store.connected(CPO)
    await store.connected(EMSP, role=Role.EMSP)
    by_age = {days: aged(days, f"OF{days}") for days in (0.9, 1.1, 29, 31, 179, 181, 399, 401)}
    async with learning(store_urls) as learned:
        await written(learned, *(fact for facts in by_age.values() for fact, _ in facts))

        await learned.drop_expired(NOW)

        learned.remembered.forget_all()
        gone = {}
        for days, facts in by_age.items():
            found = await learned.groups([lookup for _, lookup in facts])
            gone[days] = {lookup.shelf.value for lookup, what in found.items() if what in ((), None)}
    assert gone == {
        0.9: set(),
        1.1: {"recent"},
        29: {"recent"},
        31: {"recent", "uid", "residue"},
        179: {"recent", "uid", "residue"},
        181: {"recent", "uid", "residue", "session", "references"},
        399: {"recent", "uid", "residue", "session", "references"},
        401: {"recent", "uid", "residue", "session", "references", "own"},
    }


async def test_numbers_of_reservations_and_credits_end_too(store: Process, store_urls: StoreUrls) -> None:
    credit = Credit("CDR1", "S1", None, None, None)
    async with learning(store_urls) as learned:
        assert await learned.reservation_number(CPO, EMSP, "R1", NOW + 5 * HOUR) is not None
        assert await learned.reservation_number(CPO, EMSP, "R2", NOW + 5 * HOUR) is not None
        await written(learned, ReservationSeen(CPO, EMSP, "r2", None, NOW + HOUR))
        assert await learned.note_credit(CPO, EMSP, "C1", credit, NOW - 401 * DAY)
        assert await learned.note_credit(CPO, EMSP, "C2", credit, NOW - 399 * DAY)

        await learned.drop_expired(NOW + 2 * HOUR)

        assert (await learned.groups([lookup := shelves.credits_of(CPO, EMSP, "S1", None)]))[lookup] == (credit,)
    async with store.database.reading() as session:
        assert (await session.exec(select(ReservationRow.reservation_key))).all() == ["R1"]


async def test_what_belongs_to_a_party_that_left_is_dropped_and_what_was_shown_is_not(
    store: Process, store_urls: StoreUrls
) -> None:
    leaving = store.registered(await store.connected(CPO)).connection
    await store.connected(EMSP, role=Role.EMSP)
    theirs: dict[Lookup, Fact] = {
        shelves.location(CPO, "L1"): LocationSeen(CPO, "L1", True),
        shelves.tariff(CPO, "T1"): TariffSeen(CPO, "T1", TariffFacts(None, None, None)),
        shelves.own_push("locations", CPO, "L1"): OwnPush("locations", CPO, ("L1",), False, b"{}", NOW),
        shelves.tokens_of_uid("CPO-CARD"): seen(token(CPO, "CPO-CARD")),
        shelves.alias(CPO, "LOC~1"): AliasGiven(CPO, "LOC~1", "LOCATION-1"),
        shelves.residue(CPO, "Location", ("L1",), EMSP): ResidueLeft(
            CPO, "Location", ("L1",), EMSP, b'{"last_updated":"","members":{}}', NOW
        ),
    }
    stays: dict[Lookup, Fact] = {
        shelves.tokens_of_uid("04A1"): seen(token()),
        shelves.location(EMSP, "L1"): LocationSeen(EMSP, "L1", True),
        shelves.shown(EMSP, "locations", CPO, "L1"): ObjectShown(EMSP, "locations", CPO, "L1"),
    }
    async with learning(store_urls) as learned:
        await written(learned, *theirs.values(), *stays.values())
        await learned.drop_expired(NOW)
        learned.remembered.forget_all()
        assert (await learned.groups([*theirs]))[shelves.location(CPO, "L1")] == KnownLocation(True)

        await store.platforms.leave(leaving.id)
        await learned.drop_expired(NOW)

    async with learning(StoreUrls(store_urls.database_url, None)) as restarted:
        assert [what for what in (await restarted.groups([*theirs])).values() if what] == []
        assert all((await restarted.groups([*stays])).values())


async def test_more_than_goes_at_once_is_dropped_to_the_end(
    store: Process, store_urls: StoreUrls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learned_ends, "_AT_ONCE", 2)
    await store.connected(EMSP, role=Role.EMSP)
    tokens = [seen(token(uid=f"U{number}"), NOW - HOUR) for number in range(5)]
    async with learning(store_urls) as learned:
        await written(learned, *tokens, seen(token(uid="STAYS")))

        await learned.drop_expired(NOW)

        learned.remembered.forget_all()
        found = await learned.groups([shelves.tokens_of_contract("DE-MSP-C00001")])
    assert [each.facts.uid for tokens_left in found.values() for each in tokens_left] == ["STAYS"]
