"""The history of the tables, and how a database is brought up to date.

A revision must work on PostgreSQL and on SQLite, and while hubs of the version before it are running.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, make_url, text
from sqlalchemy.exc import DBAPIError

from hub.store.database import open_engine, reason
from routing.errors import HubFault

_LOCK = 0x0C91_4B00
"""Number of the advisory lock on PostgreSQL: processes that start at once take turns."""
_DIGITS = 4
_PATIENCE_S = 60.0
"""A migration, and the wait for another process that migrates, may take longer than what the hub does otherwise."""


async def migrate(database_url: str) -> None:
    """Bring the database up to date, in one transaction. Processes that do so at once wait for each other.

    Raises:
        HubFault: it does not answer, or refuses.
    """
    engine = open_engine(database_url, patience_s=_PATIENCE_S)
    try:
        _make_folder_of(database_url)
        async with engine.execution_options(hub_begin_immediate=True).begin() as connection:
            await connection.run_sync(_upgrade)
    except (DBAPIError, OSError, TimeoutError) as error:
        raise HubFault(f"The database cannot be migrated: {reason(error)}") from error
    finally:
        await engine.dispose()


def newest() -> str:
    """The number of the last revision there is, which is the form of a database that is up to date."""
    return max(path.name for path in (Path(__file__).parent / "versions").glob("[0-9]*.py"))[:_DIGITS]


def _upgrade(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    command.upgrade(config, "head")


def _make_folder_of(database_url: str) -> None:
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite" and url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
