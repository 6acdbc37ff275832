"""The journal's way into the store: a bounded buffer, and one task that empties it.

While the database is away entries wait, up to a number; what comes then is dropped, counted, and said: in the metrics,
as an event, and in the journal itself, which gets a gap. Messages go on as ever.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from time import monotonic, time
from typing import Final

import structlog

from hub.event_kinds import EventKind
from hub.events import Events
from hub.journal.bodies import Exchanged, capture_of
from hub.journal.rows import Noted, Row, exchanged_in, row_of
from hub.observability import FilteringBoundLogger, Metrics
from hub.store.journal import Gap, JournalStore
from hub.store.journal_entries import Capture
from hub.store.journal_tables import EntryKey
from hub.store.single_flight import last_written
from hub.store.vault import Vault
from routing.directory import Connection
from routing.errors import HubFault, InvalidParameters

log: FilteringBoundLogger = structlog.get_logger()

WRITE_EVERY_S: Final = 0.25
MOST: Final = 50_000
"""Entries that wait at most."""
_LOT: Final = 64
"""So many messages leave their references, and the bodies these hold, until rows are made of them."""
_LARGE: Final = 64 * 1024
_MOST_CAPTURED: Final = 16 * 1024 * 1024
"""Bytes of bodies that wait at most."""
_AGAIN_AFTER_S: Final = 1.0
_NUMBERS: Final = 1 << 31


class Journal:
    """Takes entries, and writes them a moment later. `readers` get every row that was made, written or not."""

    def __init__(
        self,
        store: JournalStore,
        vault: Vault,
        metrics: Metrics,
        events: Events,
        *,
        readers: Sequence[Callable[[Sequence[Row]], None]] = (),
        write_every_s: float = WRITE_EVERY_S,
        most: int = MOST,
    ) -> None:
        self._store = store
        self._uid_hash: Callable[[str], bytes] = vault.uid_hash
        self._metrics = metrics
        self._events = events
        self._readers = readers
        self._write_every_s = write_every_s
        self._most = most
        self._fresh: list[Noted] = []
        self._rows: deque[Row] = deque()
        self._captures: deque[tuple[EntryKey, Exchanged]] = deque()
        self._captured_bytes = 0
        self._numbers = count(secrets.randbelow(_NUMBERS))
        self._process = secrets.token_hex(16)
        self.dropped = 0
        """Entries that were not kept."""
        self._gap: Gap | None = None
        self._is_away = False
        self._ends = asyncio.Event()
        self._writing: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """Entries that are not written yet."""
        return len(self._rows) + len(self._fresh)

    @property
    def most(self) -> int:
        """Entries that there is room for."""
        return self._most

    def start(self) -> None:
        """Begin to write."""
        self._writing = asyncio.create_task(self._write_until_the_end(), name="writing the journal")

    async def close(self) -> None:
        """Write what is left. It is lost, with a line in the log, when the database is away."""
        await last_written(self._writing, self._ends)
        if self.waiting or self._gap is not None:
            log.error(
                "journal_not_written", entries=self.waiting, dropped=0 if self._gap is None else self._gap.entries
            )

    def note(self, noted: Noted) -> None:
        """Take one entry; never waits, and never fails."""
        fresh = self._fresh
        fresh.append(noted)
        body = noted.trace.body
        if len(fresh) == _LOT or (body is not None and len(body) > _LARGE):
            asyncio.get_running_loop().call_soon(self.make_rows)

    def make_rows(self) -> None:
        """Turn what was noted into rows, which hold nothing but what is written. Readers get those, too."""
        fresh, self._fresh = self._fresh, []
        clock = time() - monotonic()
        made: list[Row] = []
        for noted in fresh:
            number = next(self._numbers) % _NUMBERS
            try:
                row = row_of(noted, number, clock, self._uid_hash)
                made.append(row)
                if len(self._rows) >= self._most:
                    self._drop(1)
                    continue
                self._rows.append(row)
                if noted.trace.is_captured:
                    self._capture(noted, EntryKey(row[0], number))
            except Exception:  # a bug that one message meets must not cost the entries of others
                log.exception("journal_entry_failed", correlation_id=noted.trace.ids.correlation_id)
                self._drop(1)
        for reader in self._readers:
            try:
                reader(made)
            except Exception:  # as above
                log.exception("journal_entries_not_read")

    def _capture(self, noted: Noted, key: EntryKey) -> None:
        if not (_is_on(noted.trace.source, key.time) or _is_on(noted.trace.target, key.time)):
            return
        exchanged = exchanged_in(noted)
        if self._captured_bytes + exchanged.size > _MOST_CAPTURED:
            log.warning("message_not_captured", correlation_id=noted.trace.ids.correlation_id, reason="no room")
            return
        self._captured_bytes += exchanged.size
        self._captures.append((key, exchanged))

    # ------------------------------------------------------------ overflow

    def _drop(self, entries: int) -> None:
        now, gap = datetime.now(UTC), self._gap
        if gap is None:
            log.error("journal_drops_entries", waiting=len(self._rows))
            # Those that were noted, and answered, a moment ago may be missing, too.
            gap = Gap(now - timedelta(seconds=self._write_every_s), now, 0)
        self._gap = Gap(gap.since, now, gap.entries + entries)
        self.dropped += entries
        self._metrics.journal_dropped(entries)

    async def _close_gap(self) -> None:
        if (gap := self._gap) is None:
            return
        await self._store.note_gap(gap, self._process)
        self._gap = None
        self._events.over(EventKind.JOURNAL_DROPPING)
        log.error("journal_dropped_entries", entries=gap.entries, since=gap.since.isoformat())

    # ------------------------------------------------------------ writing

    async def _write_until_the_end(self) -> None:
        is_last, pause_s = False, self._write_every_s
        while not is_last:
            with suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    is_last = await self._ends.wait()
            self.make_rows()
            pause_s = self._write_every_s if await self._write() else _AGAIN_AFTER_S
            self._tell()

    def _tell(self) -> None:
        """Say how far behind it is: also while it writes, which a database that is too slow keeps it from ending."""
        self._metrics.journal_waiting(len(self._rows))
        if self._gap is not None:
            self._events.happened(EventKind.JOURNAL_DROPPING, dropped=self._gap.entries)

    async def _write(self) -> bool:
        """Write all there is; returns whether the database takes it."""
        try:
            while self._rows:
                await self._write_some()
            while self._captures:
                await self._write_capture()
            await self._close_gap()
        except HubFault as error:
            if not self._is_away:
                log.warning("journal_waits", reason=str(error))
            self._is_away = True
            return False
        except Exception:  # a bug in one round must not end all later ones
            log.exception("journal_not_written")
            return False
        self._is_away = False
        return True

    async def _write_some(self) -> None:
        """Entries leave the buffer when they are written: until then they take its room."""
        rows = [self._rows[at] for at in range(min(len(self._rows), self._store.at_once))]
        refused = await self._store.append(rows)
        for _ in rows:
            self._rows.popleft()
        self._metrics.journal_written(len(rows) - refused)
        if refused:
            log.error("journal_entries_refused", entries=refused)
            self._drop(refused)
        self._tell()

    async def _write_capture(self) -> None:
        key, exchanged = self._captures[0]
        capture: Capture = await asyncio.to_thread(capture_of, exchanged)
        try:
            await self._store.keep([(key, capture)])
        except InvalidParameters:
            log.exception("message_not_captured", entry=str(key))
        self._captures.popleft()
        self._captured_bytes -= exchanged.size


def _is_on(connection: Connection | None, at: datetime) -> bool:
    return connection is not None and connection.capture_until is not None and at < connection.capture_until
