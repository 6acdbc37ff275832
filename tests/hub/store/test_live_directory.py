from __future__ import annotations

import asyncio

import pytest
from redis.asyncio import Redis
from sqlalchemy import text

from hub.store.database import Database
from hub.store.live_directory import LiveDirectory
from hub.store.platforms import Platforms
from hub.store.truth import Revisions
from hub.store.vault import Vault, VaultError
from routing.directory import Registered
from routing.vocabulary import ConnectionStatus, Party, Secret
from tests.conftest import StoreUrls
from tests.hub.store.opened import CPO, EMSP, HUB, KEY, OUTAGE_S, SOON_S, Process, eventually, process

pytestmark = pytest.mark.anyio

CONNECTED = ConnectionStatus.CONNECTED


async def test_a_change_in_one_process_is_known_in_another_within_a_second(
    store: Process, store_urls: StoreUrls
) -> None:
    async with process(store_urls) as other:
        token = await store.connected(CPO)
        await eventually(lambda: isinstance(other.caller(token), Registered), within_s=SOON_S)
        assert other.status(CPO) is CONNECTED

        await other.platforms.leave(other.registered(token).connection.id)
        await eventually(lambda: store.caller(token) is None, within_s=SOON_S)
        assert store.status(CPO) is ConnectionStatus.SUSPENDED


async def test_two_processes_that_write_at_once_end_with_the_same_directory(
    store: Process, store_urls: StoreUrls
) -> None:
    async with process(store_urls) as other:
        names = [Party("NL", f"P{number:02}") for number in range(8)]
        await asyncio.gather(*(each.connected(party) for each, party in zip([store, other] * 4, names, strict=True)))
        await eventually(lambda: store.snapshot.revision == other.snapshot.revision, within_s=SOON_S)

        for party in names:
            assert store.status(party) is other.status(party) is CONNECTED
        assert set(store.snapshot.callers) == set(other.snapshot.callers)


async def test_a_process_that_starts_later_knows_everything(store: Process, store_urls: StoreUrls) -> None:
    token = await store.connected(CPO)

    async with process(store_urls) as later:
        assert isinstance(later.caller(token), Registered)
        assert later.snapshot.revision == store.snapshot.revision
        assert later.directory.problems() == []


async def test_a_refresh_finds_a_change_nobody_announced(store: Process, store_urls: StoreUrls) -> None:
    """Its writer died between the commit and the rest."""
    async with _dying_writer(store_urls) as writer:
        _, token_a = await writer.create("Volt")

    await store.directory.refresh()

    assert store.caller(token_a) is not None


async def test_a_change_nobody_announced_is_found_within_a_few_seconds_and_put_into_redis(
    store: Process, store_urls: StoreUrls
) -> None:
    await store.connected(EMSP)
    async with _dying_writer(store_urls) as writer:
        _, token_a = await writer.create("Volt")

    await eventually(lambda: store.caller(token_a) is not None, within_s=OUTAGE_S)

    async with process(store_urls) as later:
        assert later.caller(token_a) is not None


async def test_a_change_nobody_announced_is_not_lost_behind_the_next_one(store: Process, store_urls: StoreUrls) -> None:
    async with process(store_urls) as other, _dying_writer(store_urls) as writer:
        _, lost = await writer.create("Lost")
        _, next_one = await store.platforms.create("Next")

        await eventually(lambda: other.caller(next_one) is not None, within_s=SOON_S)
        assert other.caller(lost) is not None


async def test_many_refreshes_at_once_are_few_looks_at_the_truth(store: Process) -> None:
    looks = 0
    compare = store.directory._truth.revisions

    async def counted() -> Revisions:
        nonlocal looks
        looks += 1
        return await compare()

    store.directory._truth.revisions = counted  # type: ignore[method-assign]  # counts, and passes on
    await asyncio.gather(*(store.directory.refresh() for _ in range(100)))

    assert looks <= 3


async def test_a_snapshot_is_replaced_and_never_edited(store: Process) -> None:
    before = store.snapshot
    await store.connected(CPO)

    assert store.snapshot is not before
    assert before.entry(CPO) is None


async def test_only_platforms_that_changed_are_built_anew(store: Process) -> None:
    first = store.registered(await store.connected(CPO)).platform
    await store.connected(EMSP)

    assert store.snapshot.platform(first.id) is first


