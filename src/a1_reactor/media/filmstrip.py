"""A few frames side by side."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import numpy as np
from PIL import Image

from a1_reactor.media.frames import Frame

__all__ = ["draw_filmstrip", "strip_frames"]

_GAP = 4
_BORDER = 4
_MARK = (255, 140, 0)
_PLAIN = (40, 40, 40)


def strip_frames(start: int, stop: int, frames: int, count: int = 9) -> list[int]:
    """Frame numbers for a strip about a window: both joins with their neighbours, and even steps between.

    Args:
        start, stop: The window, half-open.
        frames: Length of the clip.
        count: About how many frames to show.
    """
    joins = {start - 2, start - 1, start, stop - 1, stop, stop + 1}
    inside = np.linspace(start, stop - 1, max(2, count - 4)).round().astype(int)
    return sorted(index for index in joins | {int(i) for i in inside} if 0 <= index < frames)


def draw_filmstrip(
    indices: Sequence[int], frame: Callable[[int], Frame], *, marked: Collection[int] = (), height: int = 144
) -> Frame:
    """One picture of several frames from left to right; marked ones have an orange border.

    Args:
        indices: Frame numbers, at least one.
        frame: Frame by number.
        marked: Numbers to mark, such as those of a regenerated window.
        height: Height of each picture in pixels, without the border.
    """
    pictures: list[Frame] = []
    for index in indices:
        original = Image.fromarray(frame(index))
        width = max(1, round(original.width * height / original.height))
        small = np.asarray(original.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=2.0), np.uint8)
        framed = np.empty((height + 2 * _BORDER, width + 2 * _BORDER, 3), np.uint8)
        framed[:] = _MARK if index in marked else _PLAIN
        framed[_BORDER:-_BORDER, _BORDER:-_BORDER] = small
        pictures += [framed, np.full((framed.shape[0], _GAP, 3), 255, np.uint8)]
    return np.concatenate(pictures[:-1], axis=1)
