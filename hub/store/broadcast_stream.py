"""What Redis has of accepted broadcasts, command by command; why is said in `hub.store.accepted_broadcasts`.

Every method raises CacheUnreachable when Redis does not answer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import Struct

from hub.store.redis import RedisClient, answering

KEPT_S: Final = 900
"""Longer than any broadcast takes: what is older was forgotten by a crash of all."""
_SOON_S: Final = 0.5
"""How long a sender may be kept."""
_PAGE: Final = 500
_GIVEN_AWAY_MS: Final = 3_600_000
_LONG_GONE_MS: Final = 86_400_000
_GROUP: Final = "hub"

_ACCEPT: Final = """
redis.pcall('XGROUP', 'CREATE', KEYS[1], ARGV[1], '0', 'MKSTREAM')
local entry = redis.call('XADD', KEYS[1], '*', 'id', ARGV[4], 'object', ARGV[5], 'sealed', ARGV[6], 'named', ARGV[7])
redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, entry, 'FORCE', 'JUSTID')
local before = redis.call('GETSET', KEYS[2], ARGV[4])
redis.call('EXPIRE', KEYS[2], ARGV[3])
redis.call('HSET', KEYS[3], '', before or '')
redis.call('EXPIRE', KEYS[3], ARGV[3])
redis.call('SET', KEYS[4], entry, 'EX', ARGV[3])
return {entry, before}
"""
_PROGRESS: Final = """
for i, key in ipairs(KEYS) do
    if redis.call('EXISTS', key) == 1 then
        for _, receiver in ipairs(cjson.decode(ARGV[i])) do redis.call('HSET', key, receiver, '') end
    end
