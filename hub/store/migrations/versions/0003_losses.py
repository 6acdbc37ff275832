"""What translation loses."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table of counts."""
    op.create_table(
        "losses",
        sa.Column("platform_id", sa.String(32), nullable=False),
        sa.Column("direction", sa.String(20), nullable=False),
        sa.Column("module", sa.String(100), nullable=False),
        sa.Column("kind", sa.String(100), nullable=False),
        sa.Column("loss", sa.String(10), nullable=False),
        sa.Column("other_version", sa.String(20), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_correlation_id", sa.String(128), nullable=False),
        sa.CheckConstraint("direction IN ('to', 'from')", name=op.f("ck_losses_direction_word")),
        sa.CheckConstraint("length(module) <= 100", name=op.f("ck_losses_module_length")),
        sa.CheckConstraint("length(kind) <= 100", name=op.f("ck_losses_kind_length")),
        sa.CheckConstraint("length(loss) BETWEEN 1 AND 10", name=op.f("ck_losses_loss_length")),
        sa.CheckConstraint("count > 0", name=op.f("ck_losses_count_positive")),
        sa.CheckConstraint("length(last_correlation_id) <= 128", name=op.f("ck_losses_last_correlation_id_length")),
        sa.ForeignKeyConstraint(["platform_id"], ["platforms.id"], name=op.f("fk_losses_platform_id")),
        sa.PrimaryKeyConstraint(
            "platform_id", "direction", "module", "kind", "loss", "other_version", name=op.f("pk_losses")
        ),
    )
