from __future__ import annotations

import pytest

from reactor_core.errors import StorageError
from reactor_core.events import new_event
from reactor_core.events.query import EventQuery
from reactor_core.events.store import PostgresStore


def test_without_tables_the_error_names_the_command(server):
    for ask in (lambda s: s.query(EventQuery()), lambda s: s.summary(EventQuery()), lambda s: s.journals()):
        with pytest.raises(StorageError, match="reactor events store upgrade"):
            ask(PostgresStore(server))


def test_a_reader_that_goes_on_misses_nothing_of_any_journal(journal, second_journal, server, copied):
    """Positions become visible in their order, whoever copies."""
    seen, cursor = [], None
    for turn in range(6):
        for each in (journal, second_journal)[:: 1 if turn % 2 else -1]:
            event, payload = new_event("user", "note", {"turn": turn})
            each.append(event, payload=payload).result(30)
            copied(each, server)
            page = PostgresStore(server).query(EventQuery(), cursor=cursor)
            seen += page.events
            cursor = page.resume
    assert len(seen) == 12
    assert [event.data["turn"] for event in seen] == sorted([*range(6), *range(6)])


def test_the_last_to_copy_is_named_first(journal, second_journal, server, copied):
    copied(journal, server)
    for each in (journal, second_journal):
        event, payload = new_event("user", "note", {})
        each.append(event, payload=payload).result(30)
        copied(each, server)
    first, second = PostgresStore(server).journals()
    assert (first.journal_id, second.journal_id) == (second_journal.journal_id, journal.journal_id)
    assert first.copied_at > second.copied_at
    assert first.host
