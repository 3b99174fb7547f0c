from __future__ import annotations

import pytest

from reactor_core.events import Journal, new_event
from reactor_core.events.lane_reader import LaneReader

LANES = [3, 1, 4, 3, 2, 3, 1, 3]  # of the positions 1, 2, ...


@pytest.fixture
def reader(journal: Journal):
    for number, lane in enumerate(LANES, start=1):
        event, payload = new_event(
            "user", "tick" if number % 2 else "tock", {"n": number, "x": "x" * 1000}, priority=lane
        )
        journal.append(event, payload=payload).result(30)
    reader = journal.open_reader(LaneReader)
    yield reader
    reader.close()


def seqs(read) -> tuple[list[int], int]:
    events, reached = read
    return [event.seq for event in events], reached


ALL = {"types": None, "events": 100, "size": 1 << 20}


def test_a_lane_is_read_in_order_up_to_a_position(reader: LaneReader):
    assert seqs(reader.read_lane(3, after=0, until=8, **ALL)) == ([1, 4, 6, 8], 8)
    assert seqs(reader.read_lane(3, after=1, until=7, **ALL)) == ([4, 6], 7)
    assert seqs(reader.read_lane(1, after=0, until=8, **ALL)) == ([2, 7], 8)


def test_the_next_events_are_those_of_all_lanes(reader: LaneReader):
    assert [event.seq for event in reader.read_next(after=2, events=3)] == [3, 4, 5]
    assert reader.read_next(after=8, events=3) == []


def test_what_is_urgent_is_read_with_one_question(reader: LaneReader):
    assert [event.seq for event in reader.read_urgent(after=0, events=10)] == [2, 7]
    assert [event.seq for event in reader.read_urgent(after=0, events=1)] == [2]
    assert reader.read_urgent(after=7, events=10) == []


def test_the_rest_is_everything_but_lane_1(reader: LaneReader):
    assert seqs(reader.read_rest(after=0, until=8, **ALL)) == ([1, 3, 4, 5, 6, 8], 8)
    assert seqs(reader.read_rest(after=0, until=8, **{**ALL, "types": frozenset({"tock"})})) == ([4, 6, 8], 8)
    assert seqs(reader.read_rest(after=0, until=8, **{**ALL, "types": frozenset()})) == ([], 8)


def test_reading_ends_early_by_number_and_by_bytes(reader: LaneReader):
    assert seqs(reader.read_lane(3, after=0, until=8, **{**ALL, "events": 2})) == ([1, 4], 4)
    assert seqs(reader.read_lane(3, after=0, until=8, **{**ALL, "size": 1500})) == ([1, 4], 4)
    assert seqs(reader.read_rest(after=0, until=8, **{**ALL, "size": 1})) == ([1], 1)


def test_rare_types_are_searched_in_windows(reader: LaneReader, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("reactor_core.events.lane_reader._WINDOW", 2)
    tock = {**ALL, "types": frozenset({"tock"})}
    assert seqs(reader.read_lane(3, after=0, until=8, **tock)) == ([4], 4)
    assert seqs(reader.read_lane(3, after=4, until=8, **tock)) == ([6, 8], 8)
    assert seqs(reader.read_lane(3, after=8, until=8, **tock)) == ([], 8)


def test_a_lane_is_read_through_its_index_without_sorting(reader: LaneReader):
    for where, values in (
        ("priority = ? AND seq > ? AND seq <= ?", (3, 0, 8)),
        ("+priority > 1 AND seq > ? AND seq <= ?", (0, 8)),
    ):
        plan = [
            row[3]
            for row in reader._db.execute(
                f"EXPLAIN QUERY PLAN SELECT * FROM events WHERE {where} ORDER BY seq LIMIT 5",
                values,
            )
        ]
        assert len(plan) == 1, plan
        assert plan[0].startswith("SEARCH events USING I"), plan
