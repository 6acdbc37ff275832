"""What happened to each message."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

_INDEXES: Final = (
    ("correlation_id",),
    ("request_id",),
    ("upstream_request_id",),
)
_INDEXES_ON_POSTGRESQL: Final = (
    ("sender", "time"),
    ("receiver", "time"),
    ("sender_platform_id", "time"),
    ("receiver_platform_id", "time"),
    ("module", "time"),
)
_PARTIAL_INDEXES: Final = (
    (op.f("ix_journal_object_id_time"), ["object_id", "time"], "object_id IS NOT NULL"),
    (op.f("ix_journal_token_hash_time"), ["token_hash", "time"], "token_hash IS NOT NULL"),
    (op.f("ix_journal_callback_hash"), ["callback_hash"], "callback_hash IS NOT NULL"),
    ("ix_journal_failed", ["time"], "failure IS NOT NULL"),
    ("ix_journal_lossy", ["time"], "losses IS NOT NULL"),
)


def upgrade() -> None:
    """Make the tables, and note with each platform until when its messages are captured."""
    with op.batch_alter_table("platforms") as platforms:
        platforms.add_column(sa.Column("capture_until", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "journal",
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("hop", sa.String(20), nullable=False),
        sa.Column("correlation_id", sa.String(128), nullable=False),
        sa.Column("request_id", sa.String(128), nullable=False),
        sa.Column("upstream_request_id", sa.String(128), nullable=True),
        sa.Column("sender", sa.String(6), nullable=True),
        sa.Column("receiver", sa.String(6), nullable=True),
        sa.Column("sender_platform_id", sa.String(32), nullable=True),
        sa.Column("receiver_platform_id", sa.String(32), nullable=True),
        sa.Column("route", sa.String(20), nullable=False),
        sa.Column("module", sa.String(100), nullable=False),
        sa.Column("interface", sa.String(20), nullable=True),
        sa.Column("method", sa.String(10), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("upstream_path", sa.Text(), nullable=True),
        sa.Column("source_version", sa.String(20), nullable=False),
        sa.Column("target_version", sa.String(20), nullable=True),
        sa.Column("http_status", sa.SmallInteger(), nullable=False),
        sa.Column("ocpi_status", sa.Integer(), nullable=False),
        sa.Column("upstream_http_status", sa.SmallInteger(), nullable=True),
        sa.Column("upstream_ocpi_status", sa.Integer(), nullable=True),
        sa.Column("hub_us", sa.BigInteger(), nullable=False),
        sa.Column("upstream_us", sa.BigInteger(), nullable=False),
        sa.Column("losses", sa.Text(), nullable=True),
        sa.Column("object_type", sa.String(20), nullable=True),
        sa.Column("object_id", sa.String(255), nullable=True),
        sa.Column("token_hash", sa.LargeBinary(), nullable=True),
        sa.Column("failure", sa.String(20), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("receivers", sa.Text(), nullable=True),
        sa.Column("callback_hash", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("time", "number", name=op.f("pk_journal")),
        postgresql_partition_by="RANGE (time)",
    )
    on_postgresql = op.get_context().dialect.name == "postgresql"
    for columns in _INDEXES + (_INDEXES_ON_POSTGRESQL if on_postgresql else ()):
        op.create_index(op.f(f"ix_journal_{'_'.join(columns)}"), "journal", list(columns), unique=False)
    for name, indexed, condition in _PARTIAL_INDEXES:
        where = sa.text(condition)
        op.create_index(name, "journal", indexed, unique=False, postgresql_where=where, sqlite_where=where)
    op.create_table(
        "captures",
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("time", "number", name=op.f("pk_captures")),
    )
    op.create_table(
        "journal_gaps",
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("process", sa.String(32), nullable=False),
        sa.Column("entries", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("since", "process", name=op.f("pk_journal_gaps")),
    )
