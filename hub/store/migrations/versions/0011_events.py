"""What an operator should know, what operators did, and who they are."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Make the tables."""
    _events()
    _audit()
    _operator_tokens()


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("open_key", sa.String(274), nullable=True),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("platform_id", sa.String(32), nullable=False),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_correlation_id", sa.String(128), nullable=True),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("acknowledged", sa.Text(), nullable=True),
        sa.CheckConstraint("length(id) BETWEEN 36 AND 36", name=op.f("ck_events_id_length")),
        sa.CheckConstraint("length(kind) BETWEEN 1 AND 40", name=op.f("ck_events_kind_length")),
        sa.CheckConstraint("length(platform_id) <= 32", name=op.f("ck_events_platform_id_length")),
        sa.CheckConstraint("length(subject) <= 200", name=op.f("ck_events_subject_length")),
        sa.CheckConstraint("count > 0", name=op.f("ck_events_count_positive")),
        sa.CheckConstraint("(open_key IS NULL) = (closed_at IS NOT NULL)", name=op.f("ck_events_open_or_closed")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
        sa.UniqueConstraint("open_key", name=op.f("uq_events_open_key")),
    )
    op.create_index(op.f("ix_events_platform_id"), "events", ["platform_id"], unique=False)
    op.create_index(op.f("ix_events_opened_at_id"), "events", ["opened_at", "id"], unique=False)
    op.create_index(op.f("ix_events_closed_at"), "events", ["closed_at"], unique=False)


def _audit() -> None:
    head = op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_audit_head_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
    )
    op.bulk_insert(head, [{"id": 1, "number": 0, "mac": bytes(32)}])
    op.create_table(
        "audit",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("of", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(100), nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("source", sa.String(100), nullable=False),
        sa.Column("action", sa.String(100), nullable=False),
        sa.Column("object", sa.String(300), nullable=False),
        sa.Column("platform_id", sa.String(32), nullable=True),
        sa.Column("outcome", sa.String(20), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(500), nullable=True),
        sa.Column("detail", sa.String(1000), nullable=True),
        sa.Column("asked", sa.Text(), nullable=True),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=True),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("length(actor) BETWEEN 1 AND 100", name=op.f("ck_audit_actor_length")),
        sa.CheckConstraint("length(role) BETWEEN 1 AND 20", name=op.f("ck_audit_role_length")),
        sa.CheckConstraint("length(source) <= 100", name=op.f("ck_audit_source_length")),
        sa.CheckConstraint("length(action) BETWEEN 1 AND 100", name=op.f("ck_audit_action_length")),
        sa.CheckConstraint("length(object) <= 300", name=op.f("ck_audit_object_length")),
        sa.CheckConstraint("length(reason) <= 500", name=op.f("ck_audit_reason_length")),
        sa.CheckConstraint("length(detail) <= 1000", name=op.f("ck_audit_detail_length")),
        sa.CheckConstraint("length(mac) = 32", name=op.f("ck_audit_mac_length")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit")),
        sa.UniqueConstraint("of", name=op.f("uq_audit_of")),
    )
    op.create_index(op.f("ix_audit_platform_id"), "audit", ["platform_id"], unique=False)


def _operator_tokens() -> None:
    op.create_table(
        "operator_tokens",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("platform_id", sa.String(32), nullable=True),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("length(id) BETWEEN 36 AND 36", name=op.f("ck_operator_tokens_id_length")),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 100", name=op.f("ck_operator_tokens_name_length")),
        sa.CheckConstraint("length(role) BETWEEN 1 AND 20", name=op.f("ck_operator_tokens_role_length")),
        sa.CheckConstraint("length(token_hash) = 32", name=op.f("ck_operator_tokens_token_hash_length")),
        sa.ForeignKeyConstraint(["platform_id"], ["platforms.id"], name=op.f("fk_operator_tokens_platform_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operator_tokens")),
        sa.UniqueConstraint("name", name=op.f("uq_operator_tokens_name")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_operator_tokens_token_hash")),
    )
    op.create_index(op.f("ix_operator_tokens_platform_id"), "operator_tokens", ["platform_id"], unique=False)
