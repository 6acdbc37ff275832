from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from hub.store.operator_tokens import PREFIX, OperatorTokens
from routing.errors import InvalidParameters, NoSuchPath
from tests.conftest import StoreUrls
from tests.hub.store.opened import Process, first_process, process

pytestmark = pytest.mark.anyio


@pytest.fixture
async def store(store_urls: StoreUrls) -> AsyncIterator[Process]:
    async with first_process(store_urls) as opened:
        yield opened


@pytest.fixture
def tokens(store: Process) -> OperatorTokens:
    return OperatorTokens(store.database, store.vault)


async def added(tokens: OperatorTokens, name: str = "anna", *, expires_at: datetime | None = None) -> str:
    _, token = await tokens.add(name, role="auditor", platform_id=None, expires_at=expires_at)
    return token.reveal()


async def test_a_token_is_known_by_itself_and_kept_as_a_hash(tokens: OperatorTokens, store: Process) -> None:
    token = await added(tokens)

    assert token.startswith(PREFIX)
    known = await tokens.known(token)
    assert known is not None
    assert (known.name, known.role, known.platform_id) == ("anna", "auditor", None)
    assert await tokens.known(token + "x") is None
    async with store.database.reading() as session:
        rows = (await (await session.connection()).exec_driver_sql("SELECT * FROM operator_tokens")).all()
    assert token not in str(rows)


async def test_a_removed_token_is_worthless_in_every_process_at_once(
    tokens: OperatorTokens, store_urls: StoreUrls
) -> None:
    token = await added(tokens)
    async with process(store_urls) as other:
        elsewhere = OperatorTokens(other.database, other.vault)
        assert await elsewhere.known(token) is not None
        await tokens.remove("anna")

        assert await elsewhere.known(token) is None
    with pytest.raises(NoSuchPath):
        await tokens.remove("anna")


async def test_a_token_ends_when_it_expires(tokens: OperatorTokens) -> None:
    now = datetime.now(UTC)

    assert await tokens.known(await added(tokens, "long", expires_at=now + timedelta(hours=1))) is not None
    assert await tokens.known(await added(tokens, "short", expires_at=now - timedelta(seconds=1))) is None


async def test_a_name_is_given_once_and_free_again_when_its_token_is_removed(tokens: OperatorTokens) -> None:
    await added(tokens)
    with pytest.raises(InvalidParameters, match="anna"):
        await added(tokens)
    await tokens.remove((await tokens.get("anna")).id)

    assert await added(tokens)


async def test_a_platform_of_a_token_has_to_exist(tokens: OperatorTokens, store: Process) -> None:
    record, _ = await store.platforms.create("A partner")
    made, _ = await tokens.add("paul", role="partner", platform_id=record.id, expires_at=None)

    assert made.platform_id == record.id
    with pytest.raises(NoSuchPath):
        await tokens.add("petra", role="partner", platform_id="0" * 32, expires_at=None)


async def test_tokens_are_listed_page_by_page(tokens: OperatorTokens) -> None:
    for name in "abcde":
        await added(tokens, name)
    first = await tokens.page(limit=3, cursor=None)
    second = await tokens.page(limit=3, cursor=first.next_cursor)

    assert [each.name for each in (*first.items, *second.items)] == list("abcde")
    assert second.next_cursor is None
