import numpy as np
import pytest

from a1_reactor.providers.diffusion_inputs import old_frames
from a1_reactor.providers.diffusion_shape import PipelineShape
from a1_reactor.types import Span, Window
from reactor_core.errors import SpecError

MIDDLE = Span(Window(4, 6), 3, 8, 12)
SHAPES = {
    "masked": {"num_frames", "video", "mask"},
    "video_to_video": {"video", "strength"},
    "conditions": {"num_frames", "conditions"},
    "ends": {"num_frames", "image", "last_image"},
    "first": {"num_frames", "image"},
    "words": {"num_frames"},
}


class Base:
    def frame(self, index):
        return np.full((16, 32, 3), 10 * index, np.uint8)


def given(kind, span=MIDDLE):
    """What goes in, with every picture as its level."""
    name = "LTXConditionPipeline" if kind == "conditions" else "Some"
    shape = PipelineShape(name, frozenset(SHAPES[kind] | {"prompt"}))
    assert shape.kind == kind

    def level(value):
        if isinstance(value, list):
            return [level(item) for item in value]
        if isinstance(value, tuple):
            return (level(value[0]), value[1])
        assert value.size == (32, 16)
        return value.getpixel((0, 0))[0]

    made = old_frames(shape, span, Base(), condition=lambda picture, place: (picture, place))
    return {name: level(value) for name, value in made.items()}


def test_a_masked_model_gets_the_context_and_grey_under_white():
    assert given("masked") == {"video": [30, 128, 128, 60, 70], "mask": [0, 255, 255, 0, 0]}


def test_a_masked_model_paints_in_the_mask_s_part_alone_and_sees_the_rest():
    part = np.zeros((16, 32), bool)
    part[4:8, 6:20] = True
    shape = PipelineShape("Some", frozenset(SHAPES["masked"] | {"prompt"}))
    made = old_frames(shape, Span(Window(10, 12), 9, 14, 12), Base(), condition=lambda *_: None, part=part)
    video, mask = (np.stack([np.asarray(picture) for picture in made[name]]) for name in ("video", "mask"))
    assert (mask[1:3, part] == 255).all()
    assert not mask[1:3, ~part].any()
    assert (video[1:3, part] == 128).all()
    assert (video[1, ~part] == 100).all()
    assert (video[2, ~part] == 110).all()
    assert (mask[[0, 3, 4]].min(axis=(1, 2, 3)).tolist(), video[0].max()) == ([0, 255, 255], 90)


def test_behind_the_clip_s_end_all_is_to_be_painted():
    span = Span(Window(10, 12), 9, 14, 12)
    assert given("masked", span) == {"video": [90, 128, 128, 128, 128], "mask": [0, 255, 255, 255, 255]}


def test_a_model_that_redraws_gets_the_window_too():
    assert given("video_to_video") == {"video": [30, 40, 50, 60, 70]}


def test_conditions_stand_at_the_span_s_ends():
    assert given("conditions") == {"conditions": [(30, 0), (70, 4)]}
    assert given("conditions", Span(Window(0, 4), 0, 5, 12)) == {"conditions": [(40, 4)]}


def test_ends_are_the_span_s_ends_and_the_last_may_be_absent():
    assert given("ends") == {"image": 30, "last_image": 70}
    assert given("ends", Span(Window(9, 12), 8, 13, 12)) == {"image": 80}
    assert given("first") == {"image": 30}


def test_without_a_first_frame_there_is_nothing_to_start_from():
    with pytest.raises(SpecError, match="begin the window one frame later"):
        given("ends", Span(Window(0, 4), 0, 5, 12))


def test_a_model_of_words_gets_no_frames():
    assert given("words") == {}
