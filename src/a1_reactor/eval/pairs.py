"""Measurements of one frame against the one before it.

Everything a report says is a summary of these, so a regeneration measures only the pairs that touch its window and
takes the others from the parent's report.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from a1_reactor.eval.flow import warp_residual
from a1_reactor.eval.planes import Plane, absolute_difference
from a1_reactor.media.frames import Frame

__all__ = ["CELLS", "Cells", "Pair", "Proxy", "measure", "proxy_of"]

_PROXY_SIDE = 384
"""Longest side at which motion is measured: the scale at which the seam goals of the project were set."""
CELLS = 12
"""Cells per side of the low-pass picture in which a colour step shows and texture does not."""

Cells = NDArray[np.float32]
"""float32 ``[12, 12, 3]``: mean colour of each cell, in levels."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """What is kept of a frame to compare the next one with."""

    frame: Frame
    grey: Plane
    """Brightness at most 384 pixels wide and high."""
    cells: Cells
    contrast: float
    """Mean absolute deviation from the mean brightness, 0..255."""
    scale: float
    """Side of the proxy divided by that of the frame."""


@dataclass(frozen=True, slots=True)
class Pair:
    """How a frame follows from the one before it. Levels are 0..255."""

    l1: float
    """Mean absolute difference of all samples, divided by 255."""
    residual: float
    """Mean absolute difference in brightness that motion does not explain, in levels."""
    unexplained: float
    """``residual`` as a share of the frame's contrast: near 0 for a moving picture, about 1 for another one."""
    colour: float
    """Mean absolute difference of the 12x12 mean colours, in levels."""
    motion: float
    """Mean length of motion in pixels of the full frame."""
    luma: float
    """Mean brightness of the later frame, in levels."""


def proxy_of(frame: Frame) -> Proxy:
    """Reduce a frame to what the measurements need."""
    height, width, _ = frame.shape
    scale = min(1.0, _PROXY_SIDE / max(height, width))
    # frombuffer shares memory where fromarray copies.
    image = Image.frombuffer("RGB", (width, height), np.ascontiguousarray(frame), "raw", "RGB", 0, 1)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    grey = np.asarray(image.convert("L").resize(size, Image.Resampling.BOX), np.float32)
    cells = np.asarray(image.resize((CELLS, CELLS), Image.Resampling.BOX), np.float32)
    contrast = float(np.abs(grey - grey.mean()).mean())
    return Proxy(frame, grey, cells, contrast, scale)


def measure(previous: Proxy, current: Proxy) -> Pair:
    """Compare two neighbours of one size."""
    residual, motion = warp_residual(previous.grey, current.grey)
    return Pair(
        l1=absolute_difference(previous.frame, current.frame) / 255,
        residual=residual,
        # A flat picture has no contrast to explain; one level keeps the ratio finite.
        unexplained=residual / max(1.0, current.contrast),
        colour=float(np.abs(current.cells - previous.cells).mean()),
        motion=motion / current.scale,
        luma=float(current.grey.mean()),
    )
