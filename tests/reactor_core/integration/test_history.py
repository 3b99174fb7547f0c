from __future__ import annotations

from pathlib import Path

import pytest

from reactor_core.events import Event, Journal, event_query, new_event
from reactor_core.integration.history import History


class Archive(History):
    """Nothing but a journal."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal


@pytest.fixture
def archive(tmp_path: Path):
    with Journal(tmp_path / "reactor.db") as journal:
        for number, name in enumerate(("red", "blue", "red")):
            told = {"trace_id": f"t-{number}"}
            event, payload = new_event(("user", "scout")[number % 2], name, {"n": number}, metadata=told)
            journal.append(event, payload=payload).result(30)
        yield Archive(journal)


def numbers(events: list[Event]) -> list[int]:
    return [event.data["n"] for event in events]


async def test_both_ways_of_asking_give_the_same_answer(archive):
    for conditions in (
        {},
        {"limit": 1},
        {"trace_id": "t-1"},
        {"source": "scout"},
        {"after_seq": 1, "newest": True, "limit": 1},
    ):
        asked = await archive.get_events_by_type(["red", "blue"], "last_24h", **conditions)
        assert asked == archive.get_events_by_type_sync(["red", "blue"], "last_24h", **conditions)


async def test_one_type_needs_no_list(archive):
    assert numbers(await archive.get_events_by_type("red")) == [0, 2]
    assert numbers(archive.get_events_by_type_sync("blue")) == [1]


def test_pages_follow_each_other_by_position(archive):
    page = archive.get_events_by_type_sync(None, limit=2)
    rest = archive.get_events_by_type_sync(None, limit=2, after_seq=page[-1].seq)
    assert numbers(page + rest) == [0, 1, 2]


def test_a_trace_is_found_by_its_id(archive):
    assert numbers(archive.get_events_by_type_sync(None, trace_id="t-2")) == [2]


async def test_cursors_lead_through_all_pages(archive):
    page = await archive.query(event_query(), limit=2)
    rest = archive.query_sync(event_query(), cursor=page.next_cursor)
    assert numbers(page.events + rest.events) == [0, 1, 2]
    back = await archive.query(event_query("red"), newest=True)
    assert numbers(back.events) == [2, 0]


def test_the_proof_covers_every_event(archive):
    report = archive.verify()
    assert (report.ok, report.events) == (True, 3)
