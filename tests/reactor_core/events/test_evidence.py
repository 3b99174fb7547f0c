from __future__ import annotations

import shutil

import apsw
import pytest
from tests.reactor_core.events.anchors.records import record
from tests.reactor_core.events.book import Book, flip

from reactor_core.errors import JournalError, NotFound
from reactor_core.events.anchors.file import FileAnchor
from reactor_core.events.evidence import journal_file, open_journal, read_anchors, read_sealed
from reactor_core.utils.settings import Settings


@pytest.fixture
def book(tmp_path):
    book = Book(tmp_path / "work" / "reactor.db")
    yield book
    book.close()


def test_a_workspace_and_a_file_are_both_a_place(book):
    assert journal_file(book.path.parent) == book.path
    assert journal_file(book.path) == book.path
    with pytest.raises(NotFound, match="no journal at"):
        journal_file(book.path.parent / "nothing")


def test_opening_cannot_write(book):
    book.write(1)
    db, journal_id = open_journal(book.path)
    assert journal_id == book.journal_id
    with pytest.raises(Exception, match=r"readonly|read only|attempt to write"):
        db.execute("DELETE FROM events")
    db.close()


def test_a_file_beside_which_nothing_can_be_made_is_opened_all_the_same(book, tmp_path):
    book.write(3, urgent=True)
    book.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    (tmp_path / "mounted").mkdir()
    shutil.copy(book.path, tmp_path / "mounted")
    # As on a read-only disk, but for root too: SQLite cannot make its log.
    (tmp_path / "mounted" / "reactor.db-wal").mkdir()
    db, journal_id = open_journal(tmp_path / "mounted" / "reactor.db")
    assert journal_id == book.journal_id
    assert db.execute("SELECT count(*) FROM events").get == 3
    db.close()


def test_a_database_of_another_program_is_refused(tmp_path):
    db = apsw.Connection(str(tmp_path / "other.db"))
    db.execute("CREATE TABLE t (x)")
    db.close()
    with pytest.raises(JournalError, match="is no journal"):
        open_journal(tmp_path / "other.db")


def test_checkpoints_that_do_not_hold_are_problems_and_the_others_count(book):
    book.write(3, urgent=True)
    book.write(3, urgent=True)
    flip(book.db, "checkpoints", "size = 3", "root", 1)
    sealed = read_sealed(book.db, book.journal_id)
    assert [each.size for each in sealed.sound] == [6]
    assert [problem.text for problem in sealed.problems] == [
        "the checkpoint of 3 rows: the columns of the checkpoint differ from its note"
    ]
    assert len(sealed.keys) == 1


def test_a_journal_of_a_time_before_checkpoints_has_none(book):
    book.db.execute("DROP TABLE checkpoints")
    assert read_sealed(book.db, book.journal_id).problems == []


def test_an_anchor_that_contradicts_itself_is_found(tmp_path):
    anchor = FileAnchor(tmp_path / "anchor")
    anchor.write(record(3))
    other = record(3, made_us=5)
    anchor.write(other)  # the same statement at another moment is none
    (evidence,) = read_anchors("j", [str(tmp_path / "anchor")], Settings(state_dir=tmp_path))
    assert (evidence.problems, [each.size for each in evidence.statements]) == ([], [3])


def test_an_anchor_that_cannot_be_read_is_a_problem(tmp_path):
    (evidence,) = read_anchors("j", ["redis://127.0.0.1:1"], Settings(state_dir=tmp_path))
    assert "127.0.0.1" in evidence.problems[0].text
