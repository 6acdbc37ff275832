from __future__ import annotations

import secrets
from collections.abc import AsyncIterator

import pytest

from hub.store import callback_posts
from hub.store.callback_posts import CallbackPosts
from hub.store.redis import RedisClient, open_redis
from routing.errors import TooManyRequests

pytestmark = pytest.mark.anyio


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[RedisClient]:
    client = open_redis(redis_url)
    yield client
    await client.aclose()


@pytest.fixture
def callback_id() -> str:
    return secrets.token_hex(16)


async def refused(posts: CallbackPosts, callback_id: str) -> int:
    """The seconds to wait."""
    with pytest.raises(TooManyRequests) as refusal:
        await posts.count(callback_id)
    return refusal.value.retry_after_s


async def test_one_result_in_a_second_is_enough_for_all_processes_together(
    redis: RedisClient, callback_id: str
) -> None:
    one, other = CallbackPosts(redis), CallbackPosts(redis)
    await one.count(callback_id)

    assert await refused(one, callback_id) == 1
    assert await refused(other, callback_id) == 1
    await other.count(secrets.token_hex(16))


async def test_twenty_results_in_an_hour_are_enough(
    redis: RedisClient, callback_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callback_posts, "_LIMITS", ((1000, 1), (20, 3600)))
    one, other = CallbackPosts(redis), CallbackPosts(redis)
    for _ in range(10):
        await one.count(callback_id)
        await other.count(callback_id)

    assert 3590 < await refused(one, callback_id) <= 3600
    assert await refused(other, callback_id) > 3590


async def test_a_process_without_redis_counts_for_itself(callback_id: str) -> None:
    posts = CallbackPosts()
    await posts.count(callback_id)

    assert await refused(posts, callback_id) == 1


async def test_a_redis_that_is_gone_keeps_nobody_from_counting(free_tcp_port: int, callback_id: str) -> None:
    client = open_redis(f"redis://127.0.0.1:{free_tcp_port}/0")
    try:
        posts = CallbackPosts(client)
        await posts.count(callback_id)

        assert await refused(posts, callback_id) == 1
    finally:
        await client.aclose()


async def test_a_refused_result_does_not_count(callback_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callback_posts, "_LIMITS", ((1, 1), (2, 3600)))
    posts = CallbackPosts()
    await posts.count(callback_id)
    for _ in range(5):
        await refused(posts, callback_id)

    assert posts._own[1].wait(callback_id) == 0
