import dataclasses
import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a1_reactor.types import JobSpec, Window
from reactor_core.errors import SpecError


def spec(**changes):
    return JobSpec(**{"prompt": "a red fox", **changes})


def test_the_defaults_are_those_of_the_first_prototype():
    made = spec()
    assert (made.seed, made.fps, made.seconds, made.width, made.height) == (0, 24, 2, 768, 768)
    assert made.frames == 48


def test_seed_zero_is_a_seed():
    assert spec(seed=0).seed == 0
    assert spec(seed=0).content_hash() != spec(seed=1).content_hash()


@pytest.mark.parametrize(("seconds", "fps", "frames"), [(2.2, 25, 55), (2.0, "24000/1001", 48), (0.01, 24, 1)])
def test_length_in_frames_is_exact(seconds, fps, frames):
    assert spec(seconds=seconds, fps=fps).frames == frames


@given(st.integers(5, 300), st.integers(12, 60))
def test_tenths_of_a_second_never_gain_a_frame(tenths, fps):
    # -(-a // b) is the ceiling in integers: the reference that floats miss in 51 cases of this range.
    assert spec(seconds=tenths / 10, fps=fps).frames == -(-tenths * fps // 10)


def test_a_spec_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        spec().seed = 3
    with pytest.raises(TypeError):
        spec(metadata={"a": 1}).metadata["a"] = 2


def test_a_caller_who_goes_on_changing_metadata_changes_no_spec():
    metadata = {"tags": ["a"]}
    made = spec(metadata=metadata)
    metadata["tags"].append("b")
    assert made.metadata == {"tags": ["a"]}


def test_options_change_the_hash_only_where_there_are_any():
    assert spec(options={}).content_hash() == spec().content_hash()
    assert spec(options={"steps": 4}).content_hash() != spec().content_hash()
    assert JobSpec.parse(spec(options={"steps": 4}).to_json()) == spec(options={"steps": 4})


def test_metadata_and_the_seconds_of_windows_are_no_part_of_the_hash():
    by_seconds = spec(windows=(Window.from_seconds("0.8", "1.6", 24),), metadata={"who": "me"})
    by_frames = spec(windows=(Window(20, 39),))
    assert by_seconds.content_hash() == by_frames.content_hash()


@pytest.mark.parametrize(
    "change",
    [
        {"prompt": "b"},
        {"negative_prompt": ""},
        {"seed": 7},
        {"fps": 25},
        {"seconds": 3},
        {"width": 770},
        {"height": 770},
        {"style_preset": "noir"},
        {"windows": (Window(1, 2),)},
        {"provider": "http"},
    ],
)
def test_everything_else_is_part_of_the_hash(change):
    assert spec(**change).content_hash() != spec().content_hash()


def test_overlapping_windows_are_stored_as_one():
    assert spec(windows=(Window(10, 20), Window(5, 12), Window(20, 22))).windows == (Window(5, 22),)


@given(
    st.text(min_size=1).filter(lambda text: text.strip() and text.isprintable()),
    st.integers(0, 2**63 - 1),
    st.fractions(min_value=Fraction(1, 10), max_value=60, max_denominator=1001),
    st.fractions(min_value=1, max_value=240, max_denominator=1001),
)
def test_json_is_read_back_as_an_equal_spec(prompt, seed, seconds, fps):
    made = spec(
        prompt=prompt, seed=seed, seconds=seconds, fps=fps, windows=(Window(0, 1, asked_s=(0, Fraction(1, 7))),)
    )
    read = JobSpec.parse(made.to_json())
    assert read == made
    assert read.content_hash() == made.content_hash()


def test_frames_stand_in_for_seconds():
    made = JobSpec.parse({"prompt": "x", "frames": 1, "fps": "30000/1001"})
    assert made.frames == 1
    assert made.seconds == Fraction(1001, 30000)


def test_windows_in_seconds_take_the_rate_of_the_spec():
    made = JobSpec.parse({"prompt": "x", "seconds": 3, "fps": 10, "regen_windows": [[0.8, 1.6]]})
    assert made.windows == (Window(8, 16),)


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"prompt": ""}, "prompt"),
        ({"prompt": "  \n"}, "prompt"),
        ({"prompt": 3}, "prompt"),
        ({"prompt": "x" * 4001}, "prompt"),
        ({"prompt": "\ud800"}, "prompt"),
        ({}, "prompt"),
        ({"prompt": "x", "seconds": 0}, "seconds"),
        ({"prompt": "x", "seconds": -1}, "seconds"),
        ({"prompt": "x", "seconds": 4000}, "seconds"),
        ({"prompt": "x", "fps": 0}, "fps"),
        ({"prompt": "x", "fps": 0, "frames": 2}, "fps"),
        ({"prompt": "x", "fps": 1000}, "fps"),
        ({"prompt": "x", "width": 767}, "width"),
        ({"prompt": "x", "height": 8}, "height"),
        ({"prompt": "x", "height": 64.0}, "height"),
        ({"prompt": "x", "seed": -1}, "seed"),
        ({"prompt": "x", "seed": True}, "seed"),
        ({"prompt": "x", "seed": 2**63}, "seed"),
        ({"prompt": "x", "frames": 0}, "frames"),
        ({"prompt": "x", "frames": 10, "seconds": 9}, "frames"),
        ({"prompt": "x", "windows": 3}, "windows"),
        ({"prompt": "x", "windows": [[1]]}, "windows"),
        ({"prompt": "x", "windows": [[0, 3]]}, "window"),
        ({"prompt": "x", "windows": [{"start_frame": 1}]}, "stop_frame"),
        ({"prompt": "x", "version": 2}, "version"),
        ({"prompt": "x", "metadata": {"a": float("nan")}}, "metadata"),
        ({"prompt": "x", "metadata": [1]}, "metadata"),
        ({"prompt": "x", "options": [1]}, "options"),
        ({"prompt": "x", "stile_preset": "noir"}, "stile_preset"),
        ({"prompt": "x", "negative_prompt": 1}, "negative_prompt"),
    ],
)
def test_a_field_that_cannot_be_used_is_named(document, field):
    with pytest.raises(SpecError, match=field):
        JobSpec.parse(document)


def test_an_odd_side_names_its_even_neighbours():
    with pytest.raises(SpecError, match="use 768 or 766"):
        spec(width=767)


def test_a_document_that_is_no_object_is_refused():
    with pytest.raises(SpecError, match="JSON object"):
        JobSpec.parse([])


def test_a_one_frame_clip_is_an_image():
    assert spec(seconds=Fraction(1, 24)).frames == 1
    assert math.ceil(spec().seconds * spec().fps) == spec().frames
