"""Who is reachable, and what platforms were told of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the tables, and the columns of the directory and of platforms."""
    op.add_column("directory", sa.Column("term", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("platforms", sa.Column("unreachable_since", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "platform_statuses",
        sa.Column("platform_id", sa.String(32), nullable=False),
        sa.Column("revision", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("cause", sa.String(20), nullable=False),
        sa.Column("why", sa.String(255), nullable=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "cause IN ('registered', 'left', 'suspended', 'resumed', 'no_answer', 'answered')",
            name=op.f("ck_platform_statuses_cause_word"),
        ),
        sa.CheckConstraint(
            "status IN ('CONNECTED', 'OFFLINE', 'PLANNED', 'SUSPENDED')",
            name=op.f("ck_platform_statuses_status_word"),
        ),
        sa.CheckConstraint("length(why) <= 255", name=op.f("ck_platform_statuses_why_length")),
        sa.ForeignKeyConstraint(["platform_id"], ["platforms.id"], name=op.f("fk_platform_statuses_platform_id")),
        sa.PrimaryKeyConstraint("platform_id", "revision", name=op.f("pk_platform_statuses")),
    )
    _tell_what_changes()


def _tell_what_changes() -> None:
    """Make the columns and the table. What changed before now is told to nobody: its revision is 0."""
    for table, column in (
        ("directory", "told_parties"),
        ("directory", "told_agreements"),
        ("platforms", "connected_since"),
        ("parties", "shown_revision"),
        ("parties", "here_since"),
        ("remote_parties", "shown_revision"),
        ("remote_parties", "here_since"),
    ):
        op.add_column(table, sa.Column(column, sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("connections", sa.Column("told_roles", sa.LargeBinary(), nullable=True))
    op.add_column("party_roles", sa.Column("former_since", sa.DateTime(timezone=True), nullable=True))
    op.add_column("party_roles", sa.Column("former_revision", sa.BigInteger(), nullable=False, server_default="0"))
    op.create_table(
        "telling_marks",
        sa.Column("platform_id", sa.String(32), nullable=False),
        sa.Column("subject", sa.String(20), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.String(20), nullable=False),
        sa.CheckConstraint("subject IN ('parties', 'agreements')", name=op.f("ck_telling_marks_subject_word")),
        sa.ForeignKeyConstraint(["platform_id"], ["platforms.id"], name=op.f("fk_telling_marks_platform_id")),
        sa.PrimaryKeyConstraint("platform_id", "subject", name=op.f("pk_telling_marks")),
    )
