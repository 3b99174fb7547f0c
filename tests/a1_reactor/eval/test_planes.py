"""With and without OpenCV the same numbers; without it by arithmetic."""

import numpy as np
import pytest

from a1_reactor.eval import planes
from a1_reactor.providers.texture import noise_band

NOISE = (128 + 40 * noise_band(256, 5, 2, 24)).astype(np.float32)
SHAPES = [(64, 96), (50, 70), (8, 8), (1, 1)]


@pytest.fixture
def field():
    return lambda shape: np.random.default_rng(0).normal(0, 3, [-(-side // 8) for side in shape]).astype(np.float32)


@pytest.mark.parametrize("shape", SHAPES)
def test_opencv_changes_no_number(shape, field):
    pytest.importorskip("cv2", reason="compared where the extra [media] is installed")
    plane = np.ascontiguousarray(NOISE[: shape[0], : shape[1]])
    assert planes.block_means(plane) == pytest.approx(planes.block_means_numpy(plane), rel=1e-4)
    assert planes.spread(field(shape), *shape) == pytest.approx(planes.spread_numpy(field(shape), *shape), abs=1e-4)
    x = np.arange(shape[1], dtype=np.float32)[None, :] + planes.spread_numpy(field(shape), *shape)
    y = np.arange(shape[0], dtype=np.float32)[:, None] + planes.spread_numpy(-field(shape), *shape)
    expected = planes.read_at_numpy(plane, x, y)
    assert planes.displaced(plane, field(shape), -field(shape)) == pytest.approx(expected, abs=1e-2)


def test_block_means_of_a_flat_plane_are_its_level():
    assert planes.block_means_numpy(np.full((32, 40), 7, np.float32)) == pytest.approx(np.full((4, 5), 7))


def test_a_block_cut_by_the_border_weighs_as_much_as_its_pixels():
    # One block of 8x8 and one of 8x4: sums 64 and 32; the border repeats them, so (64 + 64 + 32) / (3 * 64).
    means = planes.block_means_numpy(np.ones((8, 12), np.float32))
    assert means == pytest.approx(np.array([[160 / 192, 128 / 192]]))


def test_reading_half_a_pixel_on_is_the_mean_of_two():
    plane = np.array([[0, 10, 20, 30]], np.float32)
    x, y = np.array([[0.5, 1.5, 2.5, 9]], np.float32), np.zeros((1, 4), np.float32)
    assert planes.read_at_numpy(plane, x, y).tolist() == [[5, 15, 25, 30]]


def test_halving_takes_means_and_leaves_an_odd_row_out():
    plane = np.array([[0, 2, 9], [4, 6, 9], [9, 9, 9]], np.float32)
    assert planes.halve(plane).tolist() == [[3]]


def test_differences_do_not_wrap_around():
    first, second = np.full((4, 4, 3), 250, np.uint8), np.full((4, 4, 3), 5, np.uint8)
    assert planes.absolute_difference(first, second) == planes.absolute_difference(second, first) == 245
    assert planes.absolute_difference(first[:, ::2], second[:, ::2]) == 245
