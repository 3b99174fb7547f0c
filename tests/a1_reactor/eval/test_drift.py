import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from a1_reactor.eval.drift import GAPS, drift_curve


def cells(levels):
    return np.repeat(np.array(levels, np.uint8), 12 * 12 * 3).reshape(-1, 12, 12, 3)


def test_a_clip_that_turns_brighter_drifts_in_proportion():
    # Two levels a frame: frames g apart differ by 2 * g.
    assert drift_curve(cells(range(0, 120, 2))) == {gap: 2 * gap for gap in GAPS}


def test_a_clip_that_swings_comes_back():
    swinging = cells([100, 110] * 30)
    assert drift_curve(swinging) == {1: 10, 2: 0, 5: 10, 10: 0, 20: 0, 50: 0}


def test_distances_that_the_clip_is_too_short_for_are_left_out():
    assert set(drift_curve(cells([1] * 6))) == {1, 2, 5}
    assert drift_curve(cells([1])) == {}


@given(st.lists(st.integers(0, 255), min_size=2, max_size=60))
def test_differences_do_not_wrap_around(levels):
    (first, *_) = drift_curve(cells(levels)).values()
    assert first == pytest.approx(np.abs(np.diff(levels)).mean())
