"""How partners get along with their registration."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "registration_steps",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("platform_id", sa.String(32), nullable=False),
        sa.Column("step", sa.String(40), nullable=False),
        sa.Column("begun_by", sa.String(20), nullable=False),
        sa.Column("failed", sa.Boolean(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.CheckConstraint("length(id) BETWEEN 36 AND 36", name=op.f("ck_registration_steps_id_length")),
        sa.CheckConstraint(
            "length(platform_id) BETWEEN 1 AND 32", name=op.f("ck_registration_steps_platform_id_length")
        ),
        sa.CheckConstraint("length(step) BETWEEN 1 AND 40", name=op.f("ck_registration_steps_step_length")),
        sa.CheckConstraint("begun_by IN ('partner', 'hub')", name=op.f("ck_registration_steps_begun_by_word")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registration_steps")),
    )
    op.create_index(
        op.f("ix_registration_steps_platform_id_at"), "registration_steps", ["platform_id", "at"], unique=False
    )
    op.create_index(op.f("ix_registration_steps_last_at"), "registration_steps", ["last_at"], unique=False)
