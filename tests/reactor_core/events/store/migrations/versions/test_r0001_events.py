from __future__ import annotations

import pytest
from alembic import command
from sqlalchemy import inspect, text
from sqlalchemy.exc import IntegrityError

from reactor_core.events.store import schema

ROW = "INSERT INTO reactor_events (journal_id, seq, shown, event_id, event_type, source, priority, ts_us, origin," \
      " dedup_key, payload_hash, chain) VALUES ('{}', {}, {}, '{}', 't', 's', 3, 0, '', '', '', '')"  # fmt: skip


def add(server, *row):
    with server.engine.begin() as db:
        db.execute(text(ROW.format(*row)))


def test_what_must_be_unique_is(server):
    schema.upgrade(server)
    with server.begin() as db:
        for name in ("a", "b"):
            db.execute(text(f"INSERT INTO reactor_journals VALUES ('{name}', 'h', 0, '', now())"))
    add(server, "a", 1, "true", "e-1")
    add(server, "b", 1, "false", "e-1")
    for row in (("a", 1, "true", "e-2"), ("b", 2, "true", "e-1"), ("c", 1, "true", "e-3")):
        with pytest.raises(IntegrityError):
            add(server, *row)


def test_down_and_up_again(server):
    schema.upgrade(server)
    config = schema._config()
    with server.begin() as db:
        config.attributes["connection"] = db
        command.downgrade(config, "base")
    assert inspect(server.engine).get_table_names() == ["reactor_events_version"]
    assert schema.upgrade(server) == (None, schema.newest_revision())
