from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor_core.training.interval import STALL_SHARE, Interval, young_daly

costs = st.floats(0.001, 100)
hazards = st.floats(60, 1e7)


@given(costs, hazards, st.floats(0.5, 2))
def test_no_other_interval_loses_less_time(cost: float, between_failures: float, factor: float) -> None:
    def lost(seconds: float) -> float:
        return cost / seconds + seconds / (2 * between_failures)

    best = young_daly(cost, between_failures)
    assert lost(best) <= lost(best * factor) * (1 + 1e-12)


@given(costs, hazards)
def test_saving_takes_no_more_than_its_share(cost: float, between_failures: float) -> None:
    interval = Interval(None, between_failures=between_failures, size=0)
    interval.learn(cost)
    assert cost / (cost + interval.seconds) <= STALL_SHARE * (1 + 1e-9)
    assert interval.seconds >= young_daly(cost, between_failures)


def test_twenty_milliseconds_and_an_hour_make_twelve_seconds() -> None:
    interval = Interval(None, between_failures=3600, size=0)
    interval.learn(0.02)
    assert interval.seconds == 12.0


def test_the_first_save_replaces_the_guess_and_later_ones_move_the_mean() -> None:
    interval = Interval(None, between_failures=3600, size=100_000_000)
    assert interval.cost == 0.5  # at 200 MB/s
    assert interval.facts()["cost_seconds"] is None
    interval.learn(2.0)
    assert interval.cost == 2.0
    interval.learn(1.0)
    assert interval.cost == pytest.approx(1.7)
    assert interval.facts()["cost_seconds"] == interval.cost


def test_what_was_asked_for_is_not_changed() -> None:
    interval = Interval(30.0, between_failures=3600, size=0)
    interval.learn(100.0)
    assert interval.seconds == 30.0
    assert (interval.facts()["chosen_by"], interval.facts()["hours_between_failures"]) == ("save_seconds", None)
