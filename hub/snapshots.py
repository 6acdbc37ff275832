"""Where the readers of lists of everybody's are, kept from page to page; see `routing.joined_lists`.

All processes share them over Redis, so that the next page can come from any. This one keeps what it has read, too:
without Redis that is all there is, and while Redis does not answer it is what pages go on from.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from time import monotonic
from typing import Final, NamedTuple

import msgspec
import structlog

from hub.observability import FilteringBoundLogger
from hub.store.list_snapshots import KEPT_S, MOST, ListSnapshots
from hub.store.redis import CacheUnreachable
from routing.joined_lists import Part, Snapshot, first_segments, merged
from routing.vocabulary import Party

log: FilteringBoundLogger = structlog.get_logger()

_ID_BYTES: Final = 16
_HERE: Final = 5_000
"""Of all connections."""
_ATTEMPTS: Final = 4
_PAUSE_S: Final = 1.0
"""How long Redis is left alone once it has not answered."""
_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Snapshot).decode


class _Kept(NamedTuple):
    text: bytes
    used: float
    connection_id: str
    request: str
    created: float


class Snapshots:
    """Those of this hub. No method fails: what cannot be had is not there. `clock` gives seconds since 1970."""

    def __init__(self, shared: ListSnapshots | None = None, *, clock: Callable[[], float] = time.time) -> None:
        self._shared = shared
        self._clock = clock
        self._here: dict[str, _Kept] = {}
        self._asked_again_at = 0.0

    def begin(self, requester: Party, connection_id: str, request: str, parts: list[Part]) -> Snapshot:
        """A new one, under an id that nobody can guess. It is kept when it is `kept`."""
        snapshot_id = secrets.token_urlsafe(_ID_BYTES)
        return Snapshot(snapshot_id, requester, connection_id, request, self._clock(), parts, first_segments(parts))

    async def get(self, snapshot_id: str) -> Snapshot | None:
        """The one of this id, if somebody used it in the last half hour."""
        here = self._local(snapshot_id)
        if self._shared is None or self._is_silent:
            return here
        try:
            text = await self._shared.get(snapshot_id)
        except CacheUnreachable as error:
            self._leave_alone(error)
            return here
        return here if text is None else _decode(text)

    async def newest(self, connection_id: str, request: str) -> Snapshot | None:
        """The one that this connection began last for this request."""
        if self._shared is not None and not self._is_silent:
            try:
                snapshot_id = await self._shared.newest(connection_id, request)
            except CacheUnreachable as error:
                self._leave_alone(error)
            else:
                if snapshot_id is not None:
                    return await self.get(snapshot_id)
        its = (snapshot_id for snapshot_id in self._of(connection_id) if self._here[snapshot_id].request == request)
        newest = max(its, key=lambda snapshot_id: self._here[snapshot_id].created, default=None)
        return None if newest is None else self._local(newest)

    async def keep(self, snapshot: Snapshot) -> None:
        """Keep what became of one while a page was read."""
        if self._shared is not None and not self._is_silent:
            try:
                snapshot = await self._share(snapshot, self._shared)
            except CacheUnreachable as error:
                self._leave_alone(error)
        held = self._local(snapshot.id)
        if held is not None and held.revision > snapshot.revision:
            snapshot, snapshot.revision = merged(held, snapshot), held.revision
        snapshot.revision += 1
        self._here.pop(snapshot.id, None)
        self._here[snapshot.id] = _Kept(
            _encode(snapshot), self._clock(), snapshot.connection_id, snapshot.request, snapshot.created
        )
        self._drop(snapshot.connection_id)

    async def _share(self, snapshot: Snapshot, shared: ListSnapshots) -> Snapshot:
        for _ in range(_ATTEMPTS):
            after = msgspec.structs.replace(snapshot, revision=snapshot.revision + 1)
            if await shared.put(
                snapshot.id,
                snapshot.connection_id,
                snapshot.request,
                text=_encode(after),
                revision=snapshot.revision,
                created=snapshot.created,
            ):
                break
            text = await shared.get(snapshot.id)
            if text is not None:
                stored = _decode(text)
                snapshot, snapshot.revision = merged(stored, snapshot), stored.revision
        return snapshot

    def _local(self, snapshot_id: str) -> Snapshot | None:
        kept = self._here.pop(snapshot_id, None)
        if kept is None or kept.used < self._clock() - KEPT_S:
            return None
        self._here[snapshot_id] = kept._replace(used=self._clock())
        return _decode(kept.text)

    def _of(self, connection_id: str) -> list[str]:
        return [snapshot_id for snapshot_id, kept in self._here.items() if kept.connection_id == connection_id]

    def _drop(self, connection_id: str) -> None:
        """Forget what is too old, or too much. The table is in the order of use."""
        dead = self._clock() - KEPT_S
        while self._here:
            first = next(iter(self._here))
            if self._here[first].used >= dead and len(self._here) <= _HERE:
                break
            del self._here[first]
        its = sorted(self._of(connection_id), key=lambda snapshot_id: self._here[snapshot_id].created)
        for snapshot_id in its[:-MOST]:
            del self._here[snapshot_id]

    @property
    def _is_silent(self) -> bool:
        return monotonic() < self._asked_again_at

    def _leave_alone(self, error: CacheUnreachable) -> None:
        log.warning("list_snapshots_not_shared", reason=str(error) or "no answer in time")
        self._asked_again_at = monotonic() + _PAUSE_S
