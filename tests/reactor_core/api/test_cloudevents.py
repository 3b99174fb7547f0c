from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reactor_core.api.cloudevents import from_cloudevent, to_cloudevent
from reactor_core.api.problems import Problem
from reactor_core.errors import ConfigError
from reactor_core.events.event import Event, new_event

# The example of the specification, with the attributes of ours.
PUBLISHED = {
    "specversion": "1.0",
    "type": "com.github.pull_request.opened",
    "source": "https://github.com/cloudevents/spec/pull",
    "subject": "123",
    "id": "A234-1234-1234-1234",
    "time": "2018-04-05T17:31:00Z",
    "comexampleextension1": "value",
    "comexampleothervalue": 5,
    "datacontenttype": "text/xml",
    "data": '<much wow="xml"/>',
}

NAMES = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
OBJECTS = st.dictionaries(st.text(max_size=10), VALUES, max_size=4)


def test_the_specification_s_own_example_comes_in_and_goes_out_as_it_was() -> None:
    event = from_cloudevent(PUBLISHED)
    assert event.data == {"value": '<much wow="xml"/>'}
    assert (event.event_type, event.source) == (PUBLISHED["type"], PUBLISHED["source"])
    sent = to_cloudevent(event)
    assert {name: sent[name] for name in PUBLISHED} == PUBLISHED | {"time": "2018-04-05T17:31:00.000000Z"}


def test_binary_data_stays_what_it_was() -> None:
    sent = PUBLISHED | {"data_base64": "PG11Y2g+"}
    del sent["data"]
    again = to_cloudevent(from_cloudevent(sent))
    assert again["data_base64"] == "PG11Y2g+"
    assert "data" not in again


@settings(max_examples=50)
@given(data=OBJECTS, metadata=OBJECTS, priority=st.integers(1, 4), source=NAMES, event_type=NAMES)
def test_an_event_of_ours_comes_back_equal(
    data: dict[str, Any], metadata: dict[str, Any], priority: int, source: str, event_type: str
) -> None:
    event, _ = new_event(source, event_type, data, metadata=metadata, priority=priority)
    sent = json.loads(json.dumps(to_cloudevent(event)))
    again = from_cloudevent(sent)
    assert (again.event_id, again.event_type, again.priority, again.timestamp, again.data, again.metadata) == (
        event.event_id, event.event_type, event.priority, event.timestamp, event.data, event.metadata)  # fmt: skip


@settings(max_examples=50)
@given(data=OBJECTS, metadata=OBJECTS)
def test_attributes_are_what_the_specification_allows(data: dict[str, Any], metadata: dict[str, Any]) -> None:
    event, _ = new_event("a source", "training_start", data, metadata={"trace_id": "t1", **metadata})
    sent = to_cloudevent(event.at(7))
    assert sent["sequence"] == "7"
    assert " " not in sent["source"]
    for name, value in sent.items():
        assert name == "data" or (name.islower() and name.isalnum() and name.isascii()), name
        assert name == "data" or isinstance(value, str | int), name


def test_metadata_of_somebody_else_under_our_name_is_left_alone() -> None:
    for kept in ("text", {"attributes": {"id": "forged"}}, {"attributes": 5}, {"attributes": {}, "more": 1}):
        event, _ = new_event("s", "t", {}, metadata={"cloudevents": kept})
        sent = to_cloudevent(event)
        assert sent["id"] == event.event_id
        assert json.loads(sent["metadata"]) == {"cloudevents": kept}


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"specversion": "0.3"}, "/specversion"),
        ({"id": ""}, "/id"),
        ({"source": None}, "/source"),
        ({"type": 5}, "/type"),
        ({"priority": 9}, "/priority"),
        ({"priority": True}, "/priority"),
        ({"metadata": "no json"}, "/metadata"),
        ({"metadata": {"an": "object"}}, "/metadata"),
        ({"traceid": 5}, "/traceid"),
        ({"time": "yesterday"}, "/time"),
        ({"time": 0}, "/time"),
        ({"subject": {"not": "simple"}}, "/subject"),
        ({"data_base64": "eA=="}, "/data_base64"),
    ],
)
def test_what_is_no_cloudevent_is_pointed_at(change: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Problem) as caught:
        from_cloudevent(PUBLISHED | change)
    assert [error["pointer"] for error in caught.value.errors or ()] == [pointer]


def test_what_is_no_object_is_refused() -> None:
    with pytest.raises(Problem):
        from_cloudevent([PUBLISHED])


def test_a_time_without_a_zone_is_utc() -> None:
    assert from_cloudevent(PUBLISHED | {"time": "2018-04-05T17:31:00"}).timestamp.isoformat() == (
        "2018-04-05T17:31:00+00:00"
    )


def test_a_name_that_is_too_long_for_an_event_is_refused() -> None:
    with pytest.raises(ConfigError, match="source"):
        from_cloudevent(PUBLISHED | {"source": "x" * 201})


def test_a_short_id_is_completed_so_that_it_names_one_event() -> None:
    first, second = (from_cloudevent(PUBLISHED | {"id": "1", "source": s}) for s in ("a", "b"))
    assert isinstance(first, Event)
    assert first.event_id != second.event_id
    assert from_cloudevent(PUBLISHED | {"id": "1", "source": "a"}).event_id == first.event_id
