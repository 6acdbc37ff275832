"""Redis: the client, and every key and channel name the hub uses in it.

The directory's cache is two keys and a channel. Their common hash tag keeps them in one slot of a cluster:

- `ocpi-hub:{identity}:directory:2:records`    hash, platform id to the JSON of its record
- `ocpi-hub:{identity}:directory:2:revisions`  sorted set, platform ids by revision
- `ocpi-hub:{identity}:directory:2:notices`    channel, a word whenever the two have changed, or agreements have

The identity is the database's. The number is the format of a record: it changes when old and new hubs, side
by side during an upgrade, could not read each other's.

The highest score is the revision of the cache: nothing that changed up to it is missing. Whoever writes says
up to where it found the cache complete, and is refused when the cache no longer is, such as after a flush.

What was learned from traffic is one key for each entry of a shelf, which expires soon, and a channel:

- `ocpi-hub:{identity}:learned:1:{entry}`  JSON of what stands there
- `ocpi-hub:{identity}:learned:1:notices`  channel, which entries have changed, and who says so

An entry that has changed is empty for a while, and so keeps its place from those who read the truth before it changed.

How often results were posted on a callback lately is one key for each length of time, see `hub.store.callback_posts`:

- `ocpi-hub:callback-posts:1:{callback id}:{seconds}`  a number, which goes away when the time is over

Messages to and from other hubs are noted while they are under way, see `hub.store.under_way`:

- `ocpi-hub:{identity}:under-way:1:{mark}`  nothing but the fact

Broadcasts that were accepted and are not finished, see `hub.store.accepted_broadcasts`:

- `ocpi-hub:{identity}:broadcasts:1:accepted`       stream, one entry for each; its group says which process has it
- `ocpi-hub:{identity}:broadcasts:1:progress:{id}`  hash, the receivers that are done with, and which one was before it
- `ocpi-hub:{identity}:broadcasts:1:last:{object}`  the last one about an object, by a keyed hash of its id

Which circuits of which processes are open, see `hub.store.shared_circuits`:

- `ocpi-hub:{identity}:circuits:1:states`  hash, `{platform id}/{process}` to when and what that process said of it
- `ocpi-hub:{identity}:circuits:1:orders`  channel, platforms whose circuits are to be closed

What platforms and addresses may still ask for, see `hub.store.shared_buckets`:

- `ocpi-hub:{identity}:buckets:1:{limit}:{key}`  tokens and when there were so many; gone when the bucket is full
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec
from redis.asyncio import Redis, RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisClusterException, RedisError

from hub.store.records import Changes, PlatformRecord, decoded, encoded

RedisClient: TypeAlias = "Redis | RedisCluster"

_ANSWER_S = 1.0
_STEP_S = 2.0
"""How long one step may take, a second attempt on a new connection included."""
_LISTEN_S = 5.0
_EMPTY_S = 10
"""How long an entry that has changed is kept empty: longer than any reading of the truth takes."""

_FAULTS = (RedisError, RedisClusterException, OSError, TimeoutError)

_WRITE: Final = """
local newest = redis.call('ZRANGE', KEYS[2], -1, -1, 'WITHSCORES')
if tonumber(newest[2] or '0') < tonumber(ARGV[1]) then return 0 end
for i = 2, #ARGV, 3 do
    local held = redis.call('ZSCORE', KEYS[2], ARGV[i])
    if not held or tonumber(held) < tonumber(ARGV[i + 1]) then
        redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 2])
        redis.call('ZADD', KEYS[2], ARGV[i + 1], ARGV[i])
    end
