"""Parties behind other hubs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_STATUSES = "'CONNECTED', 'OFFLINE', 'PLANNED', 'SUSPENDED'"
_ROLES = "'CPO', 'EMSP', 'HUB', 'NAP', 'NSP', 'OTHER', 'PTP', 'SCSP'"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "remote_parties",
        sa.Column("platform_id", sa.String(32), nullable=False),
        sa.Column("country_code", sa.String(2), nullable=False),
        sa.Column("party_id", sa.String(3), nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("announced", sa.String(20), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("business_details", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_updated", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(f"announced IN ({_STATUSES})", name=op.f("ck_remote_parties_announced_word")),
        sa.CheckConstraint(
            "country_code = upper(country_code) AND party_id = upper(party_id)",
            name=op.f("ck_remote_parties_upper_case"),
        ),
        sa.CheckConstraint("length(country_code) = 2", name=op.f("ck_remote_parties_country_code_length")),
        sa.CheckConstraint("length(party_id) BETWEEN 1 AND 3", name=op.f("ck_remote_parties_party_id_length")),
        sa.CheckConstraint(f"role IN ({_ROLES})", name=op.f("ck_remote_parties_role_word")),
        sa.CheckConstraint(f"status IN ({_STATUSES})", name=op.f("ck_remote_parties_status_word")),
        sa.ForeignKeyConstraint(["platform_id"], ["platforms.id"], name=op.f("fk_remote_parties_platform_id")),
        sa.PrimaryKeyConstraint("platform_id", "country_code", "party_id", "role", name=op.f("pk_remote_parties")),
    )
    op.create_index(
        op.f("ix_remote_parties_country_code_party_id"), "remote_parties", ["country_code", "party_id"], unique=False
    )
