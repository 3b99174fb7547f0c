import hashlib
import re

import numpy as np
import pytest

from a1_reactor.media.frames import frame_problem, pixel_hash


def test_the_hash_is_over_size_type_and_pixels():
    frame = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    assert pixel_hash(frame) == hashlib.sha256(b"3x2x3 uint8\n" + bytes(range(18))).hexdigest()


def test_equal_pixels_of_another_shape_have_another_hash():
    pixels = np.zeros((2, 6, 3), np.uint8)
    assert pixel_hash(pixels) != pixel_hash(pixels.reshape(4, 3, 3))


def test_a_view_hashes_like_its_copy():
    frame = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    assert pixel_hash(frame[:, ::2]) == pixel_hash(frame[:, ::2].copy())


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ([1], "list"),
        (np.zeros((4, 6, 3), np.float32), "float32"),
        (np.zeros((6, 4, 3), np.uint8), r"shape \[6, 4, 3\]"),
        (np.zeros((4, 6, 4), np.uint8), "shape"),
        (np.zeros((4, 6), np.uint8), "shape"),
    ],
)
def test_what_is_no_frame_says_why(value, problem):
    assert re.search(problem, frame_problem(value, width=6, height=4))


def test_a_frame_has_no_problem():
    assert frame_problem(np.zeros((4, 6, 3), np.uint8), width=6, height=4) is None
