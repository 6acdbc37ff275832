"""What failed of one partner is found among all that went well, on PostgreSQL; SQLite goes without."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

_ENDS: Final = ("sender", "receiver", "sender_platform_id", "receiver_platform_id")


def upgrade() -> None:
    """Make the indexes."""
    if op.get_bind().dialect.name == "postgresql":
        for end in _ENDS:
            op.create_index(
                f"ix_journal_failed_{end}",
                "journal",
                [end, "time"],
                unique=False,
                postgresql_where=sa.text("failure IS NOT NULL"),
            )
