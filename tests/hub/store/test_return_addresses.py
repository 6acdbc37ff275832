from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from hub.store.return_addresses import Callback, CdrProxy
from routing.errors import InvalidParameters
from routing.vocabulary import Role
from tests.conftest import StoreUrls
from tests.hub.store.opened import CPO, EMSP, Process, process, registration

pytestmark = pytest.mark.anyio

NOW = datetime.now(UTC)


async def _callback(store: Process) -> Callback:
    receiver = store.registered(await store.connected(CPO))
    originator = store.registered(await store.connected(EMSP, role=Role.EMSP))
    return Callback(
        id="c" * 32,
        response_url="https://emsp.example.com/commands/START_SESSION/1",
        module="commands",
        command="START_SESSION",
        originator_platform_id=originator.platform.id,
        originator=EMSP,
        receiver_platform_id=receiver.platform.id,
        receiver=CPO,
        created_at=NOW,
        expires_at=NOW + timedelta(hours=1),
    )


async def test_a_callback_outlives_a_restart(store: Process, store_urls: StoreUrls) -> None:
    callback = await _callback(store)
    await store.return_addresses.put_callback(callback)

    async with process(store_urls) as restarted:
        assert await restarted.return_addresses.callback(callback.id) == callback
        assert await restarted.return_addresses.callback("0" * 32) is None


async def test_a_callback_can_be_kept_longer_but_not_shorter(store: Process) -> None:
    callback = await _callback(store)
    await store.return_addresses.put_callback(callback)
    later = NOW + timedelta(hours=2)

    await store.return_addresses.extend_callback(callback.id, later)
    await store.return_addresses.extend_callback(callback.id, NOW)
    await store.return_addresses.extend_callback("0" * 32, later)

    kept = await store.return_addresses.callback(callback.id)
    assert kept == msgspec.structs.replace(callback, expires_at=later)


async def test_expired_callbacks_are_dropped(store: Process) -> None:
    callback = await _callback(store)
    await store.return_addresses.put_callback(callback)

    await store.return_addresses.drop_expired_callbacks(NOW)
    assert await store.return_addresses.callback(callback.id) == callback

    await store.return_addresses.drop_expired_callbacks(callback.expires_at)
    assert await store.return_addresses.callback(callback.id) is None


@pytest.mark.parametrize("who", [CPO, EMSP], ids=["receiver", "originator"])
async def test_the_callbacks_of_a_platform_that_leaves_are_dropped(store: Process, who: object) -> None:
    callback = await _callback(store)
    await store.return_addresses.put_callback(callback)
    leaving = callback.receiver_platform_id if who is CPO else callback.originator_platform_id

    [connection] = store.snapshot.platform(leaving).connections
    await store.platforms.leave(connection.id)

    assert await store.return_addresses.callback(callback.id) is None


async def test_a_cdr_can_be_read_again_after_its_receiver_switched_left_and_came_back(store: Process) -> None:
    token = await store.connected(EMSP, role=Role.EMSP)
    connection = store.registered(token).connection
    poster = store.registered(await store.connected(CPO)).platform
    proxy = CdrProxy(
        id="d" * 32,
        receiver=EMSP,
        receiver_url="https://emsp.example.com/cdrs/1",
        poster_platform_id=poster.id,
        poster=CPO,
        created_at=NOW,
    )
    await store.return_addresses.put_cdr_proxy(proxy)

    await store.platforms.leave(connection.id)
    token_a = await store.platforms.invite(connection.platform_id, None)
    await store.platforms.register(store.invitation(token_a), registration(EMSP))

    assert await store.return_addresses.cdr_proxy(proxy.id) == proxy
    assert await store.return_addresses.cdr_proxy("0" * 32) is None


async def test_urls_that_are_too_long_are_refused_on_every_engine(store: Process) -> None:
    callback = msgspec.structs.replace(await _callback(store), response_url="https://" + "x" * 2048)

    with pytest.raises(InvalidParameters):
        await store.return_addresses.put_callback(callback)


async def _due(store: Process, *due: datetime) -> list[Callback]:
    """Callbacks whose results are due then."""
    first = await _callback(store)
    callbacks = [msgspec.structs.replace(first, id=f"{number:032}") for number, _ in enumerate(due)]
    for callback, due_at in zip(callbacks, due, strict=True):
        await store.return_addresses.put_callback(callback)
        await store.return_addresses.expect_result(callback.id, due_at)
    return callbacks


async def test_the_next_result_that_is_due_is_the_first_that_is_not_settled(store: Process) -> None:
    addresses = store.return_addresses
    assert await addresses.next_due() is None
    soon, later = NOW + timedelta(minutes=1), NOW + timedelta(minutes=2)
    [one, other] = await _due(store, soon, later)
    assert addresses.newly_due.is_set()

    assert await addresses.next_due() == soon
    await addresses.settle_callback(one.id, NOW)
    assert await addresses.next_due() == later

    assert await addresses.settle_overdue_callbacks(NOW) == []
    [overdue] = await addresses.settle_overdue_callbacks(later)
    assert overdue == msgspec.structs.replace(other, due_at=later, settled_at=later)
    assert await addresses.next_due() is None


async def test_a_result_that_comes_before_the_answer_to_the_command_is_not_missed(store: Process) -> None:
    callback = await _callback(store)
    await store.return_addresses.put_callback(callback)

    await store.return_addresses.settle_callback(callback.id, NOW)
    await store.return_addresses.expect_result(callback.id, NOW)

    assert await store.return_addresses.next_due() is None
    assert await store.return_addresses.settle_overdue_callbacks(NOW) == []


async def test_processes_that_look_at_once_get_each_overdue_result_once(store: Process, store_urls: StoreUrls) -> None:
    callbacks = await _due(store, *[NOW] * 250)
    async with process(store_urls) as other, process(store_urls) as third:
        processes = [store, other, third] * 3
        found = await asyncio.gather(*(one.return_addresses.settle_overdue_callbacks(NOW) for one in processes))
        rest = await store.return_addresses.settle_overdue_callbacks(NOW)

    assert sorted(each.id for some in [*found, rest] for each in some) == [each.id for each in callbacks]
