"""Any question to both stores at once: the answers are equal, and equal to what Python finds in a list."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reactor_core.cloud import Postgres
from reactor_core.events import Event, Journal
from reactor_core.events.query import EventQuery
from reactor_core.events.store import Copier, JournalStore, PostgresStore, journal_store

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
TYPES = ("note", "ping", "cost_update")
SOURCES = ("user", "scout")
WORDS = ("", "alpha", "Beta", "100%", "a_b", "~", "Ä", 'quo"te', "\0", "\n")

COUNT = 60


def make(number: int) -> Event:
    """Fields with different periods, so that most combinations occur."""
    return Event(
        event_id=f"event-{number:012}",
        event_type=TYPES[number % 3],
        source=SOURCES[number % 2],
        priority=number * 7 % 4 + 1,
        data={"n": number, "word": WORDS[number % len(WORDS)]},
        timestamp=NOON + timedelta(seconds=number * 37 % COUNT),
        metadata={"trace_id": f"t-{number % 7}"} if number % 5 else {},
    )


moments = st.none() | st.integers(-1, COUNT + 1).map(lambda seconds: NOON + timedelta(seconds=seconds))
queries = st.builds(
    EventQuery,
    types=st.none() | st.lists(st.sampled_from((*TYPES, "absent")), max_size=3).map(tuple),
    sources=st.none() | st.lists(st.sampled_from((*SOURCES, "absent")), max_size=2).map(tuple),
    lanes=st.none() | st.lists(st.integers(1, 4), max_size=3).map(tuple),
    since=moments,
    until=moments,
    text=st.none() | st.sampled_from([word for word in WORDS if word] + ["ALPHA", "ä", "BETA", "n", "trace"]),
    trace_id=st.none() | st.sampled_from(["t-1", "t-3", "T-1", "t"]),
)


def fulfils(event: Event, query: EventQuery) -> bool:
    """The query in Python's words; the text is left to the stores."""
    return (
        (query.types is None or event.event_type in query.types)
        and (query.sources is None or event.source in query.sources)
        and (query.lanes is None or event.priority in query.lanes)
        and (query.since is None or event.timestamp >= query.since)
        and (query.until is None or event.timestamp < query.until)
        and (query.trace_id is None or event.metadata.get("trace_id") == query.trace_id)
    )


@pytest.fixture(scope="module")
def both(postgres, tmp_path_factory):
    """All events, and the two stores that hold them."""
    server = Postgres(postgres.new_schema())
    with Journal(tmp_path_factory.mktemp("journal") / "reactor.db") as journal:
        for number in range(COUNT):
            journal.append(make(number)).result(60)
        copier = Copier(journal.path, journal.journal_id, server)
        while copier.step().rows:
            pass
        copier.close()
        local, remote = JournalStore(journal.path), PostgresStore(server)
        yield journal.read(), local, remote
        local.close()
        remote.close()


def pages(store, query, limit, newest):
    found, cursor = [], None
    while True:
        page = store.query(query, limit=limit, cursor=cursor, newest=newest)
        found += page.events
        if page.next_cursor is None:
            return found
        assert len(page.events) == limit
        cursor = page.next_cursor


@settings(
    deadline=None,
    max_examples=80,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(query=queries, limit=st.integers(1, 25), newest=st.booleans(), near=st.integers(1, COUNT + 2))
def test_both_give_the_same_answer(both, query, limit, newest, near):
    events, local, remote = both
    journal_store._NEAR, before = near, journal_store._NEAR
    try:
        found = pages(local, query, limit, newest)
    finally:
        journal_store._NEAR = before
    assert pages(remote, query, limit, newest) == found
    assert local.summary(query) == remote.summary(query)
    assert local.summary(query).total == len(found)
    expected = [event for event in events if fulfils(event, query)]
    if query.text is None:
        assert found == (expected[::-1] if newest else expected)
    else:
        assert [event.seq for event in found] == sorted((event.seq for event in found), reverse=newest)
        assert {event.event_id for event in found} <= {event.event_id for event in expected}
