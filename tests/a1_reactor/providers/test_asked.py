import io
from dataclasses import replace

import numpy as np
import pytest

from a1_reactor.providers.asked import BLANKS, Asked
from a1_reactor.providers.pictures import read_video
from a1_reactor.providers.template import ABSENT
from a1_reactor.types import JobSpec, Mask, Span, Window
from reactor_core.errors import SpecError

JOB = JobSpec(prompt="a fox", negative_prompt="rain", seed=3, seconds=1, width=32, height=16)


class Base:
    def frame(self, index):
        return np.full((16, 32, 3), 5 * index, np.uint8)


def values(span, base=None):
    uploads = []

    def upload(data, content_type, name):
        uploads.append((data, content_type, name))
        return name

    return Asked(job=JOB, span=span, base=base or Base()).values(upload), uploads


def levels(data, count):
    frames = read_video(io.BytesIO(data), count=count, width=32, height=16, where="it")
    return [round(float(frame.mean())) for frame in frames]


def test_every_blank_that_may_stand_in_a_template_is_filled():
    made, _ = values(Span(Window(8, 12), 6, 15, 24))
    assert set(made) == BLANKS


def test_the_window_s_times_count_from_the_span_s_first_frame():
    made, _ = values(Span(Window(8, 14), 2, 17, 24))
    assert [made[name]() for name in ("frames", "window_start_frame", "window_stop_frame")] == [15, 6, 12]
    assert [made[name]() for name in ("window_start_s", "window_stop_s", "window_seconds")] == [0.25, 0.5, 0.25]


def test_the_mask_of_the_job_is_in_that_of_the_window_where_the_model_heeds_it():
    for spatial, level in ((True, 64), (False, 255)):  # a quarter of the picture
        uploads = []
        job = replace(JOB, windows=(Window(2, 4),), mask=Mask(rectangle=(0, 0, 16, 8)))
        asked = Asked(job=job, span=Span(Window(2, 4), 1, 6, 24), base=Base(), spatial=spatial)
        asked.values(lambda data, *_, to=uploads: to.append(data))["mask_video"]()
        assert levels(uploads[0], 5) == [0, pytest.approx(level, abs=3), pytest.approx(level, abs=3), 0, 0]


def test_the_mask_is_white_where_frames_are_to_be_made():
    made, uploads = values(Span(Window(2, 4), 1, 6, 24))
    assert made["mask_video"]() == "mask.mp4"
    assert levels(uploads[0][0], 5) == [0, 255, 255, 0, 0]


def test_behind_the_clip_s_end_the_last_frame_stands_again_under_white():
    made, uploads = values(Span(Window(22, 24), 20, 25, 24))
    made["video"]()
    made["mask_video"]()
    assert levels(uploads[0][0], 5)[-2:] == pytest.approx([115, 115], abs=2)
    assert levels(uploads[1][0], 5) == [0, 0, 255, 255, 255]


def test_ends_that_are_not_kept_frames_are_absent():
    made, uploads = values(Span(Window(0, 4), 0, 9, 24))
    assert made["first_frame"]() is ABSENT
    assert made["last_frame"]() == "frame_8.png"
    assert uploads[0][1] == "image/png"


def test_without_an_old_clip_there_is_no_video():
    asked = Asked(job=JOB, span=Span(Window(0, 24), 0, 25, 24), base=None)
    with pytest.raises(SpecError, match="old clip"):
        asked.values(lambda *_: None)["video"]()
