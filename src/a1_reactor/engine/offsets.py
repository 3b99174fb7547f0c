"""The slow colour difference between two takes, and taking it out.

A field of 48 x 48 cells, the low-pass of ``old - new`` at the window's ends, is interpolated over the window and added
to the new frames: Poisson blending in time with the high frequencies left alone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from a1_reactor.media.frames import Frame
from reactor_core.utils.extras import installed, require

__all__ = [
    "GRID",
    "SIGMA",
    "Offset",
    "Share",
    "add_offset",
    "enlarged",
    "offset_between",
    "offset_between_shrunk",
    "shrunk",
]

GRID = 48
"""Cells per side of the offset field."""
SIGMA = 2.5
"""Blur of the offset field in cells: about a twentieth of the picture, far coarser than any texture."""
_LITTLE = 1e-3
"""Share of a masked cell below which it has no say of its own."""

Offset = NDArray[np.float32]
"""float32 ``[48, 48, 3]``: what to add to the new frames, in levels."""
Share = NDArray[np.float32]
"""float32 ``[height, width]``, 0..1."""


def offset_between(old: Frame, new: Frame, share: Share | None = None) -> Offset:
    """Low-pass of ``old - new``.

    Args:
        share: How much of each pixel is replaced. Where little is, the field continues that of its neighbourhood: what
            lies outside the mask must not pull on what lies inside.
    """
    return offset_between_shrunk(shrunk(old), shrunk(new), share)


def offset_between_shrunk(old: Offset, new: Offset, share: Share | None = None) -> Offset:
    """:func:`offset_between` for frames that were :func:`shrunk` before."""
    # The box average commutes with the difference, so two small pictures are subtracted, not two large ones.
    difference = old - new
    if share is None:
        return _blur(difference)
    weight = _shrink_plane(Image.fromarray(share))[..., None]
    return np.asarray(_blur(difference * weight) / np.maximum(_blur(weight), _LITTLE), np.float32)


def add_offset(frame: Frame, offset: Offset, room: NDArray[np.float32] | None = None) -> Frame:
    """``frame`` plus the field, rounded to the nearest level (halves to even) and kept within 0..255.

    Args:
        room: float32 of the frame's shape to work in, for who adds to many frames: 7 MB at 768x768, which take longer
            to get from the system than to fill.
    """
    height, width, _ = frame.shape
    if installed("cv2"):
        cv2 = require("cv2", feature="fast blending", extra="media")
        field = cv2.resize(offset, (width, height), dst=room, interpolation=cv2.INTER_LINEAR)
        return np.asarray(cv2.add(frame, field, dtype=cv2.CV_8U), np.uint8)
    levels = np.rint(frame + enlarged(offset, width=width, height=height))
    return np.asarray(np.clip(levels, 0, 255), np.uint8)


def enlarged(offset: Offset, *, width: int, height: int) -> NDArray[np.float32]:
    """The field at every pixel, bilinear; float32 ``[height, width, 3]``."""
    if installed("cv2"):
        cv2 = require("cv2", feature="fast blending", extra="media")
        return np.asarray(cv2.resize(offset, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
    return enlarged_by_pillow(offset, width=width, height=height)


def enlarged_by_pillow(offset: Offset, *, width: int, height: int) -> NDArray[np.float32]:
    """:func:`enlarged` without OpenCV."""
    planes = [
        Image.fromarray(np.ascontiguousarray(offset[..., channel])).resize((width, height), Image.Resampling.BILINEAR)
        for channel in range(offset.shape[2])
    ]
    return np.stack([np.asarray(plane, np.float32) for plane in planes], axis=-1)


def shrunk(frame: Frame) -> Offset:
    """Mean colour of each cell of the field, in levels."""
    return np.stack([_shrink_plane(Image.fromarray(frame[..., c]).convert("F")) for c in range(3)], axis=-1)


def _shrink_plane(plane: Image.Image) -> NDArray[np.float32]:
    return np.asarray(plane.resize((GRID, GRID), Image.Resampling.BOX), np.float32)


def _blur(field: NDArray[np.float32]) -> NDArray[np.float32]:
    """Gaussian over both axes, with the border repeated outwards."""
    reach = int(3 * SIGMA + 0.5)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / SIGMA) ** 2)
    kernel /= kernel.sum()
    padded = np.pad(field, ((reach, reach), (reach, reach), (0, 0)), mode="edge")
    rows = sum(weight * padded[i : i + GRID] for i, weight in enumerate(kernel))
    both = sum(weight * rows[:, i : i + GRID] for i, weight in enumerate(kernel))
    return np.asarray(both, np.float32)
