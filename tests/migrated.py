"""Databases that have all tables already: copies of one, made in a tenth of the time the migrations take.

Each copy is a directory of its own, as if it had been migrated by itself.
"""

from __future__ import annotations

import asyncio
import functools
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import asyncpg

from hub.store.migrations import migrate
from tests.servers import Postgres


def migrated_file(folder: Path) -> str:
    """Make the SQLite file `hub.db` in this folder, and return its URL. One that is there already stays."""
    path = folder / "hub.db"
    if not path.exists():
        path.write_bytes(_file())
        with closing(sqlite3.connect(path)) as database, database:
            database.execute("UPDATE directory SET identity = ?", [uuid4().hex])
    return f"sqlite+aiosqlite:///{path}"


@functools.cache
def _file() -> bytes:
    with TemporaryDirectory() as folder, ThreadPoolExecutor(1) as elsewhere:  # this thread may be a browser's
        path = Path(folder) / "migrated.db"
        elsewhere.submit(lambda: asyncio.run(migrate(f"sqlite+aiosqlite:///{path}"))).result()
        return path.read_bytes()


class MigratedDatabase:
    """A database of a PostgreSQL to copy."""

    def __init__(self, server: Postgres) -> None:
        self._server = server
        self._name = asyncio.run(self._migrated())

    async def _migrated(self) -> str:
        url = await self._server.create_database()
        await migrate(url)
        return url.rpartition("/")[2]

    async def copied(self) -> str:
        """Make another, and return its URL."""
        url = await self._server.create_database(template=self._name)
        connection = await asyncpg.connect(url.replace("+asyncpg", ""))
        try:
            await connection.execute("UPDATE directory SET identity = $1", uuid4().hex)
        finally:
            await connection.close()
        return url
