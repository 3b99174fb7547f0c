"""Making a regenerated window meet the clip around it.

An old and a new frame exist for every instant of the window, so nothing has to be guessed: the slow colour difference
at the window's ends is taken out (:mod:`offsets`), and a few frames inside each end are crossfaded, or morphed
(:mod:`morph`). Which of these, :mod:`blend_plan` decides. Frames outside the window are never touched, and neither are
pixels outside a mask.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from a1_reactor.engine.morph import morph_frames
from a1_reactor.engine.offsets import GRID, SIGMA, Offset, add_offset
from a1_reactor.eval.pairs import proxy_of
from a1_reactor.media.frames import Frame
from a1_reactor.types import Window
from reactor_core.errors import ConfigError
from reactor_core.utils.extras import installed, require

__all__ = [
    "METHODS",
    "BlendConfig",
    "Method",
    "blend_window",
    "crossfade_weight",
    "fade_within",
    "offset_at",
    "put_under_mask",
]


@dataclass(frozen=True, slots=True)
class Method:
    """One way to treat a join."""

    offset: bool = False
    """Whether the slow colour difference is taken out, in every frame of the window."""
    fade: int = 0
    """Frames mixed with the old ones inside each end."""
    morph: bool = False
    """Whether they are moved onto each other before they are mixed. Needs OpenCV."""

    @property
    def name(self) -> str:
        """Such as ``offset + crossfade 4``."""
        mix = f"{'morph' if self.morph else 'crossfade'} {self.fade}" if self.fade else ""
        return " + ".join(part for part in ("offset" if self.offset else "", mix) if part) or "none"


METHODS = {
    method.name: method
    for method in (
        Method(),
        Method(fade=2),
        Method(fade=4),
        Method(offset=True),
        Method(offset=True, fade=2),
        Method(offset=True, fade=4),
        Method(offset=True, fade=8),
        Method(offset=True, fade=4, morph=True),
        Method(offset=True, fade=8, morph=True),
    )
}
"""All methods by name, the cheapest first: a crossfade touches a few frames, an offset all, a morph needs motion."""


@dataclass(frozen=True, slots=True)
class BlendConfig:
    """How the seams are treated."""

    enabled: bool = True
    """False keeps the provider's frames as they came."""
    method: str = "auto"
    """A name in ``METHODS``, or ``auto``: the cheapest that reaches the goals of ``eval.consistency``. Fades are cut so
    that some frame of the window is all new."""

    def __post_init__(self) -> None:
        if self.method != "auto" and self.method not in METHODS:
            raise ConfigError(f"blend method {self.method!r} is unknown", remedy=f"use auto, {', '.join(METHODS)}")

    def to_json(self) -> dict[str, Any]:
        return {"enabled": self.enabled, "method": self.method, "offset_grid": GRID, "sigma": SIGMA}


def fade_within(window: Window, fade: int) -> int:
    """Frames that are faded at each end of a window: as many as asked for, if a frame between them stays all new."""
    return min(fade, (len(window) - 1) // 2)


def crossfade_weight(index: int, window: Window, boundary: int, *, left: bool, right: bool) -> float:
    """Share of the new frame at a position, 0 to 1.

    Args:
        index: Frame number inside the window.
        boundary: Frames to fade over at each end.
        left, right: Whether there is a join at that end; none where the window begins or ends with the clip.
    """
    boundary = fade_within(window, boundary)
    rise = (index - window.start + 1) / (boundary + 1) if left else 1.0
    fall = (window.stop - index) / (boundary + 1) if right else 1.0
    return min(1.0, rise, fall)


def offset_at(index: int, window: Window, offsets: tuple[Offset, ...]) -> Offset | None:
    """The offset field at a frame: between those of the two joins, or that of the only one.

    Where only one end is a join, its offset holds for the whole window: a ramp to nothing would be a drift.
    """
    if len(offsets) < 2:
        return offsets[0] if offsets else None
    part = np.float32((index - window.start) / max(1, len(window) - 1))
    return offsets[0] * (1 - part) + offsets[1] * part


def blend_window(
    window: Window,
    frames: int,
    old: Callable[[int], Frame],
    new: Callable[[int], Frame],
    method: Method,
    offsets: tuple[Offset, ...] = (),
    share: NDArray[np.float32] | None = None,
) -> Iterator[tuple[int, Frame]]:
    """The window's frames as they go into the clip, in order; a few frames are in memory at a time.

    Args:
        frames: Length of the clip, to know at which ends there are joins.
        old, new: Frame by number, for numbers inside the window.
        offsets: Field at each join, the left one first; none leaves colours alone.
        share: How much of each pixel is replaced, float32 ``[height, width]``, 0..1; None replaces all.

    Raises:
        MissingExtra: The method morphs and OpenCV is not installed.
    """
    left, right = window.start > 0, window.stop < frames
    room: NDArray[np.float32] | None = None
    for index in window.frames:
        frame = new(index)
        offset = offset_at(index, window, offsets) if method.offset else None
        if offset is not None:
            room = np.empty(frame.shape, np.float32) if room is None else room
            frame = add_offset(frame, offset, room)
        weight = crossfade_weight(index, window, method.fade, left=left, right=right)
        if weight < 1:
            frame = _mixed(old(index), frame, weight, method)
        yield index, frame if share is None else put_under_mask(old(index), frame, share)


def _mixed(old: Frame, new: Frame, weight: float, method: Method) -> Frame:
    if method.morph:
        mixed = morph_frames(old, new, (proxy_of(old), proxy_of(new)), weight)
    elif installed("cv2"):
        cv2 = require("cv2", feature="fast blending", extra="media")
        return np.asarray(cv2.addWeighted(old, 1 - weight, new, weight, 0), np.uint8)
    else:
        mixed = new * np.float32(weight) + old * np.float32(1 - weight)
    return _rounded(mixed)


def put_under_mask(old: Frame, new: Frame, share: NDArray[np.float32]) -> Frame:
    """``new`` where ``share`` is 1, exactly ``old`` where it is 0, and a mixture between."""
    part = share[..., None]
    # At 0 and 1 the sums below are whole numbers, so rounding gives back the very samples.
    return _rounded(old * (1 - part) + new * part)


def _rounded(levels: NDArray[np.float32]) -> Frame:
    return np.clip(np.rint(levels), 0, 255).astype(np.uint8)
