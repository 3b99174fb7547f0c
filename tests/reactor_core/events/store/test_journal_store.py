from __future__ import annotations

import pytest

from reactor_core.errors import JournalError, NotFound
from reactor_core.events import event_query
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
