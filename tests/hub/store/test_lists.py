from __future__ import annotations

import pytest

from routing.errors import InvalidParameters
from routing.vocabulary import ConnectionStatus, Party, Role
from tests.hub.store.opened import Process

pytestmark = pytest.mark.anyio


async def test_platforms_are_listed_in_the_order_of_their_creation_page_by_page(store: Process) -> None:
    names = [f"Platform {number}" for number in range(5)]
    for name in names:
        await store.platforms.create(name)

    seen: list[str] = []
    cursor = None
    for expected in (2, 2, 1):
        page = await store.platforms.list(limit=2, cursor=cursor)
        assert len(page.items) == expected
        seen += [each.name for each in page.items]
        cursor = page.next_cursor

    assert seen == names
    assert cursor is None


async def test_a_platform_that_appears_between_two_pages_moves_no_other(store: Process) -> None:
    for name in ("one", "two", "three"):
        await store.platforms.create(name)
    first = await store.platforms.list(limit=2, cursor=None)

    await store.platforms.change(first.items[0].id, name="one, renamed")
    await store.platforms.create("four")
    second = await store.platforms.list(limit=2, cursor=first.next_cursor)

    assert [each.name for each in second.items] == ["three", "four"]


async def test_parties_can_be_found_by_role_status_and_words(store: Process) -> None:
    await store.connected(Party("NL", "VLT"), role=Role.CPO, name="Volt BV")
    await store.connected(Party("DE", "ROM"), role=Role.EMSP, name="Roam 100%")
    await store.platforms.create("Later", parties=[(Party("FR", "LAT"), Role.CPO), (Party("FR", "LAT"), Role.NSP)])

    async def found(
        role: Role | None = None, status: ConnectionStatus | None = None, q: str | None = None
    ) -> list[str]:
        page = await store.parties.list(role=role, status=status, q=q, limit=10, cursor=None)
        return [str(each.party) for each in page.items]

    assert await found() == ["DE*ROM", "FR*LAT", "NL*VLT"]
    assert await found(role=Role.CPO) == ["FR*LAT", "NL*VLT"]
    assert await found(role=Role.CPO, status=ConnectionStatus.PLANNED) == ["FR*LAT"]
    assert await found(q="nl*v") == ["NL*VLT"]
    assert await found(q="volt") == ["NL*VLT"]
    assert await found(q="0%") == ["DE*ROM"]
    assert await found(q="_") == []


async def test_parties_are_listed_page_by_page(store: Process) -> None:
    parties = [Party(country, party_id) for country in ("DE", "NL") for party_id in ("AAA", "BBB")]
    await store.platforms.create("All", parties=[(party, Role.CPO) for party in parties])

    first = await store.parties.list(limit=3, cursor=None)
    second = await store.parties.list(limit=3, cursor=first.next_cursor)

    assert [each.party for each in first.items + second.items] == parties
    assert second.next_cursor is None


@pytest.mark.parametrize("cursor", ["x", "ééé", "bm90aGluZw==", "WzEsMl0=", ""])
async def test_a_cursor_nobody_gave_is_refused(store: Process, cursor: str) -> None:
    with pytest.raises(InvalidParameters):
        await store.platforms.list(limit=2, cursor=cursor)
    with pytest.raises(InvalidParameters):
        await store.parties.list(limit=2, cursor=cursor)
