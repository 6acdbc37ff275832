"""Whether a row of the journal is wanted: what `hub.store.journal_filters` says in SQL, for one row at hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import TypeAlias

import msgspec

from hub.live.rows import AT, Row
from hub.store.journal_filters import MessageFilter
from routing.vocabulary import Party

Test: TypeAlias = Callable[[Row], bool]
Pairs: TypeAlias = tuple[tuple[int, object], ...]
"""Places of a row, and what has to stand there."""

_EQUAL = (
    "correlation_id",
    "module",
    "route",
    "object_type",
    "object_id",
    "token_hash",
    "source_version",
    "target_version",
)


def key_of(wanted: MessageFilter) -> bytes:
    """The same for the same filter: how processes speak of it."""
    return msgspec.msgpack.encode(msgspec.structs.replace(wanted, failures=sorted(wanted.failures)))


@lru_cache(256)
def matcher(key: bytes) -> Test:
    """What tells whether a row fits the filter of this key, except for its time.

    Raises:
        msgspec.MsgspecError: it is no key.
    """
    wanted = msgspec.msgpack.decode(key, type=MessageFilter)
    tests = [*_tests(wanted)]
    return tests[0] if len(tests) == 1 else _all(tests)


def _all(tests: Sequence[Test]) -> Test:
    def matches(row: Row) -> bool:
        for test in tests:  # noqa: SIM110 - half as dear as a generator, for each row and filter
            if not test(row):
                return False
        return True

    return matches


def _tests(wanted: MessageFilter) -> Iterator[Test]:
    equal = {name: getattr(wanted, name) for name in _EQUAL}
    if pairs := tuple((AT[name], value) for name, value in equal.items() if value is not None):
        yield _has(pairs)
    yield from _between(wanted)
    if wanted.request_id is not None:
        yield _either(*(((AT[name], wanted.request_id),) for name in ("request_id", "upstream_request_id")))
    yield from _measured(wanted)
    yield from _failing(wanted)
    yield from _losing(wanted)


def _between(wanted: MessageFilter) -> Iterator[Test]:
    """Who sent it, and who received it, one way or either way."""
    party = None if wanted.party is None else str(wanted.party)
    peer_party = str(wanted.peer) if isinstance(wanted.peer, Party) else None
    peer_platform = None if isinstance(wanted.peer, Party) else wanted.peer
    if party is not None or wanted.platform_id is not None:
        one_way = _sent("sender", party, wanted.platform_id) + _sent("receiver", peer_party, peer_platform)
        other_way = _sent("receiver", party, wanted.platform_id) + _sent("sender", peer_party, peer_platform)
        yield _has(one_way) if wanted.one_way else _either(one_way, other_way)
    if wanted.scope is not None:
        yield _either(_sent("sender", None, wanted.scope), _sent("receiver", None, wanted.scope))


def _sent(end: str, party: str | None, platform_id: str | None) -> Pairs:
    values = {end: party, f"{end}_platform_id": platform_id}
    return tuple((AT[name], value) for name, value in values.items() if value is not None)


def _has(pairs: Pairs) -> Test:
    tests = [_is(at, value) for at, value in pairs]
    return tests[0] if len(tests) == 1 else _all(tests)


def _is(at: int, value: object) -> Test:
    return lambda row: bool(row[at] == value)


def _either(one: Pairs, other: Pairs) -> Test:
    first, second = _has(one), _has(other)
    return lambda row: first(row) or second(row)


def _measured(wanted: MessageFilter) -> Iterator[Test]:
    if wanted.statuses is not None:
        first, last = wanted.statuses
        status = AT["ocpi_status"]
        yield lambda row: first <= row[status] <= last
    if wanted.min_ms is not None:
        least_us, hub, upstream = int(wanted.min_ms * 1000), AT["hub_us"], AT["upstream_us"]
        yield lambda row: row[hub] + row[upstream] >= least_us


def _failing(wanted: MessageFilter) -> Iterator[Test]:
    at, failures, failed = AT["failure"], frozenset(wanted.failures), wanted.failed
    if failures:
        yield lambda row: row[at] in failures
    if failed is not None:
        yield lambda row: (row[at] is not None) is failed


def _losing(wanted: MessageFilter) -> Iterator[Test]:
    at, lossy = AT["losses"], wanted.lossy
    if lossy is not None:
        yield lambda row: (row[at] is not None) is lossy
    if wanted.loss is not None:
        written = f'"loss":"{wanted.loss}"'  # the column is JSON text
        yield lambda row: row[at] is not None and written in row[at]
