"""Broadcasts are found among all other messages."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

_IS_BROADCAST: Final = sa.text("route = 'broadcast' AND hop = 'message'")


def upgrade() -> None:
    """Make the index."""
    op.create_index(
        "ix_journal_broadcasts",
        "journal",
        ["time"],
        unique=False,
        postgresql_where=_IS_BROADCAST,
        sqlite_where=_IS_BROADCAST,
    )