end
return 1
"""

_PUT: Final = """
for i = 1, #KEYS do redis.call('SET', KEYS[i], ARGV[i + 1], 'EX', ARGV[1], 'NX') end
"""
_FORGET: Final = """
for i = 2, #KEYS do redis.call('SET', KEYS[i], '', 'EX', ARGV[1]) end
redis.call('PUBLISH', KEYS[1], ARGV[2])
"""


CHANGED: Final = b"changed"
AGREED: Final = b"agreed"
"""Notices of the directory: of platforms, and of agreements, which only the truth has."""


class CacheUnreachable(Exception):
    """Redis does not answer, or not as it should."""


class CacheDamaged(Exception):
    """Part of the cache is missing or cannot be read."""


def open_redis(url: str) -> RedisClient:
    """A client for `redis://…` or `rediss://…`; with `?cluster=true`, of a cluster that has this node.

    It connects when it is used first, and never waits long.
    """
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    is_cluster = query.pop("cluster", "false").lower() == "true"
    url = urlunsplit(parts._replace(query=urlencode(query)))
    limits: dict[str, Any] = {
        "socket_timeout": _ANSWER_S,
        "socket_connect_timeout": _ANSWER_S,
        "health_check_interval": 15,
    }
    if is_cluster:
        return RedisCluster.from_url(url, **limits)
    return Redis.from_url(url, retry=Retry(NoBackoff(), 1), **limits)


class DirectoryCache:
    """The directory as all processes share it. Every method raises CacheUnreachable when Redis does not answer."""

    name = "Redis"

    def __init__(self, client: RedisClient, identity: str) -> None:
        self._client: Any = client  # the two clients have these commands in common, their stubs differ
        prefix = f"ocpi-hub:{{{identity}}}:directory:2"
        self._records = f"{prefix}:records"
        self._revisions = f"{prefix}:revisions"
        self._notices = f"{prefix}:notices"

    async def revision(self) -> int:
        """Up to where the cache is complete; 0 when it is empty."""
        async with answering():
            newest = await self._client.zrange(self._revisions, -1, -1, withscores=True)
        return int(newest[0][1]) if newest else 0

    async def changes(self, since: int, limit: int) -> Changes:
        """Platforms changed after a revision, those that changed first.

        Raises:
            CacheDamaged: a record is missing or cannot be read.
        """
        async with answering():
            found = await self._client.zrange(
                self._revisions, f"({since}", "+inf", byscore=True, offset=0, num=limit, withscores=True
            )
            texts = await self._client.hmget(self._records, [each[0] for each in found]) if found else []
        return Changes(tuple(_readable(texts)), int(found[-1][1]) if found else since)

    async def write(self, since: int, records: Iterable[PlatformRecord]) -> bool:
        """Add everything that changed after `since`. False, and nothing done, when it is not complete up to there."""
        arguments = [part for each in records for part in (each.id, each.revision, encoded(each))]
        async with answering():
            return bool(await self._client.eval(_WRITE, 2, self._records, self._revisions, since, *arguments))

    async def clear(self) -> None:
        """Forget everything."""
        async with answering():
            await self._client.delete(self._records, self._revisions)

    async def notify(self, notice: bytes = CHANGED) -> None:
        """Tell every process that there is something new, here or in the truth."""
        async with answering():
            await self._client.publish(self._notices, notice)

    def notices(self) -> AsyncIterator[bytes | None]:
        """None when listening has begun, then the notices that come. Some get lost on the way."""
        return heard(self._client, self._notices)


class LearnedCache:
    """What was learned, as all processes share it. Every method raises CacheUnreachable when Redis does not answer."""

    def __init__(self, client: RedisClient, identity: str) -> None:
        self._client: Any = client  # as for the directory
        self._prefix = f"ocpi-hub:{{{identity}}}:learned:1"
        self._notices = f"{self._prefix}:notices"

    async def get(self, entries: Sequence[str]) -> list[bytes | None]:
        """What stands at these entries."""
        async with answering():
            texts: list[bytes | None] = await self._client.mget(list(map(self._key, entries)))
        return [text or None for text in texts]

    async def put(self, texts: Mapping[str, bytes], seconds: int) -> None:
        """Let these stand there for so long, where nothing stands, and nothing has changed just now."""
        async with answering():
            await self._client.eval(_PUT, len(texts), *map(self._key, texts), seconds, *texts.values())

    async def forget(self, entries: Sequence[str], notice: bytes) -> None:
        """Forget these entries, and tell every process."""
        keys = [self._notices, *map(self._key, entries)]
        async with answering():
            await self._client.eval(_FORGET, len(keys), *keys, _EMPTY_S, notice)

    def notices(self) -> AsyncIterator[bytes | None]:
        """None when listening has begun, then the notices that come. Some get lost on the way."""
        return heard(self._client, self._notices)

    def _key(self, entry: str) -> str:
        return f"{self._prefix}:{entry}"


async def heard(client: Any, channel_name: str) -> AsyncIterator[bytes | None]:  # noqa: ANN401 - the two clients have these commands in common, their stubs differ
    """None when listening to a channel has begun, then what is said there. Some of it gets lost on the way.

    Raises:
        CacheUnreachable: Redis does not answer.
    """
    try:
        await client.initialize()  # the client of a cluster does not know its nodes before its first command
        async with client.pubsub(ignore_subscribe_messages=True) as channel:
            await channel.subscribe(channel_name)
            yield None
            while True:
                message = await channel.get_message(timeout=_LISTEN_S)
                if message is not None:
                    yield message["data"]
    except _FAULTS as error:
        raise CacheUnreachable(str(error) or type(error).__name__) from error


@asynccontextmanager
async def answering(within_s: float = _STEP_S) -> AsyncIterator[None]:
    """A step that Redis answers in time.

    Raises:
        CacheUnreachable: it does not.
    """
    try:
        async with asyncio.timeout(within_s):
            yield
    except _FAULTS as error:
        raise CacheUnreachable(str(error) or type(error).__name__) from error


def _readable(texts: Iterable[bytes | None]) -> Iterable[PlatformRecord]:
    for text in texts:
        if text is None:
            raise CacheDamaged("a record is missing")
        try:
            yield decoded(text)
        except msgspec.MsgspecError as error:
            raise CacheDamaged("a record cannot be read") from error
