import base64
import io
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from a1_reactor.types import JobSpec, Mask
from reactor_core.errors import NotFound, SpecError

BEFORE = "58ba989097cb3a6435ebf942f204b08ee3a25fdd5ee18dc1ab84ba6934eb0022"


def png(width=8, height=8, level=255):
    buffer = io.BytesIO()
    Image.fromarray(np.full((height, width), level, np.uint8)).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


@given(st.tuples(st.integers(0, 99), st.integers(0, 99), st.integers(1, 99), st.integers(1, 99)), st.integers(0, 40))
def test_a_mask_is_read_back_from_json(rectangle, feather):
    mask = Mask(rectangle=rectangle, feather=feather)
    assert Mask.parse(json.loads(json.dumps(mask.to_json()))) == mask


def test_a_picture_travels_inside_the_spec():
    mask = Mask(png=png())
    assert Mask.parse(json.loads(json.dumps(mask.to_json()))) == mask
    assert mask.png_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({}, "a rectangle or a PNG"),
        ({"rectangle": [0, 0, 4, 4], "png": png()}, "a rectangle or a PNG"),
        ({"rectangle": [0, 0, 4]}, "four whole numbers"),
        ({"rectangle": [0, 0, 4, 4.5]}, "four whole numbers"),
        ({"rectangle": "0,0,4,4"}, "four whole numbers"),
        ({"rectangle": [0, 0, 0, 4]}, "no pixel"),
        ({"rectangle": [-1, 0, 4, 4]}, "no pixel"),
        ({"rectangle": [0, 0, 4, 4], "feather": -1}, "feather=-1"),
        ({"png": png(), "feather": 2}, "feather is for a rectangle"),
        ({"png": "%%%"}, "no base64"),
        ({"png": base64.b64encode(b"GIF89a").decode()}, "no PNG"),
        ({"png": base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(5 << 20)).decode()}, "bytes"),
        ({"circle": 3}, "'circle' of a mask is unknown"),
        ([0, 0, 4, 4], "this is list"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(document, says):
    with pytest.raises(SpecError, match=says):
        Mask.parse(document)


def test_a_command_line_gives_a_rectangle_or_a_file(tmp_path):
    assert Mask.from_text("1, 2,30,40") == Mask(rectangle=(1, 2, 30, 40))
    assert Mask.from_text("1,2,30,40,5") == Mask(rectangle=(1, 2, 30, 40), feather=5)
    path = tmp_path / "mask.png"
    path.write_bytes(base64.b64decode(png()))
    assert Mask.from_text(str(path)) == Mask(png=png())
    with pytest.raises(NotFound, match="LEFT,TOP,WIDTH,HEIGHT"):
        Mask.from_text("1,2,3")


def test_a_mask_is_part_of_what_a_spec_is():
    plain = JobSpec(prompt="x", width=96, height=64)
    masked = JobSpec(prompt="x", width=96, height=64, mask=Mask(rectangle=(0, 0, 96, 32)))
    assert JobSpec.parse(masked.to_json()) == masked
    assert JobSpec.parse(plain.to_json()) == plain
    assert masked.content_hash() != plain.content_hash()
    with pytest.raises(SpecError, match="reaches out of the picture of 96x64"):
        JobSpec(prompt="x", width=96, height=64, mask=Mask(rectangle=(0, 33, 96, 32)))


def test_specs_without_a_mask_keep_their_names():
    # Computed before specs had masks: clips that are stored under it must be found.
    assert JobSpec(prompt="x").content_hash() == BEFORE
