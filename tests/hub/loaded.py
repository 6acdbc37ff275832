"""Everything that a hub loads to start, in the process from which hubs are forked, see `tests.hub.forked`."""

from __future__ import annotations

import gc

import aiosqlite  # noqa: F401 - to have it, as all of these
import asyncpg  # noqa: F401
import sqlalchemy.dialects.postgresql.asyncpg
import sqlalchemy.dialects.sqlite.aiosqlite  # noqa: F401

import hub.app
import hub.cli
import hub.listener.serving
import hub.store.migrations  # noqa: F401

gc.collect()
gc.freeze()  # no fork has to look through any of it
