from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor_core.utils.clock import SystemClock, parse_timestamp, to_iso


@given(st.datetimes(timezones=st.just(UTC), min_value=datetime(1970, 1, 2), max_value=datetime(9999, 12, 30)))
def test_a_timestamp_survives_the_round_trip(moment):
    assert parse_timestamp(to_iso(moment)) == moment


@given(*[st.datetimes(timezones=st.just(UTC), min_value=datetime(1970, 1, 2))] * 2)
def test_text_order_is_time_order(a, b):
    assert (to_iso(a) < to_iso(b)) == (a < b)


def test_other_zones_become_utc():
    assert to_iso(datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))) == "2026-01-01T00:00:00.000000Z"


def test_a_naive_datetime_is_a_callers_fault():
    with pytest.raises(AssertionError):
        to_iso(datetime(2026, 1, 1))


def test_a_timestamp_without_a_zone_is_local():
    assert parse_timestamp("2026-01-01T12:00:00") == datetime(2026, 1, 1, 12).astimezone(UTC)


def test_the_system_clock_does_not_go_back():
    clock = SystemClock()
    assert clock.monotonic() <= clock.monotonic()
    assert clock.utc_now().tzinfo is UTC
