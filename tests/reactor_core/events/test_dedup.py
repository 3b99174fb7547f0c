from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor_core.errors import ConfigError
from reactor_core.events.dedup import DedupWindow, content_key, named_key

happenings = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 40)), max_size=60)


@given(happenings)
def test_an_event_is_suppressed_exactly_if_the_stored_one_is_younger_than_the_window(steps):
    window = DedupWindow(60)
    stored: dict[str, tuple[float, int]] = {}
    now = 0.0
    for seq, (key, wait) in enumerate(steps, start=1):
        now += wait
        first = stored.get(key)
        expected = first[1] if first is not None and now - first[0] < 60 else None
        assert window.find(key, now) == expected
        if expected is None:
            window.remember(key, now, seq)
            stored[key] = (now, seq)


def test_a_reading_that_repeats_every_second_is_stored_once_a_minute():
    window = DedupWindow(60)
    stored = 0
    for second in range(180):
        if window.find("gauge", second) is None:
            window.remember("gauge", second, second)
            stored += 1
    assert stored == 3


def test_memory_is_bounded_by_forgetting_the_oldest():
    window = DedupWindow(60, capacity=10)
    for number in range(100):
        window.remember(str(number), 0.0, number)
    assert len(window) == 10
    assert window.find("99", 0.0) == 99
    assert window.find("0", 0.0) is None


def test_keys_older_than_the_window_leave_memory():
    window = DedupWindow(60)
    window.remember("old", 0.0, 1)
    window.remember("new", 60.0, 2)
    assert len(window) == 1


def test_a_clock_that_was_set_back_an_hour_suppresses_nothing():
    window = DedupWindow(60)
    window.remember("gauge", 3600.0, 1)
    assert window.find("gauge", 0.0) is None


def test_the_order_of_fields_does_not_make_another_event():
    assert content_key("user", "feedback", {"a": 1, "b": 2}) == content_key("user", "feedback", {"b": 2, "a": 1})


def test_source_type_and_content_each_make_another_event():
    keys = {
        content_key("user", "feedback", {"a": 1}),
        content_key("scout", "feedback", {"a": 1}),
        content_key("user", "correction", {"a": 1}),
        content_key("user", "feedback", {"a": 2}),
        named_key("user", "feedback", "a"),
    }
    assert len(keys) == 5


def test_an_empty_name_is_refused():
    with pytest.raises(ConfigError, match="dedup_key"):
        named_key("user", "feedback", "")
