from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from a1_reactor.media.import_timing import COMMON_RATES, find_timing, resampled
from reactor_core.errors import SpecError

MS = Fraction(1, 1000)


def timing(ticks, *, tick=MS, end=None, stated=(), fps=None):
    gap = ticks[-1] - ticks[-2] if len(ticks) > 1 else 40
    return find_timing(ticks, end=ticks[-1] + gap if end is None else end, tick=tick, stated=stated, fps=fps)


@settings(max_examples=40)
@given(st.sampled_from(COMMON_RATES), st.integers(2, 300), st.integers(0, 10_000), st.sampled_from([1000, 90_000]))
def test_a_usual_rate_is_found_behind_time_stamps_that_were_rounded(rate, count, start, clock):
    # A container that counts milliseconds cannot tell 1/24 s from 42 ms.
    ticks = [start + round(index / rate * clock) for index in range(count)]
    found = timing(ticks, tick=Fraction(1, clock), stated=[rate])
    assert (found.fps, found.frames, found.constant) == (rate, count, True)


@settings(max_examples=40)
@given(st.sampled_from(COMMON_RATES), st.integers(1, 200))
def test_a_constant_rate_comes_out_one_to_one(rate, count):
    moments = [(Fraction(round(index / rate * 1000), 1000), index) for index in range(count)]
    assert list(resampled(moments, rate, count)) == list(range(count))


@settings(max_examples=40)
@given(st.lists(st.integers(1, 200), min_size=1, max_size=60), st.sampled_from(COMMON_RATES))
def test_each_frame_shows_what_was_on_the_screen_in_the_middle_of_its_time(gaps, fps):
    ticks = [sum(gaps[:index]) for index in range(len(gaps))]
    count = max(1, round(sum(gaps) * MS * fps))
    shown = list(resampled([(tick * MS, tick) for tick in ticks], fps, count))
    for index, found in enumerate(shown):
        middle = (index + Fraction(1, 2)) / fps
        assert found == max(tick for tick in ticks if tick * MS <= middle)
    assert shown == sorted(shown)


def test_a_variable_rate_becomes_the_usual_one_that_is_closest():
    # A phone: 33 ms mostly, 50 ms in the dark.
    found = timing([0, 33, 67, 100, 150, 200, 233, 267])
    assert (found.fps, found.constant) == (Fraction(30), False)
    assert (found.shortest_s, found.longest_s) == (33 * MS, 50 * MS)
    assert found.frames == 9  # 267 + 34 = 301 ms at 30 fps are 9.03


def test_a_rate_that_nobody_uses_is_rounded():
    assert timing([0, 50, 104, 159, 200]).fps == 19  # 50, 54 and 55 ms: 53 ms are 18.9 fps


def test_another_rate_is_taken_where_it_is_asked_for():
    ticks = [index * 40 for index in range(50)]
    assert timing(ticks).fps == 25
    found = timing(ticks, fps=Fraction(24))
    assert (found.fps, found.frames, found.constant) == (Fraction(24), 48, False)


def test_one_frame_has_the_rate_that_the_file_states():
    assert timing([7], stated=[Fraction(30)]).fps == 30
    assert timing([7]).frames == 1


def test_two_frames_at_one_moment_are_refused():
    with pytest.raises(SpecError, match="same time"):
        timing([0, 40, 40])


def test_only_two_frames_are_held_at_a_time():
    drawn = []

    def source():
        for index in range(100):
            drawn.append(index)
            yield Fraction(index, 10), index

    frames = resampled(source(), Fraction(10), 100)
    for index, _ in enumerate(frames):
        assert len(drawn) <= index + 2
