from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor_core.errors import ConfigError
from reactor_core.events import EventQuery, EventType, count_by_type, event_query, new_event, seq_range
from reactor_core.events.query import Summary, like_pattern

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def test_a_query_is_spelled_in_one_way_however_it_was_written():
    asked = event_query("COST_UPDATE", sources=["REACTOR_CORE", "scout"], time_range="last_24h", now=NOW, lanes=[1, 2])
    assert asked == EventQuery(
        types=("cost_update",), sources=("reactor_core", "scout"), since=NOW - timedelta(days=1), lanes=(1, 2)
    )
    assert event_query([EventType.COST_UPDATE]) == event_query("cost_update")
    assert event_query() == EventQuery()
    assert event_query([]).types == ()
    assert event_query(text="") == EventQuery()


@pytest.mark.parametrize(
    "bad",
    [
        {"types": "a\0b"},
        {"sources": [""]},
        {"lanes": [5]},
        {"lanes": [True]},
        {"trace_id": "two\nlines"},
        {"journal": ""},
        {"text": "\ud800"},
        {"time_range": "yesterday"},
    ],
)
def test_what_no_event_can_fulfil_by_mistake_is_an_error(bad):
    with pytest.raises(ConfigError):
        event_query(**bad)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_no_text_is_a_pattern(text):
    pattern = like_pattern(text)
    assert pattern[0] == pattern[-1] == "%"
    inner = pattern[1:-1]
    for sign in "~%_":
        inner = inner.replace("~" + sign, "")
    assert not set(inner) & set("~%_")


def test_a_summary_adds_up_its_groups():
    early, late = NOW - timedelta(hours=1), NOW
    groups = [("a", "user", 3, 2, early, early), ("b", "user", 1, 3, early, late), ("a", "scout", 3, 1, late, late)]
    summary = Summary.of(groups)
    assert (summary.total, summary.first, summary.last) == (6, early, late)
    assert list(summary.types.items()) == [("a", 3), ("b", 3)]
    assert list(summary.sources.items()) == [("user", 5), ("scout", 1)]
    assert list(summary.lanes.items()) == [(1, 3), (3, 3)]
    assert Summary.of([]) == Summary(0, None, None, {}, {}, {})


def test_counts_and_positions_of_events():
    events = [new_event("user", name, {})[0].at(seq) for seq, name in ((4, "error"), (5, "feedback"), (9, "error"))]
    assert count_by_type(events) == {"error": 2, "feedback": 1}
    assert seq_range(events) == (4, 9)
    assert seq_range([]) is None
