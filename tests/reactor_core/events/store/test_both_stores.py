"""One suite over both stores: the same question has the same answer."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from reactor_core.cloud import Postgres
from reactor_core.errors import ConfigError
from reactor_core.events import Event, Journal, event_query
from reactor_core.events.query import EventQuery
from reactor_core.events.store import Copier, JournalStore, PostgresStore

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def event(number: int, name: str = "note", **fields) -> Event:
    """An event that arrives in the order of its number, unlike its time."""
    given = {
        "event_id": f"event-{number:012}",
        "event_type": name,
        "source": "user",
        "priority": 3,
        "data": {"n": number},
        "timestamp": NOON - timedelta(minutes=number),
        "metadata": {},
    }
    return Event(**(given | fields))


def fill(journal, *events) -> None:
    for each in events:
        journal.append(each).result(30)


def numbers(page) -> list[int]:
    return [each.data["n"] for each in page.events]


def test_an_empty_store_has_an_empty_page_to_go_on_from(journal, stored):
    page = stored().query(EventQuery())
    assert (page.events, page.next_cursor) == ([], None)
    fill(journal, event(1))
    assert numbers(stored().query(EventQuery(), cursor=page.resume)) == [1]


def test_what_is_read_is_what_was_stored(journal, stored):
    told = event(
        1, data={"n": 1, "text": 'quote " and \0 zero', "deep": [[None, 1.5, "ß"]]}, metadata={"trace_id": "t"}
    )
    fill(journal, told)
    (found,) = stored().query(EventQuery()).events
    assert found == journal.read()[0]
    assert (found.data, found.metadata, found.seq) == (told.data, told.metadata, 1)
    assert stored().get(told.event_id) == found
    assert stored().get("nobody\0") is None
    assert stored().get("nobody") is None


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({}, [1, 2, 3, 4, 5, 6]),
        ({"types": "ping"}, [2, 4]),
        ({"types": ["ping", "COST_UPDATE"]}, [2, 3, 4]),
        ({"types": []}, []),
        ({"sources": "scout"}, [4]),
        ({"lanes": [1, 4]}, [5, 6]),
        ({"types": "ping", "sources": "scout"}, [4]),
        ({"time_range": (NOON - timedelta(minutes=4), NOON - timedelta(minutes=2))}, [3, 4]),
        ({"time_range": (None, NOON - timedelta(minutes=5))}, [6]),
        ({"time_range": timedelta(minutes=3), "now": NOON}, [1, 2, 3]),
        ({"text": "MIXED case"}, [5]),
        ({"text": "ärger"}, []),
        ({"text": "ÄRGER"}, [5]),
        ({"text": "100%"}, [6]),
        ({"text": "1_0"}, []),
        ({"text": "a~b"}, [6]),
        ({"text": 'say "hi"\\'}, [6]),
        ({"text": "\n"}, [6]),
        ({"text": "\0"}, [5]),
        ({"trace_id": "t-1"}, [1, 6]),
        ({"trace_id": "T-1"}, []),
        ({"trace_id": "x" * 5000}, [2]),
        ({"trace_id": 'with "quotes"'}, [3]),
        ({"trace_id": "7"}, []),
        ({"journal": "nobody's"}, []),
    ],
)
def test_every_condition(filled, conditions, expected):
    query = event_query(**conditions)
    assert numbers(filled.query(query)) == expected
    assert numbers(filled.query(query, newest=True)) == expected[::-1]
    assert filled.summary(query).total == len(expected)


@pytest.fixture(scope="module", params=["journal", "postgres"])
def filled(request, tmp_path_factory):
    """A store with six events; nothing is added to it."""
    with Journal(tmp_path_factory.mktemp("filled") / "reactor.db") as journal:
        fill(
            journal,
            event(1, metadata={"trace_id": "t-1"}),
            event(2, "ping", metadata={"trace_id": "x" * 5000}),
            event(3, "cost_update", metadata={"trace_id": 'with "quotes"'}),
            event(4, "ping", source="scout", data={"n": 4, "trace_id": "t-1"}, metadata={"trace_id": 7}),
            event(5, priority=1, data={"n": 5, "text": "Mixed Case, Ärger, \0"}, metadata={"trace_id": "zero \0"}),
            event(
                6,
                priority=4,
                data={"n": 6, "text": '100% a~b say "hi"\\ \n'},
                metadata={"inner": {}, "trace_id": "t-1"},
            ),
        )
        if request.param == "journal":
            store = JournalStore(journal.path)
        else:
            server = Postgres(request.getfixturevalue("postgres").new_schema())
            with closing(Copier(journal.path, journal.journal_id, server)) as copier:
                copier.step()
            store = PostgresStore(server)
    with closing(store):
        yield store


def test_pages_follow_each_other_in_both_directions(journal, stored):
    fill(journal, *(event(number, ("odd", "even")[number % 2 == 0]) for number in range(1, 12)))
    store = stored()
    for query, expected in ((EventQuery(), list(range(1, 12))), (event_query("odd"), [1, 3, 5, 7, 9, 11])):
        for newest in (False, True):
            seen, cursor = [], None
            while True:
                page = store.query(query, limit=2, cursor=cursor, newest=newest)
                assert len(page.events) <= 2
                seen += numbers(page)
                cursor = page.next_cursor
                if cursor is None:
                    break
            assert seen == (expected[::-1] if newest else expected)


def test_what_is_stored_between_two_pages_comes_in_its_turn(journal, stored):
    fill(journal, *(event(number) for number in range(1, 5)))
    back = stored().query(EventQuery(), limit=3, newest=True)
    onward = stored().query(EventQuery(), limit=3)
    fill(journal, event(5))
    assert numbers(stored().query(EventQuery(), cursor=back.next_cursor)) == [1]
    assert numbers(stored().query(EventQuery(), cursor=back.resume)) == [5]
    assert numbers(stored().query(EventQuery(), cursor=onward.next_cursor)) == [4, 5]


def test_following_goes_on_where_nothing_was_found(journal, stored):
    fill(journal, *(event(number) for number in range(1, 5)))
    page = stored().query(event_query("ping"))
    assert page.next_cursor is None
    fill(journal, event(5, "ping"), event(6))
    page = stored().query(event_query("ping"), cursor=page.resume)
    assert numbers(page) == [5]
    assert numbers(stored().query(event_query("ping"), cursor=page.resume)) == []


def test_a_cursor_of_another_store_is_refused(stored):
    with pytest.raises(ConfigError, match="none of this store"):
        stored().query(EventQuery(), cursor="bm90aGluZw")
    with pytest.raises(ConfigError, match="limit"):
        stored().query(EventQuery(), limit=0)


def test_the_summary_counts_what_the_query_finds(journal, stored):
    fill(journal, event(1), event(2, "ping", priority=1), event(3, "ping", source="scout"))
    summary = stored().summary(EventQuery())
    assert summary.types == {"ping": 2, "note": 1}
    assert summary.sources == {"user": 2, "scout": 1}
    assert summary.lanes == {1: 1, 3: 2}
    assert (summary.first, summary.last) == (NOON - timedelta(minutes=3), NOON - timedelta(minutes=1))
    empty = stored().summary(event_query("nothing"))
    assert (empty.total, empty.first, empty.types) == (0, None, {})


def test_an_erased_payload_is_gone_from_every_answer(journal, stored):
    fill(journal, event(1, metadata={"trace_id": "t"}, data={"n": 1, "secret": "call me"}), event(2))
    stored()
    journal.erase([1], reason="on request")
    store = stored()
    assert store.query(EventQuery()).events == journal.read()
    assert store.get("event-000000000001").metadata == {"erased": True}
    assert store.query(event_query(text="call me")).events == []
    assert store.query(event_query(trace_id="t")).events == []
