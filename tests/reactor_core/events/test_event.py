from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor_core.errors import ConfigError
from reactor_core.events.event import Event, encode_payload, from_micros, new_event, to_micros
from reactor_core.events.vocabulary import EventSource, EventType

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip
objects = st.dictionaries(st.text(), json_values, max_size=5)


def family(**changes) -> dict:
    """A neighbour's event as its own code writes it."""
    return {
        "event_id": "1f2e3d4c",
        "event_type": "scout_page_fetched",
        "source": "scout",
        "timestamp": "2026-01-05T10:00:00+00:00",
        "payload": {"url": "https://example.org"},
        "metadata": {},
        "target_sources": [],
        "priority": 5,
    } | changes


@given(objects, objects, st.sampled_from([1, 2, 3, 4]))
def test_our_json_gives_back_the_same_event(data, metadata, priority):
    event, _ = new_event("reactor_core", EventType.FEEDBACK, data, priority=priority, metadata=metadata)
    assert Event.from_json(event.to_json()) == event


@given(objects)
def test_family_json_gives_back_the_same_event(data):
    event, _ = new_event("reactor_core", "moon_phase", data)
    assert Event.from_json(event.to_family_json()) == event


def test_old_readers_find_the_data_under_payload():
    event, _ = new_event("user", EventType.FEEDBACK, {"text": "good"})
    spelled = json.loads(event.to_family_json())
    assert spelled["payload"] == spelled["data"] == {"text": "good"}
    assert spelled["target_sources"] == []


@pytest.mark.parametrize(("theirs", "lane"), [(1, 1), (2, 2), (3, 3), (4, 4), (5, 3), (6, 4), (10, 4), (0, 1)])
def test_family_priorities_become_lanes(theirs, lane):
    assert Event.from_dict(family(priority=theirs)).priority == lane


def test_a_family_timestamp_without_zone_is_local_time():
    event = Event.from_dict(family(timestamp="2026-01-05T10:00:00"))
    assert event.timestamp == datetime(2026, 1, 5, 10).astimezone(UTC)


def test_a_short_family_id_is_completed_and_stays_the_same_when_sent_again():
    once, again = Event.from_dict(family()), Event.from_dict(family())
    later = Event.from_dict(family(timestamp="2026-01-06T10:00:00+00:00"))
    assert once.event_id == again.event_id != later.event_id
    assert once.metadata["family_event_id"] == "1f2e3d4c"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"event_type": None}, "event_type"),
        ({"event_type": "a\nb"}, "event_type"),
        ({"source": ""}, "source"),
        ({"payload": [1]}, "data"),
        ({"metadata": "x"}, "metadata"),
        ({"timestamp": "yesterday"}, "timestamp"),
        ({"event_id": "x" * 201}, "event_id"),
    ],
)
def test_a_bad_field_is_named(change, field):
    with pytest.raises(ConfigError, match=field):
        Event.from_dict(family(**change))


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"\xff\xfe", b"null", b"[" * 100_000])
def test_text_that_is_no_event_is_refused(text):
    with pytest.raises(ConfigError, match="not an event"):
        Event.from_json(text)


def test_names_of_constants_are_understood():
    event, _ = new_event("JARVIS_AGENT", "TRAINING_START", {})
    assert (event.source, event.event_type) == (EventSource.JARVIS_AGENT, EventType.TRAINING_START)


def test_later_changes_by_the_caller_do_not_reach_the_event():
    data = {"steps": [1, 2]}
    event, _ = new_event("user", EventType.FEEDBACK, data)
    data["steps"].append(3)
    assert event.data == {"steps": [1, 2]}


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_number_that_json_cannot_carry_is_refused_by_name(bad):
    with pytest.raises(ConfigError, match=r"data\.losses\[1\]"):
        new_event("user", EventType.TRAINING_PROGRESS, {"losses": [0.5, bad], "none": None})


@pytest.mark.parametrize("bad", [object(), Path("x"), {"\ud800": 1}, 1j])
def test_a_value_without_json_form_is_refused(bad):
    with pytest.raises(ConfigError, match="JSON"):
        new_event("user", EventType.FEEDBACK, {"value": bad})


@pytest.mark.parametrize("priority", [0, 5, "2", True, 2.0])
def test_a_priority_that_is_no_lane_is_refused(priority):
    with pytest.raises(ConfigError, match="priority"):
        new_event("user", EventType.FEEDBACK, {}, priority=priority)


def test_a_payload_above_a_mebibyte_is_refused():
    with pytest.raises(ConfigError, match="publish its path"):
        encode_payload({"text": "x" * (1 << 20)}, {})


@given(st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.just(UTC)))
def test_microseconds_are_exact(moment):
    assert from_micros(to_micros(moment)) == moment


def test_microseconds_do_not_depend_on_the_zone():
    east = datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))
    assert to_micros(east) == to_micros(datetime(2026, 1, 1, tzinfo=UTC)) == 1_767_225_600_000_000


@given(objects, objects)
def test_an_event_that_is_read_when_needed_equals_one_that_is_read_at_once(data, metadata):
    made, payload = new_event("user", EventType.FEEDBACK, data, metadata=metadata)
    whole = Event(made.event_id, made.event_type, made.source, made.priority, data, made.timestamp, metadata)
    assert made.at(4, "hub") == whole.at(4, "hub")
    assert hash(made) == hash(whole)
    assert repr(made) == repr(whole)
    assert made.payload() == whole.payload() == payload
    assert made.micros() == whole.micros() == to_micros(made.timestamp)
    assert made != made.at(4)
    assert (made.at(4, "hub").seq, made.at(4, "hub").origin, made.origin) == (4, "hub", "")


@pytest.mark.parametrize("name", ["data", "metadata", "seq", "priority"])
def test_an_event_cannot_be_changed(name):
    made, _ = new_event("user", EventType.FEEDBACK, {})
    whole = Event.from_json(made.to_json())
    for event in (made, whole):
        with pytest.raises(AttributeError):
            setattr(event, name, {})


def test_who_brought_an_event_is_not_told_to_others():
    event, _ = new_event("user", EventType.FEEDBACK, {})
    brought = Event.from_json(event.to_json(), origin="hub")
    assert brought.origin == "hub"
    assert brought.to_json() == event.to_json()
    assert b"hub" not in brought.to_family_json()


def test_an_event_has_the_time_of_its_clock_or_of_the_machine():
    class Stopped:
        def utc_now(self) -> datetime:
            return datetime(2026, 1, 5, 10, tzinfo=UTC)

        def monotonic(self) -> float:
            return 0.0

    stopped, _ = new_event("user", EventType.FEEDBACK, {}, clock=Stopped())
    assert stopped.timestamp == Stopped().utc_now()
    assert stopped.micros() == to_micros(Stopped().utc_now())
    before = datetime.now(UTC)
    event, _ = new_event("user", EventType.FEEDBACK, {})
    assert before - timedelta(milliseconds=1) <= event.timestamp <= datetime.now(UTC)
    assert event.timestamp.tzinfo is UTC
