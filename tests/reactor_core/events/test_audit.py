"""Verification finds whatever was changed behind the journal's back: rows, checkpoints, nodes, keys, both ends."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.reactor_core.events.book import Book, flip, verify, written

from reactor_core.errors import ConfigError, JournalError, NotFound
from reactor_core.events import Journal, new_event
from reactor_core.events.anchors import Record
from reactor_core.events.anchors.file import FileAnchor
from reactor_core.events.audit import verify_workspace
from reactor_core.events.drafts import Draft
from reactor_core.events.proof import check_proof
from reactor_core.utils.settings import Settings


def keep(book: Book, path: Path) -> None:
    """Anchor the checkpoints that the book has signed so far."""
    anchor = FileAnchor(path)
    for checkpoint, _ in book.offered:
        anchor.write(Record(str(book.sealer._signer.verifier), checkpoint.note, checkpoint.size))


@pytest.fixture
def book(tmp_path):
    book = Book(tmp_path / "work" / "reactor.db")
    yield book
    book.close()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    book = written(tmp_path_factory.mktemp("whole"))
    yield book
    book.close()


@pytest.fixture(scope="module")
def cut(tmp_path_factory):
    book = written(tmp_path_factory.mktemp("cut"), pruned=True)
    yield book
    book.close()


def test_an_untouched_journal_verifies(whole):
    report = verify(whole)
    assert (report.ok, report.events, report.first_bad, report.problems) == (True, 203, None, ())
    assert (report.checkpoints, report.sealed, report.erased, report.pruned) == (5, 198, 2, 0)
    assert report.notes[0] == "no checkpoint covers the last 5 events yet"
    assert "no anchor was compared" in report.notes[1]
    assert report.exit_code == 0


def test_a_journal_without_its_pruned_beginning_verifies(cut):
    report = verify(cut)
    assert (report.ok, report.problems) == (True, ())
    assert (report.pruned, report.verified_from, report.events, report.sealed) == (131, 132, 204, 199)


@pytest.mark.parametrize(
    ("statement", "first_bad", "word"),
    [
        ("DELETE FROM events WHERE seq = 140", 140, "missing"),
        ("UPDATE events SET payload = NULL WHERE seq = 160", 160, "no event records its erasure"),
        ("DELETE FROM events WHERE seq > 180", 135, "row 181 is missing"),  # the record of the erasure is cut off too
        ("DELETE FROM checkpoints WHERE size = 197", None, "nodes"),
        ("DELETE FROM tree_nodes WHERE level = 7", None, "node"),
        ("INSERT INTO tree_nodes VALUES (2, 30, zeroblob(32))", None, "small nodes"),
        ("INSERT INTO tree_nodes VALUES (6, 99, zeroblob(32))", None, "nodes"),
        ("DELETE FROM meta WHERE key = 'audit_keys'", None, "no known key"),
    ],
)
def test_other_edits_are_found(tmp_path, statement, first_bad, word):
    book = written(tmp_path)
    if "checkpoints" in statement:
        book.db.execute("DELETE FROM checkpoints WHERE size > 197")
    book.db.execute(statement)
    report = verify(book)
    assert (report.ok, report.first_bad) == (False, first_bad)
    assert any(word in problem for problem in report.problems)
    book.close()


def test_a_beginning_that_nobody_pruned_is_missing(tmp_path):
    book = written(tmp_path)
    book.db.execute("DELETE FROM events WHERE seq <= 131")
    report = verify(book)
    assert (report.ok, report.first_bad) == (False, 1)
    book.close()


def test_an_erasure_that_only_a_peer_claims_is_none(tmp_path):
    book = Book(tmp_path / "reactor.db")
    book.write(3)
    book.db.execute("UPDATE events SET payload = NULL WHERE seq = 2")
    book.write(event_type="payload_erased", data={"seqs": [2], "reason": "x"}, origin="hub")
    assert verify(book).first_bad == 2
    book.close()


@settings(max_examples=15)
@given(data=st.data())
def test_any_cut_behind_the_last_anchored_checkpoint_is_found(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("book")
    book = Book(folder / "work" / "reactor.db")
    for count in data.draw(st.lists(st.integers(1, 40), min_size=1, max_size=6)):
        book.write(count, urgent=True)
    keep(book, folder / "anchor")
    anchored = book.offered[-1][0].size
    book.write(data.draw(st.integers(0, 9)))
    left = data.draw(st.integers(0, anchored - 1))
    assert verify(book, folder / "anchor").ok
    # Somebody removes the end and everything in the file that speaks of it.
    book.db.execute("DELETE FROM events WHERE seq > ?", (left,))
    book.db.execute("DELETE FROM checkpoints WHERE size > ?", (left,))
    covered = max(book.sizes(), default=0)
    book.db.execute("DELETE FROM tree_nodes WHERE ((idx + 1) << level) > ?", (covered,))
    assert verify(book).ok  # a file alone cannot know its own end
    report = verify(book, folder / "anchor")
    assert (report.ok, report.first_bad) == (False, left + 1)
    assert "anchor" in report.detail
    book.close()


def test_a_journal_written_anew_with_its_own_key_contradicts_the_anchor(tmp_path):
    true = Book(tmp_path / "true" / "reactor.db")
    true.write(60, urgent=True)
    true.write(60, urgent=True)
    keep(true, tmp_path / "anchor")
    false = Book(tmp_path / "false" / "reactor.db")
    shutil.copytree(true.path.parent / "keys", false.path.parent / "keys")
    false.db.execute("UPDATE meta SET value = ? WHERE key = 'journal_id'", (true.journal_id,))
    false = Book(false.path, seed=1)
    false.write(60, urgent=True)
    false.write(60, urgent=True)
    assert verify(false).ok  # whoever has the key can sign
    report = verify(false, tmp_path / "anchor")
    assert (report.ok, report.first_bad) == (False, 1)
    assert "the anchor" in report.detail
    true.close()
    false.close()


def test_rows_and_chain_rewritten_without_the_key_contradict_the_checkpoints(tmp_path):
    book = Book(tmp_path / "reactor.db")
    other = Book(tmp_path / "other" / "reactor.db")
    book.write(30, urgent=True)
    book.write(140, urgent=True)
    other.db.execute("UPDATE meta SET value = ?", (book.journal_id,))
    other = Book(tmp_path / "other" / "reactor.db", seed=5)
    other.write(170)
    rows = other.db.execute("SELECT * FROM events").fetchall()
    book.db.execute("DELETE FROM events")
    book.db.executemany("INSERT INTO events VALUES (?,?,?,?,?,?,?,?,?,?,?)", rows)
    report = verify(book)
    assert (report.ok, report.first_bad) == (False, 1)
    assert "the signed checkpoint of 30 rows says otherwise" in report.detail
    book.close()
    other.close()


def test_an_anchor_of_an_unknown_key_is_found(book, tmp_path):
    book.write(3, urgent=True)
    keep(book, tmp_path / "anchor")
    book.db.execute("DELETE FROM checkpoints")
    book.db.execute("DELETE FROM meta WHERE key = 'audit_keys'")
    report = verify(book, tmp_path / "anchor")
    assert not report.ok
    assert "a key that the journal does not name" in report.detail


def test_a_damaged_anchor_is_found(book, tmp_path):
    book.write(3, urgent=True)
    keep(book, tmp_path / "anchor")
    raw = bytearray((tmp_path / "anchor").read_bytes())
    raw[200] ^= 4
    (tmp_path / "anchor").write_bytes(raw)
    report = verify(book, tmp_path / "anchor")
    assert (report.ok, report.first_bad) == (False, None)
    assert "anchor damaged" in report.detail


def test_verification_can_begin_at_a_row(whole):
    report = verify(whole, since=140)
    assert (report.ok, report.verified_from, report.events) == (True, 132, 203)
    flip(whole.db, "events", "seq = 20", "priority", 1)
    try:
        assert verify(whole, since=140).ok
        assert verify(whole).first_bad == 20
    finally:
        flip(whole.db, "events", "seq = 20", "priority", 1)


def test_a_proof_can_be_asked_for(whole):
    (event_id,) = whole.db.execute("SELECT event_id FROM events WHERE seq = 77").fetchone()
    report = verify(whole, proof=event_id)
    assert check_proof(report.proof, key=report.keys[0]) is None
    with pytest.raises(NotFound, match="no event"):
        verify(whole, proof="unknown")


def test_events_that_their_source_never_committed_are_listed(book):
    book.write(2)
    event_id = book.db.execute("SELECT event_id FROM events WHERE seq = 2").get
    book.db.execute("INSERT INTO early VALUES (?, 'hub', 2)", (event_id,))
    report = verify(book)
    assert report.ok
    assert [(event["seq"], event["origin"]) for event in report.unconfirmed] == [(2, "hub")]
    assert any("not confirmed by hub" in line for line in report.lines())


def test_a_copy_verifies_offline_and_stays_as_it_was(book, tmp_path):
    book.write(100, urgent=True)
    copy = tmp_path / "copy.db"
    book.db.execute("VACUUM INTO ?", (str(copy),))
    content = copy.read_bytes()
    assert verify_workspace(copy, anchors=[]).events == 100
    assert copy.read_bytes() == content


def test_a_copy_with_its_log_stays_as_it_was(book, tmp_path):
    book.write(100, urgent=True)
    for suffix in ("", "-wal"):
        shutil.copy(f"{book.path}{suffix}", f"{tmp_path / 'copy.db'}{suffix}")
    content = [(tmp_path / name).read_bytes() for name in ("copy.db", "copy.db-wal")]
    assert verify_workspace(tmp_path / "copy.db", anchors=[]).events == 100
    assert [(tmp_path / name).read_bytes() for name in ("copy.db", "copy.db-wal")] == content


def test_the_default_anchors_are_those_that_exist_here(tmp_path):
    here = Settings(state_dir=tmp_path / "state", audit_anchors=(str(tmp_path / "second"), "redis://127.0.0.1:1"))
    with Journal(tmp_path / "work" / "reactor.db", settings=here) as journal:
        event, payload = new_event("user", "safety_blocked", {"action": "x"})
        journal.append(event, payload=payload).result(30)
    report = verify_workspace(tmp_path / "work", settings=here)
    assert report.ok
    assert [anchor.size for anchor in report.anchors] == [1, 1]
    assert [anchor.compared for anchor in report.anchors] == [1, 1]


def test_a_compacted_journal_verifies_and_a_second_cut_too(tmp_path):
    with Journal(tmp_path / "reactor.db", settings=Settings(state_dir=tmp_path / "state")) as journal:
        for number in range(6):
            drafts = [Draft(*new_event("user", "feedback", {"n": each})) for each in range(50)]
            journal.append_many(drafts).result(30)
            journal.append(new_event("user", "error", {"n": number})[0]).result(30)
            if number in {3, 5}:
                assert journal.compact(keep_after_seq=journal.head().seq - 60).rows > 0
    report = verify_workspace(tmp_path, settings=Settings(state_dir=tmp_path / "state"))
    assert (report.ok, report.problems) == (True, ())
    assert report.pruned > 200
    assert report.anchors[0].compared > 0


_WRITER = """
import itertools, pathlib, sys
from reactor_core.events import Journal, new_event
from reactor_core.events.drafts import Draft
journal = Journal(pathlib.Path(sys.argv[1]) / "reactor.db")
for number in itertools.count():
    drafts = [Draft(*new_event(sys.argv[2], "feedback", {"n": number})) for _ in range(1 + number % 97)]
    journal.append_many(drafts).result()
    journal.append(new_event(sys.argv[2], "error", {"n": number})[0]).result()
