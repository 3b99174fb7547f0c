"""What one end of a window knows, on flat pictures where every number is arithmetic."""

import numpy as np
import pytest

from a1_reactor.engine.blend import METHODS
from a1_reactor.engine.joins import joins_of
from a1_reactor.eval.measures import measure_clip
from a1_reactor.eval.seams import Typical
from a1_reactor.types import Window

FRAMES = 16


def joins(window, *, old=100, new=lambda index: 120):
    """Joins of a still clip at one level, and the numbers of the new frames that were asked for."""
    asked = []

    def made(index):
        asked.append(index)
        return np.full((64, 96, 3), new(index), np.uint8)

    still = np.full((64, 96, 3), old, np.uint8)
    typical = Typical.of(measure_clip([still] * FRAMES))
    return joins_of(window, FRAMES, lambda index: still, made, typical), asked


def test_the_ends_of_a_clip_are_no_joins():
    for window, ends in ((Window(0, 4), [3]), (Window(12, 16), [12]), (Window(0, 16), []), (Window(3, 5), [3, 4])):
        assert [join.index for join in joins(window)[0]] == ends


def test_a_join_asks_for_the_new_frame_at_its_own_end_and_no_other():
    (left, right), asked = joins(Window(4, 12))
    left.look_back()
    assert asked == []
    assert [left.reaches(METHODS[name]) for name in ("none", "offset")] == [False, True]
    assert set(asked) == {4}
    right.reaches(METHODS["none"])
    assert set(asked) == {4, 11}


def test_a_step_in_colour_is_a_ratio_to_what_is_usual():
    (left, _), _ = joins(Window(4, 12))
    # A still clip has a typical step of 0, so the ratio of 20 levels is (20 + 0.25) / (0 + 0.25).
    assert left.colour(METHODS["none"]) == pytest.approx(81)
    # Two of five steps away from the old frame: a third of the difference is left at the first new one.
    assert left.colour(METHODS["crossfade 2"]) == pytest.approx((20 / 3 + 0.25) / 0.25, rel=0.01)
    assert left.colour(METHODS["offset"]) == pytest.approx(1)


def test_what_is_known_to_fail_is_told_apart_from_what_was_never_tried():
    (left, _), _ = joins(Window(4, 12))
    assert not left.knows(METHODS["none"])
    left.reaches(METHODS["none"])
    assert left.knows(METHODS["none"])


def test_about_one_frame_both_joins_have_one_field():
    (left, right), _ = joins(Window(7, 8))
    assert right.colour(METHODS["offset"]) == left.colour(METHODS["offset"]) == pytest.approx(1)
