"""Who may talk to whom."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make the tables, and the one row that counts changes."""
    changes = op.create_table(
        "agreement_changes",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_agreement_changes_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreement_changes")),
    )
    op.bulk_insert(changes, [{"id": 1, "revision": 0}])
    op.create_table(
        "agreements",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("a", sa.String(6), nullable=False),
        sa.Column("b", sa.String(6), nullable=False),
        sa.Column("pair", sa.String(13), nullable=False),
        sa.Column("modules", sa.Text(), nullable=True),
        sa.Column("sending", sa.String(20), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("turned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("length(id) BETWEEN 32 AND 32", name=op.f("ck_agreements_id_length")),
        sa.CheckConstraint("length(a) BETWEEN 4 AND 6", name=op.f("ck_agreements_a_length")),
        sa.CheckConstraint("length(b) BETWEEN 4 AND 6", name=op.f("ck_agreements_b_length")),
        sa.CheckConstraint("length(pair) BETWEEN 9 AND 13", name=op.f("ck_agreements_pair_length")),
        sa.CheckConstraint("a <> b", name=op.f("ck_agreements_two_parties")),
        sa.CheckConstraint("sending IN ('both', 'a_to_b')", name=op.f("ck_agreements_sending_word")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreements")),
        sa.UniqueConstraint("pair", name=op.f("uq_agreements_pair")),
    )
    for columns in (("a",), ("b",), ("created_at", "id"), ("revision", "id")):
        op.create_index(op.f("ix_agreements_" + "_".join(columns)), "agreements", list(columns), unique=False)
