from __future__ import annotations

from alembic import command
from sqlalchemy import text

from reactor_core.events.store import schema
from reactor_core.events.store.tables import VERSION_TABLE


def test_commands_run_in_the_transaction_that_they_were_given(server):
    config = schema._config()
    with server.engine.connect() as db, db.begin() as transaction:
        config.attributes["connection"] = db
        command.upgrade(config, "head")
        assert db.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar() == schema.newest_revision()
        transaction.rollback()
    assert schema.current_revision(server) is None
