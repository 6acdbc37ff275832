"""What Alembic runs: the revisions, in the transaction of whoever asked for them."""

from __future__ import annotations

from alembic import context

from hub.store import learned_tables  # noqa: F401 - which adds its tables to those of `Row`
from hub.store.tables import Row

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Row.metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
