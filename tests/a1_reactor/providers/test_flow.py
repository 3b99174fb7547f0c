import numpy as np
import pytest

from a1_reactor.providers.flow import FlowInterpolator
from a1_reactor.providers.texture import noise_band, sample

pytest.importorskip("cv2", reason="needs the extra [media]")

TILE = np.clip(128 + 40 * np.dstack([noise_band(256, seed, 4, 40) for seed in (1, 2, 3)]), 0, 255).astype(np.uint8)


def moving(x, y=0.0):
    """A texture that has moved ``x`` pixels to the left."""
    return sample(TILE, 20 + x, 20 + y, 96, 64).astype(np.uint8)


def error(one, two):
    inner = np.s_[8:-8, 12:-12]  # what comes in at the edge was never seen
    return float(np.sqrt(np.mean((one[inner].astype(float) - two[inner]) ** 2)))


def test_a_texture_that_moves_is_found_where_it_is_in_between():
    first, last = moving(0), moving(8, 2)
    for time, made in zip((0.25, 0.5, 0.75), FlowInterpolator().between(first, last, (0.25, 0.5, 0.75)), strict=True):
        true = moving(8 * time, 2 * time)
        faded = first * (1 - time) + last * time
        assert error(made, true) < 0.3 * error(faded, true)


def test_at_the_ends_the_frames_themselves_come_back():
    first, last = moving(0), moving(5)
    start, end = FlowInterpolator().between(first, last, (0.0, 1.0))
    assert np.array_equal(start, first)
    assert np.array_equal(end, last)


def test_a_still_picture_stays_still():
    assert np.array_equal(next(FlowInterpolator().between(moving(0), moving(0), (0.5,))), moving(0))


def test_frames_that_are_too_small_for_flow_are_blended():
    dark, light = np.zeros((16, 8, 3), np.uint8), np.full((16, 8, 3), 100, np.uint8)
    assert next(FlowInterpolator().between(dark, light, (0.25,))).max() == 25


def test_the_release_of_opencv_is_part_of_the_identity():
    import cv2

    assert FlowInterpolator().identity()["opencv"] == cv2.__version__
