"""The first tables."""

from __future__ import annotations

from uuid import uuid4

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make them, and the one row that puts changes in order."""
    op.create_table(
        "directory",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("identity", sa.String(32), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("key_mark", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("ck_directory_one_row")),
        sa.CheckConstraint("length(identity) BETWEEN 32 AND 32", name=op.f("ck_directory_identity_length")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_directory")),
    )
    op.create_table(
        "platforms",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("planned", sa.Boolean(), nullable=False),
        sa.Column("suspended", sa.Boolean(), nullable=False),
        sa.Column("allow_hub", sa.Boolean(), nullable=False),
        sa.Column("is_hub", sa.Boolean(), nullable=False),
        sa.Column("version", sa.String(20), nullable=True),
        sa.Column("quirks", sa.Text(), nullable=False),
        sa.Column("require_modules", sa.Text(), nullable=False),
        sa.Column("invited_parties", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("length(id) BETWEEN 32 AND 32", name=op.f("ck_platforms_id_length")),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 100", name=op.f("ck_platforms_name_length")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_platforms")),
        sa.UniqueConstraint("revision", name=op.f("uq_platforms_revision")),
    )
    op.create_index(op.f("ix_platforms_created_at_id"), "platforms", ["created_at", "id"], unique=False)
    op.create_table(
        "callbacks",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("response_url", sa.String(2048), nullable=False),
        sa.Column("module", sa.String(100), nullable=False),
        sa.Column("command", sa.String(100), nullable=True),
        sa.Column("originator_platform_id", sa.String(32), nullable=False),
        sa.Column("originator", sa.Text(), nullable=False),
        sa.Column("receiver_platform_id", sa.String(32), nullable=False),
        sa.Column("receiver", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("length(command) <= 100", name=op.f("ck_callbacks_command_length")),
        sa.CheckConstraint("length(id) BETWEEN 32 AND 32", name=op.f("ck_callbacks_id_length")),
        sa.CheckConstraint("length(module) BETWEEN 1 AND 100", name=op.f("ck_callbacks_module_length")),
        sa.CheckConstraint("length(response_url) BETWEEN 1 AND 2048", name=op.f("ck_callbacks_response_url_length")),
        sa.ForeignKeyConstraint(
            ["originator_platform_id"], ["platforms.id"], name=op.f("fk_callbacks_originator_platform_id")
        ),
        sa.ForeignKeyConstraint(
            ["receiver_platform_id"], ["platforms.id"], name=op.f("fk_callbacks_receiver_platform_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_callbacks")),
    )
    op.create_index(op.f("ix_callbacks_expires_at"), "callbacks", ["expires_at"], unique=False)
    op.create_index(op.f("ix_callbacks_originator_platform_id"), "callbacks", ["originator_platform_id"], unique=False)
    op.create_index(op.f("ix_callbacks_receiver_platform_id"), "callbacks", ["receiver_platform_id"], unique=False)
    op.create_table(
        "cdr_proxies",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("receiver", sa.Text(), nullable=False),
        sa.Column("receiver_url", sa.String(2048), nullable=False),
        sa.Column("poster_platform_id", sa.String(32), nullable=False),
        sa.Column("poster", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("length(id) BETWEEN 32 AND 32", name=op.f("ck_cdr_proxies_id_length")),
        sa.CheckConstraint("length(receiver_url) BETWEEN 1 AND 2048", name=op.f("ck_cdr_proxies_receiver_url_length")),
        sa.ForeignKeyConstraint(
            ["poster_platform_id"], ["platforms.id"], name=op.f("fk_cdr_proxies_poster_platform_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cdr_proxies")),
    )
    op.create_index(op.f("ix_cdr_proxies_poster_platform_id"), "cdr_proxies", ["poster_platform_id"], unique=False)
    op.create_table(
        "connections",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("platform_id", sa.String(32), nullable=False),
        sa.Column("version", sa.String(20), nullable=False),
        sa.Column("face", sa.String(20), nullable=True),
        sa.Column("versions_url", sa.String(255), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("our_token", sa.LargeBinary(), nullable=False),
        sa.Column("auth_encoding", sa.String(10), nullable=True),
        sa.Column("tokens_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("shown", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("face IN ('cpo', 'emsp')", name=op.f("ck_connections_face_word")),
        sa.CheckConstraint("length(id) BETWEEN 32 AND 32", name=op.f("ck_connections_id_length")),
        sa.CheckConstraint("length(token_hash) = 32", name=op.f("ck_connections_token_hash_length")),
        sa.CheckConstraint("length(versions_url) BETWEEN 1 AND 255", name=op.f("ck_connections_versions_url_length")),
        sa.ForeignKeyConstraint(["platform_id"], ["platforms.id"], name=op.f("fk_connections_platform_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_connections")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_connections_token_hash")),
    )
    op.create_index(op.f("ix_connections_platform_id"), "connections", ["platform_id"], unique=False)
    op.create_table(
        "invitations",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("platform_id", sa.String(32), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("face", sa.String(20), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("face IN ('cpo', 'emsp')", name=op.f("ck_invitations_face_word")),
        sa.CheckConstraint("length(id) BETWEEN 32 AND 32", name=op.f("ck_invitations_id_length")),
        sa.CheckConstraint("length(token_hash) = 32", name=op.f("ck_invitations_token_hash_length")),
        sa.ForeignKeyConstraint(["platform_id"], ["platforms.id"], name=op.f("fk_invitations_platform_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitations")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_invitations_token_hash")),
    )
    op.create_index(op.f("ix_invitations_platform_id"), "invitations", ["platform_id"], unique=False)
    op.create_table(
        "parties",
        sa.Column("country_code", sa.String(2), nullable=False),
        sa.Column("party_id", sa.String(3), nullable=False),
        sa.Column("platform_id", sa.String(32), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("suspended", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_updated", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "status IN ('CONNECTED', 'OFFLINE', 'PLANNED', 'SUSPENDED')", name=op.f("ck_parties_status_word")
        ),
        sa.CheckConstraint(
            "country_code = upper(country_code) AND party_id = upper(party_id)", name=op.f("ck_parties_upper_case")
        ),
        sa.CheckConstraint("length(country_code) = 2", name=op.f("ck_parties_country_code_length")),
        sa.CheckConstraint("length(party_id) BETWEEN 1 AND 3", name=op.f("ck_parties_party_id_length")),
        sa.ForeignKeyConstraint(["platform_id"], ["platforms.id"], name=op.f("fk_parties_platform_id")),
        sa.PrimaryKeyConstraint("country_code", "party_id", name=op.f("pk_parties")),
    )
    op.create_index(op.f("ix_parties_platform_id"), "parties", ["platform_id"], unique=False)
    op.create_table(
        "endpoints",
        sa.Column("connection_id", sa.String(32), nullable=False),
        sa.Column("module", sa.String(100), nullable=False),
        sa.Column("interface", sa.String(20), nullable=False),
        sa.Column("url", sa.String(255), nullable=False),
        sa.CheckConstraint("interface IN ('SENDER', 'RECEIVER')", name=op.f("ck_endpoints_interface_word")),
        sa.CheckConstraint("length(module) BETWEEN 1 AND 100", name=op.f("ck_endpoints_module_length")),
        sa.CheckConstraint("length(url) BETWEEN 1 AND 255", name=op.f("ck_endpoints_url_length")),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["connections.id"], name=op.f("fk_endpoints_connection_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("connection_id", "module", "interface", name=op.f("pk_endpoints")),
    )
    op.create_table(
        "handshakes",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("platform_id", sa.String(32), nullable=False),
        sa.Column("connection_id", sa.String(32), nullable=True),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("face", sa.String(20), nullable=True),
        sa.Column("not_after", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("face IN ('cpo', 'emsp')", name=op.f("ck_handshakes_face_word")),
        sa.CheckConstraint("length(id) BETWEEN 32 AND 32", name=op.f("ck_handshakes_id_length")),
        sa.CheckConstraint("length(token_hash) = 32", name=op.f("ck_handshakes_token_hash_length")),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["connections.id"], name=op.f("fk_handshakes_connection_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["platform_id"], ["platforms.id"], name=op.f("fk_handshakes_platform_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handshakes")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_handshakes_token_hash")),
    )
    op.create_index(op.f("ix_handshakes_connection_id"), "handshakes", ["connection_id"], unique=False)
    op.create_index(op.f("ix_handshakes_platform_id"), "handshakes", ["platform_id"], unique=False)
    op.create_table(
        "party_roles",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("country_code", sa.String(2), nullable=False),
        sa.Column("party_id", sa.String(3), nullable=False),
        sa.Column("connection_id", sa.String(32), nullable=True),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("business_details", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "role IN ('CPO', 'EMSP', 'HUB', 'NAP', 'NSP', 'OTHER', 'PTP', 'SCSP')",
            name=op.f("ck_party_roles_role_word"),
        ),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["connections.id"], name=op.f("fk_party_roles_connection_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["country_code", "party_id"],
            ["parties.country_code", "parties.party_id"],
            name=op.f("fk_party_roles_country_code_party_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_party_roles")),
    )
    op.create_index(op.f("ix_party_roles_connection_id"), "party_roles", ["connection_id"], unique=False)
    op.create_index(
        op.f("ix_party_roles_country_code_party_id"), "party_roles", ["country_code", "party_id"], unique=False
    )
    op.create_table(
        "replaced_tokens",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("connection_id", sa.String(32), nullable=False),
        sa.Column("not_after", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("length(token_hash) = 32", name=op.f("ck_replaced_tokens_token_hash_length")),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["connections.id"], name=op.f("fk_replaced_tokens_connection_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_replaced_tokens")),
    )
    op.create_index(op.f("ix_replaced_tokens_connection_id"), "replaced_tokens", ["connection_id"], unique=False)
    one_row = sa.table("directory", sa.column("id"), sa.column("identity"), sa.column("revision"))
    op.execute(one_row.insert().values(id=1, identity=uuid4().hex, revision=0))
