"""Lists that had to be read as a whole, on disk for a few minutes, so that many pages can be made of one reading.

Each is a file without a name, encrypted with a key that exists nowhere else: when the process ends, however it does,
nothing is left that anybody could read. Several readers share one, and each has a view of it: the objects it may see.
"""

from __future__ import annotations

import asyncio
import secrets
import tempfile
from array import array
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from threading import Lock
from typing import Final, TypeAlias

import structlog
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct

from hub.observability import FilteringBoundLogger
from hub.store.single_flight import cancelled
from routing.errors import NotRoutable, ReceiverTimeout
from routing.vocabulary import Party

log: FilteringBoundLogger = structlog.get_logger()

KEPT_S: Final = 300.0
"""How long a list is kept once it has been read."""
_MIB: Final = 1024 * 1024
_NONCE_BYTES: Final = 12
_LONGEST_S: Final = 600.0
"""How long the reading of one list may go on when nobody waits for it any more."""


class Sizes(Struct, frozen=True):
    """What may be kept."""

    objects: int = 50_000
    """Of one list."""
    bytes: int = 200 * _MIB
    """Of one list."""
    all_bytes: int = 2048 * _MIB


class TooMuch(NotRoutable):
    """A list is longer than what may be kept of it."""

    def __init__(self) -> None:
        super().__init__("The list is too long to be read as a whole; narrow the date range")


class Spool:
    """One list. Its methods block for as long as a disk does."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.size = 0
        """Bytes on disk."""
        self.views: dict[Party, array[int]] = {}
        """Which objects each reader may see."""
        self.answered_at: str | None = None
        """What the partner's first page said about the time."""
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - it is closed with this
        self._cipher = AESGCM(AESGCM.generate_key(256))
        self._ends = array("Q")
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._ends)

    def add(self, objects: Iterable[bytes]) -> None:
        """Append these."""
        with self._lock:
            for each in objects:
                nonce = secrets.token_bytes(_NONCE_BYTES)
                sealed = nonce + self._cipher.encrypt(nonce, each, self._place(len(self._ends)))
                self._file.write(sealed)
                self.size += len(sealed)
                self._ends.append(self.size)

    def read(self, places: Sequence[int]) -> list[bytes]:
        """The objects at these places.

        Raises:
            ReceiverTimeout: they are not kept any more.
        """
        with self._lock:
            if self._file.closed:
                raise ReceiverTimeout("The list was read too long ago")
            return [self._read(place) for place in places]

    def _read(self, place: int) -> bytes:
        start = self._ends[place - 1] if place else 0
        self._file.seek(start)
        sealed = self._file.read(self._ends[place] - start)
        return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], self._place(place))

    def close(self) -> None:
        """Give the room on disk back."""
        with self._lock:
            self._file.close()

    @staticmethod
    def _place(place: int) -> bytes:
        return place.to_bytes(8, "big")


Key: TypeAlias = tuple[str, ...]
Add: TypeAlias = Callable[[Sequence[bytes]], Awaitable[None]]
"""Puts objects into a spool. Raises TooMuch."""
Crawl: TypeAlias = Callable[[Spool, Add], Awaitable[None]]
"""Reads a whole list into a spool."""


class Spools:
    """Those of this process. Every worker reads for itself: a list that a page needs may be read once in each."""

    def __init__(self, folder: Path, *, kept_s: float = KEPT_S, sizes: Sizes | None = None) -> None:
        self._folder = folder
        self._kept_s = kept_s
        self._sizes = sizes or Sizes()
        self._reading: dict[Key, asyncio.Task[Spool]] = {}
        self._spools: set[Spool] = set()

    async def of(self, key: Key, crawl: Crawl, within_s: float) -> Spool:
        """The list of this key, read now if it is not kept. A reading that takes too long goes on, for who comes next.

        Raises:
            ReceiverTimeout: it takes longer than `within_s`.
            HubError: it failed.
        """
        task = self._reading.get(key)
        if task is None:
            task = self._reading[key] = asyncio.create_task(self._read(key, crawl), name="reading a whole list")
            task.add_done_callback(_look_at)  # nobody may be waiting for it any more
        await asyncio.wait({task}, timeout=within_s)
        if not task.done():
            raise ReceiverTimeout("The list takes too long to be read as a whole; it may be there soon")
        return task.result()

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(each.size for each in self._spools)

    def __len__(self) -> int:
        return len(self._spools)

    async def close(self) -> None:
        """Stop every reading, and forget everything."""
        await cancelled([task for task in self._reading.values() if not task.done()])
        self._reading.clear()
        for each in list(self._spools):
            self._drop_spool(each)

    async def _read(self, key: Key, crawl: Crawl) -> Spool:
        try:
            spool = await asyncio.to_thread(Spool, self._folder)
        except OSError as error:
            self._reading.pop(key, None)
            raise _no_room(error) from error
        self._spools.add(spool)
        is_kept = False
        try:
            async with asyncio.timeout(_LONGEST_S):
                await crawl(spool, lambda objects: self._add(spool, objects))
            is_kept = True
        except TooMuch:
            is_kept = True  # it would be again: whoever asks soon is told so at once
            self._drop_spool(spool)
            raise
        except TimeoutError as error:
            raise ReceiverTimeout("The list takes too long to be read as a whole") from error
        except OSError as error:
            raise _no_room(error) from error
        finally:
            if is_kept:
                asyncio.get_running_loop().call_later(self._kept_s, self._drop, key, spool)
            else:
                self._drop(key, spool)
        return spool

    async def _add(self, spool: Spool, objects: Sequence[bytes]) -> None:
        coming, sizes = sum(map(len, objects)), self._sizes
        if len(spool) + len(objects) > sizes.objects or spool.size + coming > sizes.bytes:
            raise TooMuch
        if self.size + coming > sizes.all_bytes:
            raise TooMuch
        await asyncio.to_thread(spool.add, objects)

    def _drop(self, key: Key, spool: Spool) -> None:
        self._reading.pop(key, None)
        self._drop_spool(spool)

    def _drop_spool(self, spool: Spool) -> None:
        self._spools.discard(spool)
        spool.close()


def _no_room(error: OSError) -> NotRoutable:
    log.error("spool_unwritable", reason=str(error), advice="let the hub write into var/spool, or give it more room")
    return NotRoutable("The hub has no room for a list that must be read as a whole")


def _look_at(task: asyncio.Task[Spool]) -> None:
    if not task.cancelled():
        task.exception()
