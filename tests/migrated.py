"""Databases that have all tables already: copies of one, made in a tenth of the time the migrations take.

Each copy is a directory of its own, as if it had been migrated by itself.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import asyncpg

from hub.store.migrations import migrate
from tests.servers import Postgres


class MigratedFile:
    """A SQLite file to copy."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "migrated.db"
        asyncio.run(migrate(f"sqlite+aiosqlite:///{self._file}"))

    def copied_to(self, folder: Path) -> str:
        """Make `hub.db` in this folder, and return its URL."""
        path = folder / "hub.db"
        shutil.copyfile(self._file, path)
        with closing(sqlite3.connect(path)) as database, database:
            database.execute("UPDATE directory SET identity = ?", [uuid4().hex])
        return f"sqlite+aiosqlite:///{path}"


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