"""


def test_a_journal_of_killed_processes_verifies_with_their_anchor(tmp_path, monkeypatch):
    monkeypatch.setenv("REACTOR_STATE_DIR", str(tmp_path / "state"))
    processes = [
        subprocess.Popen([sys.executable, "-c", _WRITER, str(tmp_path), source]) for source in ("user", "system")
    ]
    try:
        reader = Book(tmp_path / "reactor.db")
        end = time.monotonic() + 60
        while True:
            sources = dict(reader.db.execute("SELECT source, count(*) FROM events GROUP BY source"))
            if min(sources.get("user", 0), sources.get("system", 0)) > 500:
                break
            assert time.monotonic() < end, "the processes wrote nothing"
            threading.Event().wait(0.02)
    finally:
        for process in processes:
            process.kill()
            process.wait()
    report = verify_workspace(tmp_path)
    assert (report.ok, report.problems) == (True, ())
    assert report.sealed > 0
    assert report.anchors[0].compared == report.anchors[0].checkpoints > 0
    reader.close()


def test_a_workspace_without_a_journal_is_not_given_one(tmp_path):
    with pytest.raises(NotFound, match=r"no journal at .*reactor\.db"):
        verify_workspace(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_asked_is_said(book, tmp_path):
    book.write(1, urgent=True)
    with pytest.raises(NotFound, match="no anchor at"):
        verify(book, tmp_path / "nothing")
    with pytest.raises(ConfigError, match="ftp"):
        verify_workspace(book.path, anchors=["ftp://x"])
    (tmp_path / "text").write_text("no database")
    with pytest.raises(JournalError):
        verify_workspace(tmp_path / "text")


def test_an_empty_journal_verifies(book):
    report = verify(book)
    assert (report.ok, report.events, report.first_bad) == (True, 0, None)
