"""A workspace copies its journal into a Postgres: the publisher is killed, and the server crashes and comes back."""

from __future__ import annotations

from pathlib import Path

import apsw
import psycopg
import pytest
from tests.faults.harness import history, judge
from tests.faults.harness.fleet import Fleet, Member

COLUMNS = "seq, event_id, event_type, source, priority, ts_us, origin, payload, payload_hash, chain"


def in_journal(path: Path) -> list[tuple[object, ...]]:
    db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        return db.execute(f"SELECT {COLUMNS} FROM events ORDER BY seq").fetchall()
    finally:
        db.close()


def in_store(url: str) -> list[tuple[object, ...]]:
    """The copy; nothing while the server is away or has no tables yet."""
    try:
        with psycopg.connect(url, connect_timeout=5) as db:
            return db.execute(f"SELECT {COLUMNS} FROM reactor_events ORDER BY seq").fetchall()
    except (psycopg.OperationalError, psycopg.errors.UndefinedTable):
        return []


@pytest.mark.slow
@pytest.mark.parametrize("point", [None, "journal.committed", "relay.sent", "relay.confirmed"])
def test_the_copy_is_the_journal_row_for_row(forks, tmp_path, tally, postgres, database, point):
    options = {"workspace": str(tmp_path / "here"), "source": "reactor_core", "tasks": 8, "store_url": database}
    fleet = Fleet(forks, tmp_path, tally, {"publisher": Member("publisher", options)})
    journal = tmp_path / "here" / "reactor.db"
    fleet.start_all()
    for _ in tally.times(1):
        fleet.die("publisher", point)
        fleet.start_all()
        fleet.wait_for_work(tally.chance.randrange(1, 100))
        postgres.restart()
        tally.count("Postgres crashed")
    fleet.settle("publisher", lambda: in_store(database) == in_journal(journal), "the copy is complete")
    assert in_store(database) == in_journal(journal)
    assert judge.journal(tmp_path, journal) == []
    tally.count("acknowledged", len(history.records(tmp_path, "acked")))
