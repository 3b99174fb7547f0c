from __future__ import annotations

import pytest

from reactor_core.errors import ConfigError
from reactor_core.events import Event, Priority, new_event
from reactor_core.events.drafts import read_draft


def test_an_event_of_this_workspace_with_its_bytes_is_new():
    event, payload = new_event("user", "feedback", {"n": 1})
    item = read_draft(event, payload)
    assert (item.minted, item.payload, item.dedup_key, item.uncommitted) == (True, payload, "", False)


def test_an_event_from_elsewhere_may_be_known_whatever_it_brings():
    event, payload = new_event("user", "feedback", {"n": 1})
    assert not read_draft(event).minted
    assert not read_draft(event, payload, "hub").minted
    assert read_draft(event).payload == payload


@pytest.mark.parametrize("lane", [0, 5, -1, True, "1", 1.0, None])
def test_a_lane_that_is_none_is_refused(lane):
    event, payload = new_event("user", "feedback", {})
    odd = Event(event.event_id, event.event_type, event.source, lane, {}, event.timestamp)
    with pytest.raises(ConfigError, match="priority"):
        read_draft(odd, payload)


def test_a_lane_may_be_a_member():
    event, payload = new_event("user", "feedback", {})
    named = Event(event.event_id, event.event_type, event.source, Priority.LOW, {}, event.timestamp)
    assert read_draft(named, payload).event.priority == 4


def test_an_empty_key_is_refused():
    event, payload = new_event("user", "feedback", {})
    with pytest.raises(ConfigError, match="dedup_key"):
        read_draft(event, payload, "", "")


def test_data_without_a_json_form_is_refused():
    event, _ = new_event("user", "feedback", {})
    odd = Event(event.event_id, event.event_type, event.source, 3, {"x": object()}, event.timestamp)
    with pytest.raises(ConfigError, match="JSON"):
        read_draft(odd)
