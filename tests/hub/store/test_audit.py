from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from hub.store.audit import AuditLine, AuditLog, AuditSearch, Outcome
from hub.store.database import Database
from hub.store.vault import Vault
from routing.errors import HubFault, InvalidParameters
from tests.conftest import StoreUrls
from tests.hub.store.opened import KEY

pytestmark = pytest.mark.anyio

BEGUN = AuditLine(
    actor="anna",
    role="operator",
    source="cli 127.0.0.1",
    action="platform.suspend",
    object="platforms/p1",
    platform_id="p1",
    outcome=Outcome.BEGUN,
    reason="they asked for it",
)
DONE = replace(BEGUN, outcome=Outcome.DONE, status=200, before='{"status":"CONNECTED"}', after='{"status":"SUSPENDED"}')


@pytest.fixture
async def database(store_urls: StoreUrls) -> AsyncIterator[Database]:
    found = Database(store_urls.database_url)
    yield found
    await found.close()


@pytest.fixture
def log(database: Database) -> AuditLog:
    return AuditLog(database, Vault(KEY))


async def listed(log: AuditLog, **search: object) -> list[str]:
    page = await log.page(AuditSearch(**search), limit=200, cursor=None)  # type: ignore[arg-type]  # what a test asks for
    return [each.id for each in page.items]


async def change(database: Database, statement: str) -> None:
    async with database.writing() as session:
        await (await session.connection()).exec_driver_sql(statement)


async def test_an_action_is_one_entry_from_its_beginning_to_its_end(log: AuditLog) -> None:
    begun = await log.append(BEGUN)
    [entry] = (await log.page(AuditSearch(), limit=10, cursor=None)).items
    assert (entry.line.outcome, entry.ended_at) == (Outcome.BEGUN, None)
    await log.append(DONE, of=begun)

    [entry] = (await log.page(AuditSearch(), limit=10, cursor=None)).items
    assert entry.id == "1"
    assert entry.line == DONE
    assert entry.ended_at is not None
    assert entry.ended_at >= entry.at


async def test_lines_of_many_processes_at_once_follow_one_another(log: AuditLog, store_urls: StoreUrls) -> None:
    others = [Database(store_urls.database_url) for _ in range(3)]
    logs = [log, *(AuditLog(each, Vault(KEY)) for each in others)]
    numbers = await asyncio.gather(*(each.append(BEGUN) for each in logs for _ in range(5)))
    found = await log.verify()
    for each in others:
        await each.close()

    assert sorted(numbers) == list(range(1, 21))
    assert (found.verifies, found.lines) == (True, 20)


async def test_an_empty_log_is_as_it_was_written(log: AuditLog) -> None:
    found = await log.verify()

    assert (found.verifies, found.lines, found.number) == (True, 0, 0)


@pytest.mark.parametrize(
    ("statement", "broken_at"),
    [
        ("UPDATE audit SET actor = 'bert' WHERE number = 3", "3"),
        ("UPDATE audit SET after = NULL WHERE number = 2", "2"),
        ("DELETE FROM audit WHERE number = 4", "4"),
        ("DELETE FROM audit WHERE number = 5", "5"),
        ("UPDATE audit SET number = 60 WHERE number = 5", "5"),
    ],
)
async def test_a_line_that_was_changed_in_the_database_does_not_verify(
    log: AuditLog, database: Database, statement: str, broken_at: str
) -> None:
    for _ in range(5):
        await log.append(DONE)
    assert (await log.verify()).verifies
    await change(database, statement)

    found = await log.verify()
    assert (found.verifies, found.broken_at) == (False, broken_at)


async def test_a_log_of_another_key_does_not_verify(log: AuditLog, database: Database) -> None:
    await log.append(DONE)
    other = AuditLog(database, Vault(type(KEY)("another key than that")))

    assert not (await other.verify()).verifies


async def test_actions_are_found_by_who_what_about_what_and_when(log: AuditLog) -> None:
    await log.append(DONE)
    await log.append(replace(DONE, actor="bert", action="token.add", object="tokens/t1", platform_id=None))
    made = await log.append(replace(BEGUN, action="platform.add", object="platforms", platform_id=None))
    await log.append(replace(DONE, action="platform.add", object="platforms/p2", platform_id="p2"), of=made)
    now = datetime.now(UTC)

    assert await listed(log) == ["3", "2", "1"]
    assert await listed(log, actor="bert") == ["2"]
    assert await listed(log, action="platform") == ["3", "1"]
    assert await listed(log, action="platform.suspend") == ["1"]
    assert await listed(log, action="plat") == []
    assert await listed(log, object="p2") == ["3"]
    assert await listed(log, object="%") == []
    assert await listed(log, platform_id="p2") == ["3"]
    assert await listed(log, since=now - timedelta(minutes=5), until=now + timedelta(minutes=5)) == ["3", "2", "1"]
    assert await listed(log, since=now + timedelta(minutes=5)) == []


async def test_the_list_goes_on_at_its_cursor(log: AuditLog) -> None:
    for _ in range(5):
        await log.append(DONE)
    first = await log.page(AuditSearch(), limit=3, cursor=None)
    await log.append(DONE)
    second = await log.page(AuditSearch(), limit=3, cursor=first.next_cursor)

    assert [each.id for each in (*first.items, *second.items)] == ["5", "4", "3", "2", "1"]
    assert second.next_cursor is None
    with pytest.raises(InvalidParameters):
        await log.page(AuditSearch(), limit=3, cursor="none of ours")


async def test_a_line_that_cannot_be_written_is_a_hub_fault() -> None:
    database = Database("postgresql+asyncpg://postgres@127.0.0.1:1/hub")
    with pytest.raises(HubFault):
        await AuditLog(database, Vault(KEY)).append(BEGUN)
    await database.close()