end
"""
_FINISH: Final = """
redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])
redis.call('XDEL', KEYS[1], ARGV[2])
redis.call('DEL', KEYS[2])
if redis.call('GET', KEYS[3]) == ARGV[3] then redis.call('DEL', KEYS[3]) end
if redis.call('GET', KEYS[4]) == ARGV[2] then redis.call('DEL', KEYS[4]) end
"""
_READ: Final = """
return {redis.call('TIME'), redis.call('HGETALL', KEYS[1])}
"""


class Kept(Struct, eq=False):
    """One broadcast that some process has in hand."""

    id: str = ""
    entry: str = ""
    """Where it stands in the stream; nowhere but in this process when empty."""
    object: str = ""
    named: str = ""
    """What its sender calls it, which several may be called."""
    before: str = ""
    """The id of the one before it about the same object, which may not be finished; empty when there was none."""
    is_ours: bool = True
    """No longer when another process took it over, because this one seemed to be gone."""


class Found(NamedTuple):
    """What stands in the stream."""

    kept: Kept
    sealed: bytes
    done: frozenset[str]
    """The receivers that it was done with."""
    age_s: float


class BroadcastStream:
    """The keys of one hub. `name` tells this process from others."""

    def __init__(self, client: RedisClient, identity: str, name: str) -> None:
        self._client: Any = client  # the two clients have these commands in common, their stubs differ
        self._name = name
        self._prefix = f"ocpi-hub:{{{identity}}}:broadcasts:1"
        self._stream = f"{self._prefix}:accepted"

    async def accept(self, kept: Kept, sealed: bytes) -> None:
        """Add one, in the hands of this process; `entry` and `before` of it become known."""
        keys = (self._stream, self._last(kept.object), self._progress(kept.id), self._named(kept.named))
        async with answering(_SOON_S):
            entry, before = await self._client.eval(
                _ACCEPT, 4, *keys, _GROUP, self._name, KEPT_S, kept.id, kept.object, sealed, kept.named
            )
        kept.entry, kept.before = _text(entry), _text(before or b"")

    async def note(self, progress: Mapping[str, Collection[str]]) -> None:
        """Add receivers that these, by id, are done with."""
        texts = map(msgspec.json.encode, progress.values())
        async with answering():
            await self._client.eval(_PROGRESS, len(progress), *map(self._progress, progress), *texts)

    async def finish(self, kept: Kept) -> None:
        """Forget one."""
        keys = (self._stream, self._progress(kept.id), self._last(kept.object), self._named(kept.named))
        async with answering():
            await self._client.eval(_FINISH, 4, *keys, _GROUP, kept.entry, kept.id)

    async def done(self, kept_id: str, receivers: Sequence[str]) -> frozenset[str] | None:
        """Those of the receivers that this is done with; None when it is finished."""
        async with answering():
            first, *rest = await self._client.hmget(self._progress(kept_id), ["", *receivers])
        if first is None:
            return None
        return frozenset(receiver for receiver, mark in zip(receivers, rest, strict=True) if mark is not None)

    async def in_hand(self, idle_s: float) -> list[str]:
        """The entries in the hands of this process that were not touched for so long."""
        found: list[str] = []
        start = "-"
        while True:
            async with answering():
                page = await self._client.xpending_range(
                    self._stream,
                    _GROUP,
                    min=start,
                    max="+",
                    count=_PAGE,
                    consumername=self._name,
                    idle=int(idle_s * 1000),
                )
            found += [_text(each["message_id"]) for each in page]
            if len(page) < _PAGE:
                return found
            start = f"({found[-1]}"

    async def holder(self, entry: str) -> str | None:
        """The process that has this entry in hand."""
        async with answering():
            found = await self._client.xpending_range(self._stream, _GROUP, min=entry, max=entry, count=1)
        return _text(found[0]["consumer"]) if found else None

    async def touch(self, entries: Sequence[str]) -> None:
        """Say that these are in hand."""
        await self._reclaim(entries, 0)

    async def give_away(self, entries: Sequence[str]) -> None:
        """Let others claim these at once."""
        await self._reclaim(entries, _GIVEN_AWAY_MS)

    async def claim(self, idle_s: float) -> list[str]:
        """Take over what was not touched for so long; the oldest first."""
        found: list[str] = []
        start = "0-0"
        while True:
            async with answering():
                following, entries, *_ = await self._client.xautoclaim(
                    self._stream, _GROUP, self._name, int(idle_s * 1000), start, count=_PAGE
                )
            found += [_text(entry) for entry, _ in entries]
            start = _text(following)
            if start == "0-0":
                return found

    async def read(self, entry: str) -> Found | None:
        """What stands there."""
        async with answering():
            for _, fields in await self._client.xrange(self._stream, entry, entry):
                named = _text(fields.get(b"named", b""))  # not of a hub before this one
                kept = Kept(_text(fields[b"id"]), entry, _text(fields[b"object"]), named)
                (seconds, microseconds), marks = await self._client.eval(_READ, 1, self._progress(kept.id))
                known = dict(_pairs(marks))
                kept.before = known.pop("", "")
                age_s = int(seconds) + int(microseconds) / 1e6 - int(entry.partition("-")[0]) / 1e3
                return Found(kept, fields[b"sealed"], frozenset(known), age_s)
        return None

    async def entry_named(self, named: str) -> str | None:
        """Where the newest of this name stands, while it is not finished."""
        async with answering():
            entry = await self._client.get(self._named(named))
        return None if entry is None else _text(entry)

    async def forget_long_gone(self) -> None:
        """Forget the names of processes that ended long ago."""
        async with answering():
            for process in await self._client.xinfo_consumers(self._stream, _GROUP):
                if not process["pending"] and process["idle"] > _LONG_GONE_MS:
                    await self._client.xgroup_delconsumer(self._stream, _GROUP, process["name"])

    async def _reclaim(self, entries: Sequence[str], idle_ms: int) -> None:
        for start in range(0, len(entries), _PAGE):
            some = entries[start : start + _PAGE]
            async with answering():
                await self._client.xclaim(self._stream, _GROUP, self._name, 0, some, idle=idle_ms, justid=True)

    def _progress(self, kept_id: str) -> str:
        return f"{self._prefix}:progress:{kept_id}"

    def _named(self, named: str) -> str:
        return f"{self._prefix}:named:{named}"

    def _last(self, about: str) -> str:
        return f"{self._prefix}:last:{about}"


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _pairs(flat: Sequence[bytes]) -> Iterable[tuple[str, str]]:
    return zip(map(_text, flat[::2]), map(_text, flat[1::2]), strict=True)
