"""Who ids lead to, for messages that name no receiver."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "ways",
        sa.Column("id_key", sa.String(255), nullable=False),
        sa.Column("owner", sa.String(6), nullable=False),
        sa.Column("leads_by", sa.String(20), nullable=False),
        sa.Column("party", sa.String(6), nullable=False),
        sa.Column("detail", sa.String(255), nullable=False),
        sa.Column("learned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("length(detail) <= 255", name=op.f("ck_ways_detail_length")),
        sa.CheckConstraint("length(id_key) <= 255", name=op.f("ck_ways_id_key_length")),
        sa.CheckConstraint("length(leads_by) <= 20", name=op.f("ck_ways_leads_by_length")),
        sa.CheckConstraint("length(owner) <= 6", name=op.f("ck_ways_owner_length")),
        sa.CheckConstraint("length(party) BETWEEN 4 AND 6", name=op.f("ck_ways_party_length")),
        sa.PrimaryKeyConstraint("id_key", "owner", "leads_by", "party", "detail", name=op.f("pk_ways")),
    )
    op.create_index(op.f("ix_ways_expires_at"), "ways", ["expires_at"], unique=False)
