from __future__ import annotations

import shutil

import pytest

from reactor_core.errors import JournalError, NotFound
from reactor_core.events import event_query, new_event
from reactor_core.events.store import JournalStore


def test_asking_makes_no_journal(tmp_path):
    with pytest.raises(NotFound, match="REACTOR_WORKSPACE"):
        JournalStore(tmp_path / "reactor.db")
    assert not list(tmp_path.iterdir())


def test_another_file_is_an_error(tmp_path):
    (tmp_path / "reactor.db").write_text("hello" * 1000)
    with pytest.raises(JournalError):
        JournalStore(tmp_path / "reactor.db")


def test_another_journals_events_are_not_here(journal):
    store = JournalStore(journal.path)
    assert store.query(event_query(journal="elsewhere")).events == []
    store.close()


def test_closing_last_leaves_what_a_dead_writer_left(journal, tmp_path):
    event, payload = new_event("user", "feedback", {"n": 1})
    journal.append(event, payload=payload).result(30)
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("reactor.db", "reactor.db-wal"):  # as they lie there when the writer is killed
        shutil.copy(journal.path.with_name(name), copy / name)
    before = {path.name: path.read_bytes() for path in copy.iterdir()}
    assert before["reactor.db-wal"]
    store = JournalStore(copy / "reactor.db")
    events = store.query(event_query()).events
    store.close()
    assert events
    assert {name: (copy / name).read_bytes() for name in before} == before


def test_closing_last_leaves_no_new_file(journal, tmp_path):
    journal.close()
    before = sorted(path.name for path in journal.path.parent.iterdir())
    store = JournalStore(journal.path)
    store.query(event_query())
    store.close()
    assert sorted(path.name for path in journal.path.parent.iterdir()) == before
