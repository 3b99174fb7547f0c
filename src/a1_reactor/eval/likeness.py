"""How much two takes of one instant look alike.

PSNR over all samples, and SSIM (Wang, Bovik, Sheikh, Simoncelli 2004) on brightness at most 384 pixels wide and high:
its authors advise to average down to about 256 first, since fine detail is not what people compare pictures by.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from a1_reactor.eval.planes import Plane
from a1_reactor.media.frames import Frame
from reactor_core.utils.extras import installed, require

__all__ = ["psnr", "ssim"]

_PEAK = 255.0
_C1, _C2 = (0.01 * _PEAK) ** 2, (0.03 * _PEAK) ** 2
_SIGMA, _REACH = 1.5, 5  # an 11 x 11 window, as in the paper


def psnr(first: Frame, second: Frame) -> float:
    """Peak signal-to-noise ratio in dB; infinite for equal frames."""
    if installed("cv2"):
        cv2 = require("cv2", feature="fast scores", extra="media")
        square = float(cv2.norm(first, second, cv2.NORM_L2SQR)) / first.size
    else:
        square = float(np.square(first.astype(np.int32) - second).mean())
    return math.inf if square == 0 else 10 * math.log10(_PEAK * _PEAK / square)


def ssim(first: Plane, second: Plane) -> float:
    """Structural similarity, -1..1; 1 for equal pictures. One smaller than 11 pixels is compared as one window."""
    mean_x, mean_y = _blurred(first), _blurred(second)
    xx, yy = _blurred(first * first) - mean_x * mean_x, _blurred(second * second) - mean_y * mean_y
    xy = _blurred(first * second) - mean_x * mean_y
    likeness = ((2 * mean_x * mean_y + _C1) * (2 * xy + _C2)) / (
        (mean_x * mean_x + mean_y * mean_y + _C1) * (xx + yy + _C2)
    )
    return float(likeness.mean())


def _blurred(plane: Plane) -> Plane:
    """Gaussian over the places where the whole window lies inside the picture."""
    kernel = np.exp(-0.5 * (np.arange(-_REACH, _REACH + 1) / _SIGMA) ** 2)
    kernel = (kernel / kernel.sum()).astype(np.float32)
    if min(plane.shape) < len(kernel):
        return np.full((1, 1), plane.mean(), np.float32)
    if installed("cv2"):
        cv2 = require("cv2", feature="fast scores", extra="media")
        return np.asarray(cv2.sepFilter2D(plane, -1, kernel, kernel)[_REACH:-_REACH, _REACH:-_REACH], np.float32)
    return blurred_by_numpy(plane, kernel)


def blurred_by_numpy(plane: Plane, kernel: NDArray[np.float32]) -> Plane:
    """Both axes convolved with a symmetric kernel, without OpenCV."""
    height, width = (side - len(kernel) + 1 for side in plane.shape)
    rows = sum(weight * plane[i : i + height] for i, weight in enumerate(kernel))
    return np.asarray(sum(weight * rows[:, i : i + width] for i, weight in enumerate(kernel)), np.float32)
