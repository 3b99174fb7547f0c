"""Rows of small pictures: the old frames, the new ones, and where they differ."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Collection, Sequence
from html import escape

import numpy as np
from PIL import Image

from a1_reactor.media.frames import Frame

__all__ = ["DIFFERENCE_GAIN", "data_uri", "difference", "strip_row"]

DIFFERENCE_GAIN = 4
"""How much stronger differences are shown than they are."""
_SIDE = 220
_QUALITY = 82


def strip_row(
    name: str, indices: Sequence[int], frame: Callable[[int], Frame], *, fps: float, inside: Collection[int]
) -> str:
    """One row, from left to right.

    Args:
        name: What the row shows.
        indices: Frame numbers.
        frame: Frame by number.
        fps: Rate, to say the time of each.
        inside: Numbers that were regenerated; they are marked.
    """
    cells = []
    for index in indices:
        small = _small(frame(index))
        text = f"{name}, frame {index}, {index / fps:.2f} s"
        cells.append(
            f"<figure{' class=in' if index in inside else ''}><img width={small.width} height={small.height} "
            f"alt='{escape(text, quote=True)}' src='{data_uri(small)}'><figcaption>{index}</figcaption></figure>"
        )
    return f"<h3>{escape(name)}</h3><div class=strip tabindex=0>{''.join(cells)}</div>"


def difference(old: Frame, new: Frame) -> Frame:
    """Absolute difference, four times as strong, so that small changes show."""
    # uint8 differences wrap; maximum minus minimum is the absolute difference without a wider type.
    apart = np.maximum(old, new) - np.minimum(old, new)
    return np.asarray(np.minimum(apart, 255 // DIFFERENCE_GAIN) * DIFFERENCE_GAIN, np.uint8)


def data_uri(image: Image.Image) -> str:
    """A picture inside the page, as WebP."""
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=_QUALITY, method=2)
    return f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _small(frame: Frame) -> Image.Image:
    image = Image.fromarray(frame)
    image.thumbnail((_SIDE, _SIDE), Image.Resampling.BOX)
    return image
