"""Making a regenerated window meet the clip around it.

An old and a new frame exist for every instant of the window, so nothing has to be guessed: first the slow colour
difference at the window's ends is taken out (an offset field, interpolated in time), then a few frames inside each end
are crossfaded. Frames outside the window are never touched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from a1_reactor.media.frames import Frame
from a1_reactor.types import Window

__all__ = ["BlendConfig", "blend_window", "crossfade_weight"]

_GRID = 48
"""Cells per side of the offset field."""
_SIGMA = 2.5
"""Blur of the offset field in cells: about a twentieth of the picture, far coarser than any texture."""

Offset = NDArray[np.float32]
"""float32 ``[48, 48, 3]``: what to add to the new frames, in levels."""


@dataclass(frozen=True, slots=True)
class BlendConfig:
    """How the seams are treated."""

    enabled: bool = True
    """False keeps the provider's frames as they came."""
    boundary_frames: int = 4
    """Frames crossfaded inside each end; a window shorter than three times this crossfades a third of its length."""

    def to_json(self) -> dict[str, Any]:
        return {"enabled": self.enabled, "boundary_frames": self.boundary_frames, "offset_grid": _GRID, "sigma": _SIGMA}


def crossfade_weight(index: int, window: Window, boundary: int, *, left: bool, right: bool) -> float:
    """Share of the new frame at a position, 0 to 1.

    Args:
        index: Frame number inside the window.
        boundary: Frames to fade over at each end.
        left, right: Whether there is a join at that end; none where the window begins or ends with the clip.
    """
    boundary = min(boundary, len(window) // 3)
    rise = (index - window.start + 1) / (boundary + 1) if left else 1.0
    fall = (window.stop - index) / (boundary + 1) if right else 1.0
    return min(1.0, rise, fall)


def blend_window(
    window: Window,
    frames: int,
    old: Callable[[int], Frame],
    new: Callable[[int], Frame],
    config: BlendConfig,
) -> Iterator[tuple[int, Frame]]:
    """The window's frames as they go into the clip, in order; a few frames are in memory at a time.

    Args:
        frames: Length of the clip, to know at which ends there are joins.
        old, new: Frame by number, for numbers inside the window.
    """
    left, right = window.start > 0, window.stop < frames
    if not config.enabled or not (left or right):
        for index in window.frames:
            yield index, new(index)
        return
    # Where only one end is a join, its offset holds for the whole window: a ramp to nothing would be a drift.
    ends = [index for index, joined in ((window.start, left), (window.stop - 1, right)) if joined]
    offsets = [_offset(old(index), new(index)) for index in ends]
    span = max(1, len(window) - 1)
    for index in window.frames:
        part = np.float32((index - window.start) / span)
        offset = offsets[0] if len(offsets) == 1 else offsets[0] * (1 - part) + offsets[1] * part
        frame = new(index).astype(np.float32) + _enlarge(offset, frame_shape=new(index).shape)
        weight = np.float32(crossfade_weight(index, window, config.boundary_frames, left=left, right=right))
        if weight < 1:
            frame *= weight
            frame += old(index).astype(np.float32) * (1 - weight)
        yield index, np.clip(np.rint(frame), 0, 255).astype(np.uint8)


def _offset(old: Frame, new: Frame) -> Offset:
    """Low-pass of ``old - new``."""
    # The box average commutes with the difference, so two small pictures are subtracted, not two large ones.
    small = [_shrink(frame) for frame in (old, new)]
    return _blur(small[0] - small[1])


def _shrink(frame: Frame) -> Offset:
    planes = [
        Image.fromarray(frame[..., channel]).convert("F").resize((_GRID, _GRID), Image.Resampling.BOX)
        for channel in range(3)
    ]
    return np.stack([np.asarray(plane, np.float32) for plane in planes], axis=-1)


def _blur(field: Offset) -> Offset:
    """Gaussian over both axes, with the border repeated outwards."""
    reach = int(3 * _SIGMA + 0.5)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / _SIGMA) ** 2)
    kernel /= kernel.sum()
    padded = np.pad(field, ((reach, reach), (reach, reach), (0, 0)), mode="edge")
    rows = sum(weight * padded[i : i + _GRID] for i, weight in enumerate(kernel))
    both = sum(weight * rows[:, i : i + _GRID] for i, weight in enumerate(kernel))
    return np.asarray(both, np.float32)


def _enlarge(offset: Offset, *, frame_shape: tuple[int, ...]) -> NDArray[np.float32]:
    height, width = frame_shape[:2]
    planes = [
        Image.fromarray(np.ascontiguousarray(offset[..., channel])).resize((width, height), Image.Resampling.BILINEAR)
        for channel in range(3)
    ]
    return np.stack([np.asarray(plane, np.float32) for plane in planes], axis=-1)
