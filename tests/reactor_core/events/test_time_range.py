from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor_core.errors import ConfigError
from reactor_core.events import parse_time_range
from reactor_core.events.time_range import between

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("last_24h", timedelta(hours=24)),
        ("last_30_days", timedelta(days=30)),
        ("last_15_minutes", timedelta(minutes=15)),
        ("last_90s", timedelta(seconds=90)),
        ("last_2w", timedelta(weeks=2)),
        ("last_hour", timedelta(hours=1)),
        ("last_day", timedelta(days=1)),
    ],
)
def test_last_counts_back_from_now(text, span):
    assert parse_time_range(text, now=NOW) == (NOW - span, None)


@given(st.integers(0, 10_000), st.sampled_from([("h", 3600), ("_minutes", 60), ("d", 86_400), ("_seconds", 1)]))
def test_every_count_and_unit_is_read(count, unit):
    since, until = parse_time_range(f"last_{count}{unit[0]}", now=NOW)
    assert until is None
    assert NOW - since == timedelta(seconds=count * unit[1])


@given(st.text(max_size=20).filter(lambda text: not text.startswith("last_")))
def test_any_other_text_is_an_error_with_examples(text):
    with pytest.raises(ConfigError, match="last_30_days"):
        parse_time_range(text, now=NOW)


@pytest.mark.parametrize(
    "bad",
    ["last_3_months", "last_", "24h", "last_-1h", "last_999999999w", timedelta(days=-1), ("x", None), (NOW,), 5],
)
def test_a_range_that_cannot_be_read_is_an_error(bad):
    with pytest.raises(ConfigError, match="time_range"):
        parse_time_range(bad, now=NOW)


def test_from_and_to_take_texts_and_datetimes():
    assert parse_time_range(("2026-01-01T00:00:00Z", NOW), now=NOW) == (datetime(2026, 1, 1, tzinfo=UTC), NOW)
    assert parse_time_range((None, "2026-01-01T02:00:00+02:00"), now=NOW) == (None, datetime(2026, 1, 1, tzinfo=UTC))
    assert parse_time_range(None, now=NOW) == (None, None)


def test_a_range_that_ends_before_it_begins_is_an_error():
    with pytest.raises(ConfigError, match="before it begins"):
        parse_time_range((NOW, NOW - timedelta(seconds=1)), now=NOW)


@pytest.mark.parametrize("text", ["2h", "2_hours", "last_2h", "last_2_hours"])
def test_what_a_person_types_counts_back_or_is_a_moment(text):
    assert between(text, now=NOW) == (NOW - timedelta(hours=2), None)
    assert between(text, "2026-11-22", now=NOW) == (NOW - timedelta(hours=2), "2026-11-22")
    assert between("2026-01-31", now=NOW) == ("2026-01-31", None)
    assert between(None, now=NOW) == (None, None)
    with pytest.raises(ConfigError, match="--since 2_months"):
        between("2_months", now=NOW)
