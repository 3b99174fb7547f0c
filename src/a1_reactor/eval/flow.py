"""Where every part of a picture came from: block-wise optical flow.

Pyramidal Lucas-Kanade (Bouguet 2001) with one translation per 8x8 block, solved over its 3x3 neighbourhood and
interpolated between block centres. On the mock scene at 384 pixels its warp residuals agree with OpenCV's DIS (fast)
within 5 %, and the base install needs no OpenCV.
"""

from __future__ import annotations

import numpy as np

from a1_reactor.eval.planes import BLOCK, Plane, block_means, displaced, halve

__all__ = ["block_flow", "warp_residual"]

_LEVELS = 4
_STEPS = 2
_STIFFNESS = 1.0
"""Added to a block's mean gradient energy: where there is no texture, motion stays what the coarser level said."""


def block_flow(previous: Plane, current: Plane) -> tuple[Plane, Plane]:
    """Displacement per block such that ``previous`` at ``position + displacement`` looks like ``current``.

    Returns:
        Horizontal and vertical displacement in pixels, each ``[ceil(height / 8), ceil(width / 8)]``.
    """
    pyramid = [(previous, current)]
    while len(pyramid) < _LEVELS and min(pyramid[-1][0].shape) >= 4 * BLOCK:
        pyramid.append((halve(pyramid[-1][0]), halve(pyramid[-1][1])))
    dx = dy = np.zeros((0, 0), np.float32)
    for before, after in reversed(pyramid):
        height, width = before.shape
        blocks = -(-height // BLOCK), -(-width // BLOCK)
        dx, dy = (_refine(field, blocks) for field in (dx, dy))
        for _ in range(_STEPS):
            step_x, step_y = _solve(displaced(before, dx, dy), after)
            dx, dy = dx + step_x, dy + step_y
    return dx, dy


def warp_residual(previous: Plane, current: Plane) -> tuple[float, float]:
    """What motion does not explain, and how much motion there is.

    Returns:
        Mean absolute difference (0..255) between ``current`` and ``previous`` moved onto it, and the mean length of
        the motion in pixels.
    """
    dx, dy = block_flow(previous, current)
    residual = np.abs(current - displaced(previous, dx, dy))
    return float(residual.mean()), float(np.hypot(dx, dy).mean())


def _solve(warped: Plane, target: Plane) -> tuple[Plane, Plane]:
    """One Gauss-Newton step of every block, at most 2 pixels."""
    gx, gy = np.zeros_like(warped), np.zeros_like(warped)
    np.subtract(warped[:, 2:], warped[:, :-2], out=gx[:, 1:-1])
    np.subtract(warped[2:], warped[:-2], out=gy[1:-1])
    gx *= np.float32(0.5)
    gy *= np.float32(0.5)
    error = target - warped
    xx, xy, yy = block_means(gx * gx) + _STIFFNESS, block_means(gx * gy), block_means(gy * gy) + _STIFFNESS
    ex, ey = block_means(gx * error), block_means(gy * error)
    determinant = xx * yy - xy * xy
    step_x, step_y = (yy * ex - xy * ey) / determinant, (xx * ey - xy * ex) / determinant
    return np.clip(step_x, -2, 2), np.clip(step_y, -2, 2)


def _refine(field: Plane, blocks: tuple[int, int]) -> Plane:
    """A coarser level's displacements on the next finer grid; zeros at the coarsest."""
    if field.size == 0:
        return np.zeros(blocks, np.float32)
    rows = np.minimum(np.arange(blocks[0]) // 2, field.shape[0] - 1)
    columns = np.minimum(np.arange(blocks[1]) // 2, field.shape[1] - 1)
    return np.asarray(2 * field[rows[:, None], columns], np.float32)
