from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from reactor_core.errors import EnvironmentMissing, JournalError, StorageFull
from reactor_core.events import Journal, new_event, schema
from reactor_core.events.audit import verify_workspace
from reactor_core.events.drafts import read_draft
from reactor_core.events.schema import connect, journal_errors, migrate, require_sqlite
from reactor_core.events.storing import Store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "reactor.db"


def test_opening_twice_keeps_the_tables_and_the_id(path):
    ids = set()
    for _ in range(2):
        db = connect(path)
        ids.add(migrate(db, path))
        assert db.execute("PRAGMA user_version").get == 4
        db.close()
    assert len(ids) == 1


def test_a_file_of_the_first_version_is_brought_up_to_date_with_what_it_holds(path):
    db = connect(path)
    db.execute(schema._MIGRATIONS[0])
    db.execute("PRAGMA user_version = 1; INSERT INTO meta VALUES ('journal_id', 'kept')")
    store = Store(db, "kept", None)
    made, payload = new_event("user", "feedback", {"n": 1})
    db.execute("BEGIN IMMEDIATE")
    store.add([read_draft(made, payload)])
    db.execute("COMMIT")
    db.close()
    with Journal(path) as journal:
        assert journal.journal_id == "kept"
        assert [event.data for event in journal.read()] == [{"n": 1}]
        late, payload = new_event("user", "feedback", {"n": 2}, priority=1)
        assert journal.append(late, payload=payload).result(30).event.seq == 2
        assert journal.waiting(3, 0) == 1
        assert journal.verify().ok
    assert verify_workspace(path).ok


def test_each_file_has_an_id_of_its_own(path, tmp_path):
    ids = set()
    for file in (path, tmp_path / "other.db"):
        db = connect(file)
        ids.add(migrate(db, file))
        db.close()
    assert len(ids) == 2


def test_a_failed_migration_leaves_no_transaction_open(path):
    db = connect(path)
    db.execute("CREATE TABLE theirs (x)")
    with pytest.raises(JournalError, match="another program"):
        migrate(db, path)
    assert not db.in_transaction
    db.close()


@pytest.mark.parametrize(("version", "ok"), [("3.51.2", False), ("3.51.3", True), ("3.52.0", True)])
def test_the_version_with_the_fix_is_the_first_that_is_taken(version, ok):
    if ok:
        require_sqlite(version)
    else:
        with pytest.raises(EnvironmentMissing, match="upgrade apsw"):
            require_sqlite(version)


@pytest.mark.parametrize(
    ("raised", "error", "words"),
    [
        (apsw.FullError("full"), StorageFull, "no space left"),
        (apsw.BusyError("busy"), JournalError, "locked by another process"),
        (apsw.CorruptError("malformed"), JournalError, "damaged"),
        (apsw.NotADBError("not a database"), JournalError, "damaged"),
        (apsw.IOError("disk I/O error"), JournalError, "disk I/O error"),
        (PermissionError(13, "Permission denied"), JournalError, "Permission denied"),
    ],
)
def test_errors_of_the_database_become_ours_and_name_the_file(path, raised, error, words):
    with pytest.raises(error, match=words) as caught, journal_errors(path):
        raise raised
    assert "reactor.db" in str(caught.value)
    assert caught.value.__cause__ is raised
