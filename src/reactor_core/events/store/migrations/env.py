"""What alembic runs for each command: the migrations, inside the transaction of the connection that it was given."""

from __future__ import annotations

from alembic import context

from reactor_core.events.store.tables import VERSION_TABLE

context.configure(connection=context.config.attributes["connection"], version_table=VERSION_TABLE)
with context.begin_transaction():
    context.run_migrations()
