"""The connections to SQLite: aiosqlite's, except that one may be told to end twice."""

from __future__ import annotations

import asyncio
import sqlite3
from functools import partial
from typing import Any

import aiosqlite

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
    connection._thread.daemon = True  # noqa: SLF001  as SQLAlchemy does: a process that ends does not wait for a locked file
    return connection
