from __future__ import annotations

from itertools import count

import pytest

from reactor_core.cli_events.following import every, follow, last
from reactor_core.errors import StorageError
from reactor_core.events.query import EventQuery, Page, event_query
from reactor_core.events.store import JournalStore


@pytest.fixture
def store(workspace):
    store = JournalStore(workspace / "reactor.db")
    yield store
    store.close()


def ids(events):
    return [int(each.event_id[-3:]) for each in events]


def test_every_event_comes_in_order_over_pages(store, add, event):
    add(*(event(number) for number in range(6, 606)))
    assert ids(every(store, EventQuery())) == [*range(1, 606)]


def test_the_last_ones_come_in_order(store):
    events, _ = last(store, event_query("note"), 1)
    assert ids(events) == [5]
    events, _ = last(store, EventQuery(), 0)
    assert events == []


def test_what_is_added_is_followed(store, add, event):
    _, cursor = last(store, EventQuery(), 1)
    turns = count()
    groups = follow(store, EventQuery(), cursor, ended=lambda: next(turns) > 8, note=pytest.fail, pause=lambda _: None)
    assert next(groups) == []
    add(event(6), event(7))
    assert ids(next(groups)) == [6, 7]
    assert next(groups) == []
    add(event(8))
    assert ids(next(groups)) == [8]
    assert [group for group in groups if group] == []


def test_nothing_is_read_while_nothing_is_added(store, monkeypatch):
    _, cursor = last(store, EventQuery(), 1)
    turns = count()
    groups = follow(store, EventQuery(), cursor, ended=lambda: next(turns) > 5, note=pytest.fail, pause=lambda _: None)
    next(groups)
    monkeypatch.setattr(store, "query", pytest.fail)
    assert not any(groups)


def test_a_backlog_is_read_without_pauses(store, add, event):
    _, cursor = last(store, EventQuery(), 1)
    add(*(event(number) for number in range(6, 606)))
    pauses = []
    groups = follow(store, EventQuery(), cursor, ended=lambda: len(pauses) > 0, note=pytest.fail, pause=pauses.append)
    assert sum(len(group) for group in groups) == 600
    assert len(pauses) == 1


class Flaky:
    """A store whose server goes away for two looks."""

    def __init__(self, event):
        self.answers = iter([None, None, Page([event], None, "next"), Page([], None, "next")])

    def query(self, query, **_):
        answer = next(self.answers)
        if answer is None:
            raise StorageError("nobody there")
        return answer


def test_a_store_that_is_away_is_waited_for_and_said_once(event):
    notes, turns = [], count()
    groups = follow(
        Flaky(event(1)), EventQuery(), "begin", ended=lambda: next(turns) > 3, note=notes.append, pause=lambda _: None
    )
    assert ids(each for group in groups for each in group) == [1]
    assert notes == ["nobody there; trying again", "the store answers again"]
