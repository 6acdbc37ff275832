"""The ids that partners of 2.1.1 know objects under."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_KINDS = "'location', 'tariff', 'session', 'cdr', 'auth_id'"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "shown_ids",
        sa.Column("viewer", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("shown_key", sa.String(255), nullable=False),
        sa.Column("shown", sa.String(255), nullable=False),
        sa.Column("owner", sa.String(6), nullable=False),
        sa.Column("real_key", sa.String(255), nullable=False),
        sa.Column("real", sa.String(255), nullable=False),
        sa.Column("is_alias", sa.Boolean(), nullable=False),
        sa.CheckConstraint("length(owner) BETWEEN 4 AND 6", name=op.f("ck_shown_ids_owner_length")),
        sa.CheckConstraint("length(shown_key) <= 255", name=op.f("ck_shown_ids_shown_key_length")),
        sa.CheckConstraint("length(shown) <= 255", name=op.f("ck_shown_ids_shown_length")),
        sa.CheckConstraint("length(real_key) <= 255", name=op.f("ck_shown_ids_real_key_length")),
        sa.CheckConstraint("length(real) <= 255", name=op.f("ck_shown_ids_real_length")),
        sa.CheckConstraint(f"kind IN ({_KINDS})", name=op.f("ck_shown_ids_kind_word")),
        sa.ForeignKeyConstraint(["viewer"], ["platforms.id"], name=op.f("fk_shown_ids_viewer")),
        sa.PrimaryKeyConstraint("viewer", "kind", "shown_key", name=op.f("pk_shown_ids")),
        sa.UniqueConstraint(
            "viewer",
            "kind",
            "owner",
            "real_key",
            "is_alias",
            name=op.f("uq_shown_ids_viewer_kind_owner_real_key_is_alias"),
        ),
    )
