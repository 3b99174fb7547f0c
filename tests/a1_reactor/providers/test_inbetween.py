from types import SimpleNamespace

import numpy as np
import pytest

from a1_reactor.providers.inbetween import InBetweenProvider
from a1_reactor.types import JobSpec, Window
from reactor_core.errors import ProviderError, SpecError

JOB = JobSpec(prompt="x", seconds=1, width=24, height=16)


class Fade:
    name = "fade"

    def identity(self):
        return {"name": "fade", "version": "7"}

    def between(self, first, last, times):
        for time in times:
            yield np.rint(first + time * (last.astype(float) - first)).astype(np.uint8)


def base(index):
    return np.full((16, 24, 3), 10 * index, np.uint8)


def fill(*windows):
    clip = SimpleNamespace(frame=base)
    return {i: int(f[0, 0, 0]) for i, f in InBetweenProvider(Fade()).regen_frames(JOB, clip, windows)}


def test_a_window_runs_from_the_frame_before_it_to_the_frame_behind_it():
    assert fill(Window(4, 7), Window(12, 13)) == {4: 40, 5: 50, 6: 60, 12: 120}


@pytest.mark.parametrize("window", [Window(0, 3), Window(20, 24), Window(0, 24)])
def test_a_window_at_the_clip_s_edge_has_nothing_to_run_from(window):
    with pytest.raises(SpecError, match="no kept frame"):
        fill(window)


def test_it_makes_no_clip():
    with pytest.raises(ProviderError, match="cannot make 24 frames from words"):
        InBetweenProvider(Fade()).generate_frames(JOB)


def test_it_is_known_by_how_it_fills():
    assert (InBetweenProvider(Fade()).name, InBetweenProvider(Fade()).version) == ("fade", "7")
