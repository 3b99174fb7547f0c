from __future__ import annotations

from itertools import islice
from pathlib import Path

import apsw
import pytest

from reactor_core.errors import JournalError
from reactor_core.events import Journal, new_event
from reactor_core.events.recovery import delays, reopen
from reactor_core.events.rows import Head, read_head
from reactor_core.events.schema import connect


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "reactor.db"
    with Journal(path) as journal:
        event, payload = new_event("user", "feedback", {"n": 1})
        journal.append(event, payload=payload).result(30)
        journal_id = journal.journal_id
    db = connect(path)
    db.execute("INSERT INTO cursors VALUES ('only in the log', '1')")
    head = read_head(db, journal_id)
    db.close()
    assert head.seq == 1
    return path


def head_of(path: Path) -> Head:
    db = connect(path, read_only=True)
    seq, link = next(db.execute("SELECT seq, chain FROM events ORDER BY seq DESC LIMIT 1"))
    db.close()
    return Head(seq, link)


def test_the_first_attempt_is_soon_and_the_later_ones_are_not_too_late():
    waits = list(islice(delays(), 12))
    assert waits[0] == 0.05
    assert waits == sorted(waits)
    assert waits[-1] == 5.0


def test_the_log_is_written_anew_and_emptied(path):
    old = connect(path)
    old.execute("INSERT INTO cursors VALUES ('in the log', '1')")
    log = path.with_name(path.name + "-wal")
    assert log.stat().st_size > 0
    other = connect(path, read_only=True)  # keeps the log from being emptied when the old connection closes
    new = reopen(old, path, vfs=None, known=head_of(path))
    assert new.execute("SELECT count(*) FROM cursors").get == 2
    assert new.execute("SELECT count(*) FROM meta WHERE key = 'reopened'").get == 1
    assert log.stat().st_size < 3 * 4200  # only the trial is in it
    with pytest.raises(apsw.ConnectionClosedError):
        old.execute("SELECT 1")
    new.close()
    other.close()


@pytest.mark.parametrize("known", [Head(1, b"x" * 32), Head(2, b"x" * 32)])
def test_a_file_that_lost_what_was_acknowledged_is_refused(path, known):
    with pytest.raises(JournalError, match="no longer holds"):
        reopen(connect(path), path, vfs=None, known=known)


def test_a_log_that_somebody_reads_is_not_taken_for_rewritten(path, monkeypatch):
    monkeypatch.setattr("reactor_core.events.schema.BUSY_SECONDS", 0.05)
    reader = connect(path, read_only=True)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM events").fetchall()
    old = connect(path)
    old.execute("INSERT INTO cursors VALUES ('later', '1')")
    with pytest.raises(JournalError, match="reading"):
        reopen(old, path, vfs=None, known=None)
    reader.execute("ROLLBACK")
    reopen(old, path, vfs=None, known=head_of(path)).close()
    reader.close()
