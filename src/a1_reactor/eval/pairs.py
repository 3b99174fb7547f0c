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

__all__ = ["CELLS", "Cells", "Pair", "Proxy", "grey_of", "measure", "proxy_of"]

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
    image = _image_of(frame)
    grey, scale = _grey(image)
    cells = np.asarray(_averaged(image, (CELLS, CELLS)), np.float32)
    contrast = float(np.abs(grey - grey.mean()).mean())
    return Proxy(frame, grey, cells, contrast, scale)


def grey_of(frame: Frame) -> Plane:
    """Brightness of a frame at the scale of its proxy, alone."""
    return _grey(_image_of(frame))[0]


def _image_of(frame: Frame) -> Image.Image:
    height, width, _ = frame.shape
    # frombuffer shares memory where fromarray copies.
    return Image.frombuffer("RGB", (width, height), np.ascontiguousarray(frame), "raw", "RGB", 0, 1)


def _grey(image: Image.Image) -> tuple[Plane, float]:
    scale = min(1.0, _PROXY_SIDE / max(image.size))
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    return np.asarray(_averaged(image.convert("L"), size), np.float32), scale


def _averaged(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Mean of the pixels under each new one, rounded to whole levels."""
    (width, height), (across, down) = image.size, size
    if width % across or height % down:
        return image.resize(size, Image.Resampling.BOX)
    return image.reduce((width // across, height // down))  # the same averages, up to four times as fast


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
