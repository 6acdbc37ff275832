"""What Alembic runs: the revisions, in the transaction of whoever asked for them."""

from __future__ import annotations

from alembic import context

from hub.store import (  # noqa: F401 - which add their tables to those of `Row`
    administration_tables,
    agreement_tables,
    journal_tables,
    learned_tables,
    registration_steps,
    tables,
    telling_marks,
)
from hub.store.columns import Row

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Row.metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