async def test_another_secret_key_than_the_databases_stops_the_start(store: Process, store_urls: StoreUrls) -> None:
    await store.connected(CPO)

    with pytest.raises(VaultError, match="HUB_SECRET_KEY"):
        async with process(store_urls, key=Secret("another key")):
            pass


async def test_a_connection_that_cannot_be_opened_takes_no_other_with_it(store: Process, store_urls: StoreUrls) -> None:
    broken = store.registered(await store.connected(CPO)).connection
    healthy = await store.connected(EMSP)
    async with store.database.engine.begin() as connection:
        await connection.execute(
            text("UPDATE connections SET our_token = :junk WHERE id = :id"), {"junk": b"junk", "id": broken.id}
        )
    if store_urls.redis_url is not None:
        await _flush(store_urls.redis_url)

    async with process(store_urls) as later:
        assert isinstance(later.caller(healthy), Registered)
        assert later.snapshot.platform(broken.platform_id).connections == ()
        assert later.status(CPO) is CONNECTED


async def test_a_database_that_turns_up_empty_removes_nobody(store: Process) -> None:
    token = await store.connected(CPO)
    async with store.database.engine.begin() as connection:
        for table in (
            "party_roles",
            "parties",
            "endpoints",
            "connections",
            "invitations",
            "platform_statuses",
            "platforms",
        ):
            await connection.execute(text(f"DELETE FROM {table}"))  # noqa: S608 - names from the line above

    await store.directory.refresh()

    assert isinstance(store.caller(token), Registered)
    assert store.directory.problems() != []


async def test_a_backup_that_was_restored_is_taken_over(store: Process, store_urls: StoreUrls) -> None:
    kept = await store.connected(CPO)
    later = store.registered(await store.connected(EMSP)).platform.id
    async with process(store_urls) as other:
        async with store.database.engine.begin() as connection:
            for statement in (
                "DELETE FROM party_roles WHERE country_code = 'DE'",
                "DELETE FROM parties WHERE country_code = 'DE'",
                "DELETE FROM connections WHERE platform_id = :id",
                "DELETE FROM platform_statuses WHERE platform_id = :id",
                "DELETE FROM platforms WHERE id = :id",
            ):
                await connection.execute(text(statement), {"id": later} if ":id" in statement else {})

        for each in (store, other):
            await eventually(lambda each=each: each.status(EMSP) is None, within_s=OUTAGE_S)  # type: ignore[misc]  # mypy cannot type a lambda's default
            assert isinstance(each.caller(kept), Registered)

        again = await store.connected(EMSP)
        await eventually(lambda: other.caller(again) is not None, within_s=SOON_S)


async def test_a_bug_in_the_background_is_survived(store: Process, store_urls: StoreUrls) -> None:
    load = store.directory._load
    failures = 0

    async def fail(*_: object) -> None:
        nonlocal failures
        failures += 1
        raise ZeroDivisionError

    store.directory._load = fail  # type: ignore[method-assign,assignment]  # a bug that is not there yet
    async with _dying_writer(store_urls) as writer:
        _, token_a = await writer.create("Volt")
    await eventually(lambda: failures > 1, within_s=OUTAGE_S)
    store.directory._load = load  # type: ignore[method-assign]  # mended

    await eventually(lambda: store.caller(token_a) is not None, within_s=OUTAGE_S)


async def test_the_age_of_the_snapshot_is_that_of_the_last_look(store: Process) -> None:
    reloads = store.directory.reloads
    await store.connected(CPO)

    assert store.directory.age_s < 3
    assert store.directory.reloads > reloads


class _Silent(LiveDirectory):
    """Of a process that dies before it announces anything."""

    async def announce(self) -> None:
        pass


def _dying_writer(urls: StoreUrls) -> _Writer:
    return _Writer(urls)


class _Writer:
    def __init__(self, urls: StoreUrls) -> None:
        self._database = Database(urls.database_url)

    async def __aenter__(self) -> Platforms:
        vault = Vault(KEY)
        return Platforms(self._database, vault, _Silent(self._database, vault, None), HUB)

    async def __aexit__(self, *_: object) -> None:
        await self._database.close()


async def _flush(url: str) -> None:
    async with Redis.from_url(url) as client:
        await client.flushdb()
