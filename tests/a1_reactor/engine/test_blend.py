import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from a1_reactor.engine.blend import BlendConfig, blend_window, crossfade_weight
from a1_reactor.types import Window

CONFIG = BlendConfig()
WINDOWS = st.tuples(st.integers(0, 50), st.integers(1, 50)).map(lambda t: Window(t[0], t[0] + t[1]))


def flat(level):
    return np.full((64, 96, 3), level, np.uint8)


def blended(window, frames, old, new, config=CONFIG):
    return dict(blend_window(window, frames, old, new, config))


def test_weights_are_those_of_the_recipe():
    # k = 4: min(1, (i - a + 1) / 5, (b - i) / 5)
    weights = [crossfade_weight(i, Window(10, 22), 4, left=True, right=True) for i in range(10, 22)]
    assert weights == pytest.approx([0.2, 0.4, 0.6, 0.8, 1, 1, 1, 1, 0.8, 0.6, 0.4, 0.2])


def test_there_is_no_fade_where_there_is_no_join():
    assert crossfade_weight(10, Window(10, 22), 4, left=False, right=True) == 1


@given(WINDOWS, st.integers(0, 8), st.booleans(), st.booleans())
def test_weights_are_shares_and_some_frame_is_all_new(window, boundary, left, right):
    weights = [crossfade_weight(i, window, boundary, left=left, right=right) for i in window.frames]
    assert all(0 < weight <= 1 for weight in weights)
    assert max(weights) == 1


def test_a_colour_cast_is_taken_out():
    old, new = flat(100), flat(100) + np.array([12, -4, -8]).astype(np.uint8)
    for frame in blended(Window(5, 17), 30, lambda i: old, lambda i: new).values():
        assert np.array_equal(frame, old)


def test_a_cast_that_drifts_is_followed_between_the_ends():
    window = Window(1, 11)
    frames = blended(window, 12, lambda i: flat(100), lambda i: flat(110 + i))
    # The cast goes from 11 to 20 levels in equal steps, and so does the offset that takes it out.
    assert all(np.array_equal(frame, flat(100)) for frame in frames.values())


def test_texture_is_kept_in_the_middle_of_the_window():
    checker = (np.indices((64, 96)).sum(axis=0) % 2 * 100 + 50).astype(np.uint8)[..., None].repeat(3, axis=2)
    frames = blended(Window(5, 25), 40, lambda i: flat(100), lambda i: checker)
    assert np.abs(frames[15].astype(int) - checker).max() <= 1


def test_one_join_alone_corrects_the_whole_window():
    frames = blended(Window(0, 10), 20, lambda i: flat(100), lambda i: flat(120))
    assert all(np.array_equal(frame, flat(100)) for frame in frames.values())


def test_the_whole_clip_has_no_joins_and_stays_as_it_came():
    frames = blended(Window(0, 10), 10, lambda i: flat(100), lambda i: flat(120))
    assert all(np.array_equal(frame, flat(120)) for frame in frames.values())


def test_switched_off_it_changes_nothing():
    frames = blended(Window(2, 6), 10, lambda i: flat(0), lambda i: flat(i), BlendConfig(enabled=False))
    assert all(np.array_equal(frame, flat(index)) for index, frame in frames.items())


@given(WINDOWS.filter(lambda w: len(w) < 12), st.integers(0, 30))
def test_exactly_the_windows_frames_are_made_from_frames_inside_it(window, behind):
    def only_inside(index):
        assert index in window.frames
        return np.full((16, 16, 3), index, np.uint8)

    frames = blended(window, window.stop + behind, only_inside, only_inside)
    assert list(frames) == list(window.frames)
    assert all(np.array_equal(frame, only_inside(index)) for index, frame in frames.items())
