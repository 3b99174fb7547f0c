"""The old frames of a span, in the form that each kind of pipeline takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from a1_reactor.providers.base import BaseClip
from a1_reactor.providers.diffusion_shape import PipelineShape
from a1_reactor.providers.modes import anchors_of
from a1_reactor.types import Span
from reactor_core.errors import SpecError

__all__ = ["old_frames"]

_GREY, _WHITE, _BLACK = 128, 255, 0
"""Where a masked model is to paint stands grey under white, elsewhere the old frame under black (as VACE has it)."""


def old_frames(
    shape: PipelineShape,
    span: Span,
    base: BaseClip,
    *,
    condition: Callable[[Image.Image, int], Any],
    part: NDArray[np.bool_] | None = None,
) -> dict[str, Any]:
    """Arguments of the pipeline's call.

    Args:
        condition: Makes a condition from a picture and its place in the span.
        part: Where a masked model is to paint in the window's frames, bool ``[height, width]``; None for all of them.

    Raises:
        SpecError: The pipeline starts from the frame before the window, and there is none.
    """

    def picture(index: int) -> Image.Image:
        return Image.fromarray(base.frame(index))

    kind = shape.kind
    if kind == "masked":
        return _masked(span, picture, part)
    if kind == "video_to_video":
        return {"video": [picture(index) for index in span.indices]}
    first, last = anchors_of(span)
    if kind == "conditions":
        ends = [(first, 0), (last, len(span) - 1)]
        return {"conditions": [condition(picture(index), place) for index, place in ends if index is not None]}
    if kind in ("ends", "first"):
        if first is None:
            raise SpecError(
                f"window of frames {span.window.start}..{span.window.stop} begins with the clip, and {shape.name} "
                "starts from the frame before it",
                remedy="begin the window one frame later",
            )
        behind = {"last_image": picture(last)} if kind == "ends" and last is not None else {}
        return {"image": picture(first), **behind}
    return {}


def _masked(span: Span, picture: Callable[[int], Image.Image], part: NDArray[np.bool_] | None) -> dict[str, Any]:
    video, mask = [], []
    size = picture(span.window.start).size
    grey = Image.new("RGB", size, (_GREY,) * 3)
    black, white = (Image.new("L", size, level) for level in (_BLACK, _WHITE))
    window = white if part is None else Image.fromarray(np.where(part, _WHITE, _BLACK).astype(np.uint8))
    for place, index in zip(range(span.start, span.stop), span.indices, strict=True):
        # Behind the clip's end the model may paint what it likes.
        paint = white if place >= span.clip_frames else window if place in span.window else black
        # A frame that is painted over as a whole is not looked at.
        video.append(grey if paint is white else Image.composite(grey, picture(index), paint))
        mask.append(paint.convert("RGB"))
    return {"video": video, "mask": mask}
