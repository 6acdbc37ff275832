"""The connections to SQLite: aiosqlite's, except that one may be told to end twice, and last that nobody hears."""

from __future__ import annotations

import asyncio
import sqlite3
from functools import partial
from threading import Thread
from typing import Any
from weakref import ReferenceType, ref

import aiosqlite
from aiosqlite import core

_ROWS = 64
"""Fetched at once, as aiosqlite does unless it is told otherwise."""


class SQLiteConnection(aiosqlite.Connection):
    """A connection with a thread of its own, which ends the first time it is told to."""

    def stop(self) -> asyncio.Future[Any] | None:
        """Have the thread end behind what it was given before. What to wait for; the second time nothing.

        SQLAlchemy stops a connection again when it is cancelled while it closes it. The thread is gone by then, and
        aiosqlite's `close` would wait for its word for ever, and a hub that ends for that.
        """
        return super().stop() if self._running else None


def connect_to_sqlite(path: str, **settings: Any) -> SQLiteConnection:  # noqa: ANN401  those of sqlite3.connect
    """A connection that opens when it is awaited."""
    connection = SQLiteConnection(partial(sqlite3.connect, path, **settings), _ROWS)
    # A daemon, as SQLAlchemy has it: a process that ends does not wait for a locked file.
    connection._thread = Thread(target=_work, args=(connection._tx, ref(connection)), daemon=True)  # noqa: SLF001
    return connection


def _work(orders: core._TxQueue, connection: ReferenceType[SQLiteConnection]) -> None:
    """What the thread does, also when the event loop that it answers has ended meanwhile.

    SQLAlchemy does not wait for a connection to end that it stops while it is cancelled, nor does the loop then.
    """
    while True:
        try:
            core._connection_worker_thread(orders)  # noqa: SLF001  there is no other way to catch what it raises
        except RuntimeError:
            left = connection()
            if left is None or left._connection is None:  # noqa: SLF001  it was the order to end
                return
        else:
            return
