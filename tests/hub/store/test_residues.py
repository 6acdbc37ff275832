from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from hub.store import shelves
from hub.store.facts import ResidueLeft
from hub.store.learned import Learned
from hub.store.residues import write_residue
from routing.translation.questions import Residue
from routing.vocabulary import Party
from tests.conftest import StoreUrls
from tests.hub.store.learned_stores import NOW, group, learning, written
from tests.hub.store.opened import CPO, EMSP

pytestmark = pytest.mark.anyio

RESIDUE = Residue("2026-01-01T00:00:00Z", {"min_price": {"excl_vat": Decimal("1.50")}, "type": "REGULAR"})
IDS = ("LOC1", "E1", "1")
WHERE = shelves.residue(CPO, "Connector", ("loc1", "e1", "1"), EMSP)


@pytest.fixture
async def learned(store_urls: StoreUrls) -> AsyncIterator[Learned]:
    async with learning(store_urls) as one:
        yield one


def left(residue: Residue | None = RESIDUE, receiver: Party = EMSP) -> ResidueLeft:
    return ResidueLeft(CPO, "Connector", IDS, receiver, None if residue is None else write_residue(residue), NOW)


async def test_what_was_taken_away_is_found_with_all_its_digits(learned: Learned) -> None:
    assert await group(learned, WHERE) is None

    learned.note(left())

    found = await group(learned, WHERE)
    assert found == RESIDUE
    assert str(found.members["min_price"]["excl_vat"]) == "1.50"


async def test_the_last_push_to_each_receiver_counts(learned: Learned) -> None:
    other = Party("FR", "OTH")
    await written(learned, left(), left(receiver=other))

    await written(learned, left(Residue("2026-01-02T00:00:00Z", {})), left(None, other))

    assert await group(learned, WHERE) == Residue("2026-01-02T00:00:00Z", {})
    assert await group(learned, shelves.residue(CPO, "Connector", IDS, other)) is None


async def test_who_has_only_the_database_cannot_read_it(learned: Learned) -> None:
    await written(learned, left())

    async with learned._database.reading() as session:
        [body] = (await (await session.connection()).execute(text("SELECT body FROM residues"))).scalars()

    assert b"REGULAR" not in body


async def test_what_cannot_be_opened_is_nothing(learned: Learned) -> None:
    await written(learned, left())
    async with learned._database.writing() as session:
        await (await session.connection()).execute(text("UPDATE residues SET object_key = 'LOC1/E1/2'"))

    with capture_logs() as lines:
        assert await group(learned, shelves.residue(CPO, "Connector", ("LOC1", "E1", "2"), EMSP)) is None

    assert [line["event"] for line in lines] == ["residue_unreadable"]
