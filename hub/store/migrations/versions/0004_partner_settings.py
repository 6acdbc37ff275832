"""What settings of partners have to keep: aliases of ids, what objects have lost, results that are due."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the tables, and the columns of callbacks."""
    op.create_table(
        "id_aliases",
        sa.Column("owner", sa.String(6), nullable=False),
        sa.Column("alias_key", sa.String(255), nullable=False),
        sa.Column("original", sa.String(255), nullable=False),
        sa.CheckConstraint("length(alias_key) <= 255", name=op.f("ck_id_aliases_alias_key_length")),
        sa.CheckConstraint("length(original) <= 255", name=op.f("ck_id_aliases_original_length")),
        sa.CheckConstraint("length(owner) BETWEEN 4 AND 6", name=op.f("ck_id_aliases_owner_length")),
        sa.PrimaryKeyConstraint("owner", "alias_key", name=op.f("pk_id_aliases")),
    )
    op.create_table(
        "residues",
        sa.Column("owner", sa.String(6), nullable=False),
        sa.Column("kind", sa.String(100), nullable=False),
        sa.Column("object_key", sa.String(255), nullable=False),
        sa.Column("receiver", sa.String(6), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("length(kind) BETWEEN 1 AND 100", name=op.f("ck_residues_kind_length")),
        sa.CheckConstraint("length(object_key) <= 255", name=op.f("ck_residues_object_key_length")),
        sa.CheckConstraint("length(owner) BETWEEN 4 AND 6", name=op.f("ck_residues_owner_length")),
        sa.CheckConstraint("length(receiver) BETWEEN 4 AND 6", name=op.f("ck_residues_receiver_length")),
        sa.PrimaryKeyConstraint("owner", "kind", "object_key", "receiver", name=op.f("pk_residues")),
    )
    op.create_index(op.f("ix_residues_updated_at"), "residues", ["updated_at"], unique=False)
    op.add_column("callbacks", sa.Column("due_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("callbacks", sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(op.f("ix_callbacks_due_at"), "callbacks", ["due_at"], unique=False)
