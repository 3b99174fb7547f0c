import numpy as np
import pytest

from a1_reactor.providers.base import Capabilities, checked_clip, checked_windows, spans_of
from a1_reactor.types import FrameQuantum, JobSpec, Window
from reactor_core.errors import ProviderError, SpecError

JOB = JobSpec(prompt="x", seconds=1, fps=5, width=24, height=16)
GOOD = np.zeros((16, 24, 3), np.uint8)
WINDOWS = (Window(1, 3), Window(4, 5))


def test_the_right_frames_pass():
    assert len(list(checked_clip(iter([GOOD] * 5), JOB, "p"))) == 5


@pytest.mark.parametrize(
    ("frames", "problem"),
    [
        ([], "returned 0 frames, the clip has 5"),
        ([GOOD] * 4, "returned 4 frames"),
        ([GOOD] * 6, "more than the 5 frames"),
        ([GOOD, GOOD[:8]], "frame 1 has shape"),
        ([GOOD.astype(np.float32)], "float32"),
        ([None], "NoneType"),
    ],
)
def test_a_broken_promise_names_the_provider_and_the_frame(frames, problem):
    with pytest.raises(ProviderError, match=f"'p'.*{problem}"):
        list(checked_clip(iter(frames), JOB, "p"))


def test_what_lies_outside_the_windows_is_dropped():
    passed = [index for index, _ in checked_windows(((i, GOOD) for i in range(5)), JOB, WINDOWS, "p")]
    assert passed == [1, 2, 4]


def test_frames_of_a_window_may_come_in_any_order():
    passed = [index for index, _ in checked_windows(((i, GOOD) for i in (4, 2, 1)), JOB, WINDOWS, "p")]
    assert passed == [4, 2, 1]


@pytest.mark.parametrize(
    ("indices", "problem"),
    [
        ([1, 2], "left out 1 frames of the window, the first is 4"),
        ([1, 1], "frame 1 twice"),
        ([5], "frame 5 of a clip"),
    ],
)
def test_a_window_that_is_not_whole_is_refused(indices, problem):
    with pytest.raises(ProviderError, match=problem):
        list(checked_windows(((i, GOOD) for i in indices), JOB, WINDOWS, "p"))


def test_a_frame_outside_is_not_even_looked_at():
    list(checked_windows(iter([(0, None), (1, GOOD), (2, GOOD), (4, GOOD)]), JOB, WINDOWS, "p"))


def test_windows_are_grown_to_what_the_provider_makes_at_once():
    can = Capabilities(context_frames=1, quantum=FrameQuantum(step=2, offset=1))
    assert [span.to_json()["used"] for span in spans_of((Window(1, 3),), JOB, can)] == [[0, 5]]


def test_a_window_that_is_too_long_is_refused_before_anything_is_sent():
    with pytest.raises(SpecError, match="mark at most 2 frames"):
        spans_of((Window(0, 4),), JOB, Capabilities(context_frames=0, quantum=FrameQuantum(maximum=2)))


def test_capabilities_are_told_as_json():
    told = Capabilities(context_frames=2, modes=frozenset({"mask", "full"}), quantum=FrameQuantum(step=4)).to_json()
    assert told["modes"] == ["full", "mask"]
    assert told["quantum"] == {"step": 4, "offset": 0, "minimum": 1, "maximum": None}
