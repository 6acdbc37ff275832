"""What is learned from traffic."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make its tables."""
    op.create_table(
        "learned_tokens",
        sa.Column("uid_key", sa.String(255), nullable=False),
        sa.Column("owner", sa.String(6), nullable=False),
        sa.Column("type", sa.String(255), nullable=False),
        sa.Column("uid", sa.String(255), nullable=False),
        sa.Column("contract_id", sa.String(255), nullable=False),
        sa.Column("contract_key", sa.String(255), nullable=False),
        sa.Column("valid", sa.Boolean(), nullable=False),
        sa.Column("last_updated", sa.String(255), nullable=False),
        sa.Column("issuer", sa.String(255), nullable=True),
        sa.Column("first_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("length(contract_id) <= 255", name=op.f("ck_learned_tokens_contract_id_length")),
        sa.CheckConstraint("length(contract_key) <= 255", name=op.f("ck_learned_tokens_contract_key_length")),
        sa.CheckConstraint("length(issuer) <= 255", name=op.f("ck_learned_tokens_issuer_length")),
        sa.CheckConstraint("length(last_updated) <= 255", name=op.f("ck_learned_tokens_last_updated_length")),
        sa.CheckConstraint("length(owner) BETWEEN 4 AND 6", name=op.f("ck_learned_tokens_owner_length")),
        sa.CheckConstraint("length(type) <= 255", name=op.f("ck_learned_tokens_type_length")),
        sa.CheckConstraint("length(uid_key) <= 255", name=op.f("ck_learned_tokens_uid_key_length")),
        sa.CheckConstraint("length(uid) <= 255", name=op.f("ck_learned_tokens_uid_length")),
        sa.PrimaryKeyConstraint("uid_key", "owner", "type", name=op.f("pk_learned_tokens")),
    )
    op.create_index(op.f("ix_learned_tokens_contract_key"), "learned_tokens", ["contract_key"], unique=False)
    op.create_index(op.f("ix_learned_tokens_expires_at"), "learned_tokens", ["expires_at"], unique=False)
    op.create_table(
        "learned_tariffs",
        sa.Column("tariff_key", sa.String(255), nullable=False),
        sa.Column("owner", sa.String(6), nullable=False),
        sa.Column("type", sa.String(255), nullable=True),
        sa.Column("start_date_time", sa.String(255), nullable=True),
        sa.Column("end_date_time", sa.String(255), nullable=True),
        sa.CheckConstraint("length(end_date_time) <= 255", name=op.f("ck_learned_tariffs_end_date_time_length")),
        sa.CheckConstraint("length(owner) BETWEEN 4 AND 6", name=op.f("ck_learned_tariffs_owner_length")),
        sa.CheckConstraint("length(start_date_time) <= 255", name=op.f("ck_learned_tariffs_start_date_time_length")),
        sa.CheckConstraint("length(tariff_key) <= 255", name=op.f("ck_learned_tariffs_tariff_key_length")),
        sa.CheckConstraint("length(type) <= 255", name=op.f("ck_learned_tariffs_type_length")),
        sa.PrimaryKeyConstraint("tariff_key", "owner", name=op.f("pk_learned_tariffs")),
    )
    op.create_table(
        "learned_locations",
        sa.Column("location_key", sa.String(255), nullable=False),
        sa.Column("owner", sa.String(6), nullable=False),
        sa.Column("publish", sa.Boolean(), nullable=True),
        sa.CheckConstraint("length(location_key) <= 255", name=op.f("ck_learned_locations_location_key_length")),
        sa.CheckConstraint("length(owner) BETWEEN 4 AND 6", name=op.f("ck_learned_locations_owner_length")),
        sa.PrimaryKeyConstraint("location_key", "owner", name=op.f("pk_learned_locations")),
    )
    op.create_table(
        "learned_sessions",
        sa.Column("session_key", sa.String(255), nullable=False),
        sa.Column("owner", sa.String(6), nullable=False),
        sa.Column("session_id", sa.String(255), nullable=False),
        sa.Column("emsp", sa.String(6), nullable=True),
        sa.Column("status", sa.String(255), nullable=True),
        sa.Column("start", sa.DateTime(timezone=True), nullable=True),
        sa.Column("auth_key", sa.String(255), nullable=True),
        sa.Column("location_key", sa.String(255), nullable=True),
        sa.Column("token", sa.Text(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("length(auth_key) <= 255", name=op.f("ck_learned_sessions_auth_key_length")),
        sa.CheckConstraint("length(emsp) BETWEEN 4 AND 6", name=op.f("ck_learned_sessions_emsp_length")),
        sa.CheckConstraint("length(location_key) <= 255", name=op.f("ck_learned_sessions_location_key_length")),
        sa.CheckConstraint("length(owner) BETWEEN 4 AND 6", name=op.f("ck_learned_sessions_owner_length")),
        sa.CheckConstraint("length(session_id) <= 255", name=op.f("ck_learned_sessions_session_id_length")),
        sa.CheckConstraint("length(session_key) <= 255", name=op.f("ck_learned_sessions_session_key_length")),
        sa.CheckConstraint("length(status) <= 255", name=op.f("ck_learned_sessions_status_length")),
        sa.PrimaryKeyConstraint("session_key", "owner", name=op.f("pk_learned_sessions")),
    )
    op.create_index(op.f("ix_learned_sessions_owner_start"), "learned_sessions", ["owner", "start"], unique=False)
    op.create_index(op.f("ix_learned_sessions_updated_at"), "learned_sessions", ["updated_at"], unique=False)
    op.create_table(
        "authorization_references",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("cpo", sa.String(6), nullable=False),
        sa.Column("emsp", sa.String(6), nullable=False),
        sa.Column("uid_key", sa.String(255), nullable=False),
        sa.Column("token_type", sa.String(255), nullable=False),
        sa.Column("value", sa.String(255), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("location_key", sa.String(255), nullable=True),
        sa.Column("bound_to", sa.String(255), nullable=True),
        sa.Column("bound_start", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("length(bound_to) <= 255", name=op.f("ck_authorization_references_bound_to_length")),
        sa.CheckConstraint("length(cpo) BETWEEN 4 AND 6", name=op.f("ck_authorization_references_cpo_length")),
        sa.CheckConstraint("length(emsp) BETWEEN 4 AND 6", name=op.f("ck_authorization_references_emsp_length")),
        sa.CheckConstraint("length(location_key) <= 255", name=op.f("ck_authorization_references_location_key_length")),
        sa.CheckConstraint("length(token_type) <= 255", name=op.f("ck_authorization_references_token_type_length")),
        sa.CheckConstraint("length(uid_key) <= 255", name=op.f("ck_authorization_references_uid_key_length")),
        sa.CheckConstraint("length(value) <= 255", name=op.f("ck_authorization_references_value_length")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authorization_references")),
        sa.UniqueConstraint("cpo", "emsp", "bound_to", name=op.f("uq_authorization_references_cpo_emsp_bound_to")),
        sa.UniqueConstraint(
            "cpo", "emsp", "uid_key", "value", name=op.f("uq_authorization_references_cpo_emsp_uid_key_value")
        ),
    )
    op.create_index(
        op.f("ix_authorization_references_given_at"), "authorization_references", ["given_at"], unique=False
    )
    op.create_table(
        "recent_tokens",
        sa.Column("contract_key", sa.String(255), nullable=False),
        sa.Column("cpo", sa.String(6), nullable=False),
        sa.Column("emsp", sa.String(6), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("length(contract_key) <= 255", name=op.f("ck_recent_tokens_contract_key_length")),
        sa.CheckConstraint("length(cpo) BETWEEN 4 AND 6", name=op.f("ck_recent_tokens_cpo_length")),
        sa.CheckConstraint("length(emsp) BETWEEN 4 AND 6", name=op.f("ck_recent_tokens_emsp_length")),
        sa.PrimaryKeyConstraint("contract_key", "cpo", "emsp", name=op.f("pk_recent_tokens")),
    )
    op.create_index(op.f("ix_recent_tokens_used_at"), "recent_tokens", ["used_at"], unique=False)
    op.create_table(
        "shown_objects",
        sa.Column("viewer", sa.String(6), nullable=False),
        sa.Column("module", sa.String(100), nullable=False),
        sa.Column("object_key", sa.String(255), nullable=False),
        sa.Column("owner", sa.String(6), nullable=False),
        sa.CheckConstraint("length(module) BETWEEN 1 AND 100", name=op.f("ck_shown_objects_module_length")),
        sa.CheckConstraint("length(object_key) <= 255", name=op.f("ck_shown_objects_object_key_length")),
        sa.CheckConstraint("length(owner) BETWEEN 4 AND 6", name=op.f("ck_shown_objects_owner_length")),
        sa.CheckConstraint("length(viewer) BETWEEN 4 AND 6", name=op.f("ck_shown_objects_viewer_length")),
        sa.PrimaryKeyConstraint("viewer", "module", "object_key", "owner", name=op.f("pk_shown_objects")),
    )
    op.create_table(
        "reservation_numbers",
        sa.Column("cpo", sa.String(6), nullable=False),
        sa.Column("emsp", sa.String(6), nullable=False),
        sa.Column("reservation_key", sa.String(255), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("length(cpo) BETWEEN 4 AND 6", name=op.f("ck_reservation_numbers_cpo_length")),
        sa.CheckConstraint("length(emsp) BETWEEN 4 AND 6", name=op.f("ck_reservation_numbers_emsp_length")),
        sa.CheckConstraint(
            "length(reservation_key) <= 255", name=op.f("ck_reservation_numbers_reservation_key_length")
        ),
        sa.PrimaryKeyConstraint("cpo", "emsp", "reservation_key", name=op.f("pk_reservation_numbers")),
        sa.UniqueConstraint("cpo", "number", name=op.f("uq_reservation_numbers_cpo_number")),
    )
    op.create_index(op.f("ix_reservation_numbers_expires_at"), "reservation_numbers", ["expires_at"], unique=False)
    op.create_table(
        "credited_sessions",
        sa.Column("cpo", sa.String(6), nullable=False),
        sa.Column("receiver", sa.String(6), nullable=False),
        sa.Column("credit_key", sa.String(255), nullable=False),
        sa.Column("cdr_key", sa.String(255), nullable=True),
        sa.Column("session_key", sa.String(255), nullable=True),
        sa.Column("start", sa.DateTime(timezone=True), nullable=True),
        sa.Column("uid_key", sa.String(255), nullable=True),
        sa.Column("evse_uid_key", sa.String(255), nullable=True),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("length(cdr_key) <= 255", name=op.f("ck_credited_sessions_cdr_key_length")),
        sa.CheckConstraint("length(cpo) BETWEEN 4 AND 6", name=op.f("ck_credited_sessions_cpo_length")),
        sa.CheckConstraint("length(credit_key) <= 255", name=op.f("ck_credited_sessions_credit_key_length")),
        sa.CheckConstraint("length(evse_uid_key) <= 255", name=op.f("ck_credited_sessions_evse_uid_key_length")),
        sa.CheckConstraint("length(receiver) BETWEEN 4 AND 6", name=op.f("ck_credited_sessions_receiver_length")),
        sa.CheckConstraint("length(session_key) <= 255", name=op.f("ck_credited_sessions_session_key_length")),
        sa.CheckConstraint("length(uid_key) <= 255", name=op.f("ck_credited_sessions_uid_key_length")),
        sa.PrimaryKeyConstraint("cpo", "receiver", "credit_key", name=op.f("pk_credited_sessions")),
    )
    op.create_index(
        op.f("ix_credited_sessions_cpo_receiver_session_key"),
        "credited_sessions",
        ["cpo", "receiver", "session_key"],
        unique=False,
    )
    op.create_index(
        op.f("ix_credited_sessions_cpo_receiver_start"), "credited_sessions", ["cpo", "receiver", "start"], unique=False
    )
    op.create_index(op.f("ix_credited_sessions_noted_at"), "credited_sessions", ["noted_at"], unique=False)
    op.create_table(
        "own_pushes",
        sa.Column("owner", sa.String(6), nullable=False),
        sa.Column("module", sa.String(100), nullable=False),
        sa.Column("object_key", sa.String(255), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("length(module) BETWEEN 1 AND 100", name=op.f("ck_own_pushes_module_length")),
        sa.CheckConstraint("length(object_key) <= 255", name=op.f("ck_own_pushes_object_key_length")),
        sa.CheckConstraint("length(owner) BETWEEN 4 AND 6", name=op.f("ck_own_pushes_owner_length")),
        sa.PrimaryKeyConstraint("owner", "module", "object_key", name=op.f("pk_own_pushes")),
    )
    op.create_index(op.f("ix_own_pushes_updated_at"), "own_pushes", ["updated_at"], unique=False)
