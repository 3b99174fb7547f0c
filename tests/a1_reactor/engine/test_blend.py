import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from a1_reactor.engine import blend
from a1_reactor.engine.blend import METHODS, BlendConfig, Method, blend_window, crossfade_weight, fade_within, offset_at
from a1_reactor.engine.offsets import offset_between
from a1_reactor.types import Window
from reactor_core.errors import ConfigError

WINDOWS = st.tuples(st.integers(0, 50), st.integers(1, 50)).map(lambda t: Window(t[0], t[0] + t[1]))
FADED = METHODS["offset + crossfade 4"]


def flat(level):
    return np.full((64, 96, 3), level, np.uint8)


def blended(window, frames, old, new, method=FADED, share=None):
    """With the offset fields that the plan of such a window has."""
    ends = [i for i, joined in ((window.start, window.start > 0), (window.stop - 1, window.stop < frames)) if joined]
    offsets = tuple(offset_between(old(i), new(i)) for i in ends)
    return dict(blend_window(window, frames, old, new, method, offsets, share))


def test_methods_go_from_the_cheapest_on_and_are_named_by_what_they_do():
    assert next(iter(METHODS)) == "none"
    assert METHODS["offset + morph 8"] == Method(offset=True, fade=8, morph=True)
    assert all(name == method.name for name, method in METHODS.items())


def test_an_unknown_method_is_refused_by_name():
    with pytest.raises(ConfigError, match=r"'dissolve' is unknown.*"):
        BlendConfig(method="dissolve")


def test_weights_are_those_of_the_recipe():
    # k = 4: min(1, (i - a + 1) / 5, (b - i) / 5)
    weights = [crossfade_weight(i, Window(10, 22), 4, left=True, right=True) for i in range(10, 22)]
    assert weights == pytest.approx([0.2, 0.4, 0.6, 0.8, 1, 1, 1, 1, 0.8, 0.6, 0.4, 0.2])


def test_in_a_short_window_the_fades_leave_a_frame_all_new():
    assert [fade_within(Window(0, length), 4) for length in (1, 2, 3, 8, 9, 10)] == [0, 0, 1, 3, 4, 4]


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


def test_the_method_that_does_nothing_changes_nothing():
    frames = blended(Window(2, 6), 10, lambda i: flat(0), lambda i: flat(i), METHODS["none"])
    assert all(np.array_equal(frame, flat(index)) for index, frame in frames.items())


def test_outside_a_mask_the_old_samples_stay_exactly():
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (2, 64, 96, 3), dtype=np.uint8)
    share = np.zeros((64, 96), np.float32)
    share[:, 40:], share[:, 38:40] = 1, 0.5
    frames = blended(Window(2, 10), 20, lambda i: pictures[0], lambda i: pictures[1], share=share)
    whole = blended(Window(2, 10), 20, lambda i: pictures[0], lambda i: pictures[1])
    for index, frame in frames.items():
        assert np.array_equal(frame[:, :38], pictures[0][:, :38])
        assert np.array_equal(frame[:, 40:], whole[index][:, 40:])
        between = (pictures[0][:, 38:40].astype(int) + whole[index][:, 38:40]) / 2
        assert np.abs(frame[:, 38:40] - between).max() <= 0.5


def test_opencv_changes_no_sample(monkeypatch):
    pytest.importorskip("cv2", reason="compared where the extra [media] is installed")
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (2, 64, 96, 3), dtype=np.uint8)
    made = [blended(Window(2, 10), 20, lambda i: pictures[0], lambda i: pictures[1])]
    monkeypatch.setattr(blend, "installed", lambda module: False)
    made.append(blended(Window(2, 10), 20, lambda i: pictures[0], lambda i: pictures[1]))
    assert max(np.abs(made[0][i].astype(int) - made[1][i]).max() for i in made[0]) <= 1


def test_offsets_go_over_into_each_other():
    first, last = (np.full((48, 48, 3), level, np.float32) for level in (0, 9))
    window = Window(10, 20)
    assert [float(offset_at(i, window, (first, last))[0, 0, 0]) for i in (10, 13, 19)] == [0, 3, 9]
    assert offset_at(15, window, (last,)) is last
    assert offset_at(15, window, ()) is None


@given(WINDOWS.filter(lambda w: len(w) < 12), st.integers(0, 30))
def test_exactly_the_windows_frames_are_made_from_frames_inside_it(window, behind):
    def only_inside(index):
        assert index in window.frames
        return np.full((16, 16, 3), index, np.uint8)

    frames = blended(window, window.stop + behind, only_inside, only_inside)
    assert list(frames) == list(window.frames)
    assert all(np.array_equal(frame, only_inside(index)) for index, frame in frames.items())
