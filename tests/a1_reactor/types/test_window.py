from contextlib import suppress
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a1_reactor.types import Window, merge_windows
from reactor_core.errors import SpecError

FPS = st.sampled_from([Fraction(24), Fraction(25), Fraction(30), Fraction(24000, 1001), Fraction(60), Fraction(1, 2)])
SECONDS = st.fractions(min_value=0, max_value=30, max_denominator=1000)


def test_the_window_of_the_readme_holds_frames_20_to_38():
    # 0.8 * 24 = 19.2 and 1.6 * 24 = 38.4: frames 20..38 have their time inside.
    window = Window.from_seconds("0.8", "1.6", 24)
    assert (window.start, window.stop, len(window)) == (20, 39, 19)


def test_a_window_of_one_second_holds_as_many_frames_as_the_rate():
    assert len(Window.from_seconds(1.0, 2.0, 24)) == 24


@given(SECONDS, SECONDS, FPS)
def test_exactly_the_frames_whose_time_lies_inside(start, end, fps):
    inside = {index for index in range(int(30 * fps) + 2) if start <= index / fps < end}
    if inside:
        assert set(Window.from_seconds(start, end, fps).frames) == inside
    else:
        with pytest.raises(SpecError):
            Window.from_seconds(start, end, fps)


@given(SECONDS, SECONDS, SECONDS, FPS)
def test_windows_that_touch_share_no_frame_and_leave_none_out(a, b, c, fps):
    a, b, c = sorted((a, b, c))
    parts = []
    for start, end in ((a, b), (b, c)):
        with suppress(SpecError):  # where no frame lies between them
            parts += Window.from_seconds(start, end, fps).frames
    try:
        whole = list(Window.from_seconds(a, c, fps).frames)
    except SpecError:
        whole = []
    assert parts == whole


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)), max_size=8))
def test_merging_keeps_the_frames_and_leaves_gaps_between_windows(spans):
    windows = [Window(start, start + length) for start, length in spans]
    merged = merge_windows(windows, frames=80)
    assert {i for w in merged for i in w.frames} == {i for w in windows for i in w.frames}
    assert all(left.stop < right.start for left, right in pairwise(merged))
    assert merge_windows(merged, frames=80) == merged


def test_merged_windows_remember_the_seconds_that_were_asked_for():
    windows = [Window.from_seconds(0, 1, 24), Window.from_seconds(0.5, 2, 24)]
    assert merge_windows(windows, frames=72)[0].asked_s == (0, 2)


@pytest.mark.parametrize(("start", "end"), [(1, 1), (2, 1), (-1, 1), ("1.001", "1.002"), ("a", 1), (0, float("inf"))])
def test_an_empty_or_impossible_window_is_refused(start, end):
    with pytest.raises(SpecError):
        Window.from_seconds(start, end, 24)


def test_a_window_behind_the_end_is_refused_in_seconds_and_frames():
    with pytest.raises(SpecError, match=r"48\.\.216 \(2 to 9 s\) ends outside the clip of 72 frames"):
        merge_windows([Window.from_seconds(2, 9, 24)], frames=72)


def test_a_window_has_at_least_one_frame():
    with pytest.raises(SpecError, match="holds no frame"):
        Window(3, 3)
