"""A mask as numbers: how much of each pixel a window replaces."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from a1_reactor.media.png import read_png_header
from a1_reactor.types import Mask
from reactor_core.errors import SpecError

__all__ = ["painted", "share_of"]


def share_of(mask: Mask | None, *, width: int, height: int) -> NDArray[np.float32] | None:
    """float32 ``[height, width]``, 0 where the parent's samples stay, 1 where they are replaced; None for no mask.

    Raises:
        SpecError: The mask does not fit a picture of this size, or its PNG is damaged.
    """
    if mask is None:
        return None
    if mask.rectangle is None:
        return _of_png(mask.png_bytes(), width, height)
    mask.check_fits(width, height)
    left, top, across, down = mask.rectangle
    share = np.zeros((height, width), np.float32)
    share[top : top + down, left : left + across] = np.minimum(
        _ramp(left, across, width, mask.feather)[None, :], _ramp(top, down, height, mask.feather)[:, None]
    )
    return share


def painted(mask: Mask | None, *, width: int, height: int) -> NDArray[np.bool_] | None:
    """bool ``[height, width]``: every pixel of which anything is replaced; None for no mask.

    This is where a model is to paint. It paints soft edges in full, and what it paints is mixed in afterwards.

    Raises:
        SpecError: As :func:`share_of`.
    """
    share = share_of(mask, width=width, height=height)
    return None if share is None else share > 0


def _ramp(start: int, length: int, limit: int, feather: int) -> NDArray[np.float32]:
    """Rises inside each end, in ``feather`` steps to 1; not at an end that is the picture's own."""
    position = np.arange(length, dtype=np.float32)
    rise = (position + 1) / (feather + 1) if start > 0 else np.ones_like(position)
    fall = (length - position) / (feather + 1) if start + length < limit else np.ones_like(position)
    return np.minimum(1, np.minimum(rise, fall)).astype(np.float32)


def _of_png(data: bytes, width: int, height: int) -> NDArray[np.float32]:
    header = read_png_header(data)
    # Checked before any pixel is decoded, so a small file that claims a huge picture costs nothing.
    if header is None or header[:2] != (width, height):
        found = "no picture" if header is None else f"{header[0]}x{header[1]}"
        raise SpecError(f"the mask is {found}, the clip is {width}x{height}", remedy="draw it at the clip's size")
    try:
        with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
            grey = np.asarray(image.convert("L"), np.float32)
    except (OSError, ValueError, SyntaxError, UnidentifiedImageError) as error:
        raise SpecError(f"the mask's PNG is damaged: {error}", remedy="save it anew") from error
    return grey / np.float32(255)
