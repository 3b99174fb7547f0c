"""Operations on planes that measuring motion is made of.

Each exists twice: with OpenCV (the extra ``[media]``) and with numpy alone. The two agree to rounding (a test compares
them), so scores do not depend on what is installed, only their price does: about 6 against 25 ms a frame.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reactor_core.utils.extras import installed, require

__all__ = ["BLOCK", "Plane", "absolute_difference", "block_means", "displaced", "halve", "spread"]

Plane = NDArray[np.float32]
"""float32 ``[height, width]``, brightness 0..255."""

BLOCK = 8
"""Side in pixels of the blocks that have one displacement each."""


@cache
def _opencv() -> Any | None:
    return require("cv2", feature="fast scores", extra="media") if installed("cv2") else None


def block_means(values: Plane) -> Plane:
    """Mean over each block's 3x3 neighbourhood of the blocks' sums, divided by their full area.

    Returns:
        ``[ceil(height / 8), ceil(width / 8)]``; blocks cut by the border weigh as much as their pixels.
    """
    height, width = values.shape
    cv2 = _opencv()
    if cv2 is not None and not (height % BLOCK or width % BLOCK):
        means = cv2.resize(values, (width // BLOCK, height // BLOCK), interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.blur(means, (3, 3), borderType=cv2.BORDER_REPLICATE), np.float32)
    return block_means_numpy(values)


def block_means_numpy(values: Plane) -> Plane:
    """:func:`block_means` without OpenCV."""
    height, width = values.shape
    rows = np.add.reduceat(values, np.arange(0, height, BLOCK), axis=0)
    sums = np.add.reduceat(rows, np.arange(0, width, BLOCK), axis=1)
    padded = sums[_with_border(sums.shape[0])][:, _with_border(sums.shape[1])]
    padded = padded[:-2] + padded[1:-1] + padded[2:]
    total = padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]
    return np.asarray(total * np.float32(1 / (9 * BLOCK * BLOCK)), np.float32)


def _with_border(length: int) -> NDArray[np.intp]:
    """Indices that repeat the first and the last element once; several times faster than np.pad on small arrays."""
    return np.clip(np.arange(-1, length + 1), 0, length - 1)


def halve(plane: Plane) -> Plane:
    """Mean of 2x2 pixels; an odd last row or column is left out."""
    height, width = plane.shape
    even = plane[: height // 2 * 2, : width // 2 * 2]
    return (even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]) * np.float32(0.25)


def spread(field: Plane, height: int, width: int) -> Plane:
    """From block centres to pixels, bilinear; the border keeps its block's value."""
    cv2 = _opencv()
    if cv2 is not None and (height, width) == (field.shape[0] * BLOCK, field.shape[1] * BLOCK):
        return np.asarray(cv2.resize(field, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
    return spread_numpy(field, height, width)


def spread_numpy(field: Plane, height: int, width: int) -> Plane:
    """:func:`spread` without OpenCV."""
    low_y, high_y, part_y = _between(height, field.shape[0])
    low_x, high_x, part_x = _between(width, field.shape[1])
    across = field[:, low_x] * (1 - part_x) + field[:, high_x] * part_x
    return np.asarray(across[low_y] * (1 - part_y)[:, None] + across[high_y] * part_y[:, None], np.float32)


def _between(pixels: int, blocks: int) -> tuple[NDArray[np.intp], NDArray[np.intp], Plane]:
    position = (np.arange(pixels, dtype=np.float32) + 0.5) / BLOCK - 0.5
    low = np.clip(np.floor(position), 0, blocks - 1).astype(np.intp)
    part = np.clip(position - low, 0, 1).astype(np.float32)
    return low, np.minimum(low + 1, blocks - 1), part


def displaced(plane: Plane, dx: Plane, dy: Plane) -> Plane:
    """``plane`` read at positions displaced block by block, bilinear; positions outside take the border.

    Args:
        dx, dy: Displacement of each block in pixels, ``[ceil(height / 8), ceil(width / 8)]``.
    """
    height, width = plane.shape
    x = np.arange(width, dtype=np.float32)[None, :] + spread(dx, height, width)
    y = np.arange(height, dtype=np.float32)[:, None] + spread(dy, height, width)
    cv2 = _opencv()
    if cv2 is not None:
        return np.asarray(cv2.remap(plane, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)
    return read_at_numpy(plane, x, y)


def read_at_numpy(plane: Plane, x: Plane, y: Plane) -> Plane:
    """``plane`` at fractional positions, without OpenCV; changes ``x`` and ``y``."""
    height, width = plane.shape
    np.clip(x, 0, width - 1, out=x)
    np.clip(y, 0, height - 1, out=y)
    left, top = x.astype(np.int32), y.astype(np.int32)
    x -= left
    y -= top
    # One more column and row, so that the last pixel has a neighbour to be mixed with, at weight 0.
    stride = width + 1
    wider = np.empty((height + 1, stride), np.float32)
    wider[:height, :width] = plane
    wider[height, :width], wider[:, width] = plane[-1], plane[-1, -1]
    wider[:height, width] = plane[:, -1]
    flat = wider.ravel()
    corner = top * stride + left
    north_west, north_east = flat.take(corner), flat.take(corner + 1)
    south_west, south_east = flat.take(corner + stride), flat.take(corner + stride + 1)
    north = north_west + (north_east - north_west) * x
    south = south_west + (south_east - south_west) * x
    return np.asarray(north + (south - north) * y, np.float32)


def absolute_difference(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> float:
    """Mean absolute difference of two uint8 arrays of one shape, in levels."""
    cv2 = _opencv()
    if cv2 is not None and first.flags.c_contiguous and second.flags.c_contiguous:
        return float(cv2.norm(first, second, cv2.NORM_L1)) / first.size
    # uint8 differences wrap; maximum minus minimum is the absolute difference without a wider type.
    return float((np.maximum(first, second) - np.minimum(first, second)).mean())
