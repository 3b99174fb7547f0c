"""Choosing how to treat a window's joins: the cheapest method that makes them look like any other pair of frames.

Every method is tried on small copies of the frames at the joins (all steps are linear, or motion that is found at that
scale anyway), so a try costs one measurement of motion per join. What is reported of the result is measured on the
frames themselves, afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from a1_reactor.engine.blend import METHODS, BlendConfig, Method, crossfade_weight, fade_within, offset_at
from a1_reactor.engine.morph import morph_planes
from a1_reactor.engine.offsets import GRID, Offset, enlarged, offset_between
from a1_reactor.eval.consistency import COLOUR_GOAL, SEAM_GOAL
from a1_reactor.eval.flow import warp_residual
from a1_reactor.eval.pairs import CELLS, Proxy, proxy_of
from a1_reactor.eval.planes import Plane
from a1_reactor.eval.seams import Typical
from a1_reactor.media.frames import Frame
from a1_reactor.types import Window
from reactor_core.utils.extras import installed

__all__ = ["BlendPlan", "Tried", "plan_blend"]

_HOPELESS = 1.5
"""A colour step this many times the goal rules a method out before motion is measured."""
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601, as Pillow's mode L


@dataclass(frozen=True, slots=True)
class Tried:
    """What a method would make of the joins; the worse of the two counts."""

    method: str
    colour: float
    """Step in the low-pass colour, as a ratio to the clip's typical one."""
    seam: float | None
    """Residual that motion does not explain, as such a ratio; None where the colour step had ruled the method out."""

    @property
    def excess(self) -> float:
        """The larger of the two as a multiple of its goal."""
        return max(self.colour / COLOUR_GOAL, 0.0 if self.seam is None else self.seam / SEAM_GOAL)

    @property
    def reaches(self) -> bool:
        """Whether both goals are met."""
        return self.seam is not None and self.excess <= 1

    def to_json(self) -> dict[str, Any]:
        seam = None if self.seam is None else round(self.seam, 4)
        return {"method": self.method, "seam": seam, "colour": round(self.colour, 4), "reaches_goal": self.reaches}


@dataclass(frozen=True, slots=True)
class BlendPlan:
    """What will be done with a window."""

    method: Method
    offsets: tuple[Offset, ...]
    """Field at each join, the left one first."""
    tried: tuple[Tried, ...]
    """Methods in the order they were tried."""
    reason: str
    """Why this one, in words."""

    def to_json(self) -> dict[str, Any]:
        return {"method": self.method.name, "reason": self.reason, "tried": [one.to_json() for one in self.tried]}


@dataclass(frozen=True, slots=True)
class _Join:
    """Two neighbours, one outside the window and one inside, as small copies."""

    outside: Proxy
    old: Proxy
    """The old frame at the place of the inner one."""
    new: Proxy
    index: int
    """Number of the inner frame."""
    first: bool
    """Whether the outer frame comes first."""
    residual: float
    """Typical residual there."""
    colour: float
    """Typical colour step there."""
    share: Plane | None
    """The mask at the scale of the proxy."""


def plan_blend(
    window: Window,
    frames: int,
    old: Callable[[int], Frame],
    new: Callable[[int], Frame],
    typical: Typical,
    config: BlendConfig,
    share: NDArray[np.float32] | None = None,
) -> BlendPlan:
    """Try methods from the cheapest on, and take the first that reaches both goals, or else the best of them.

    Args:
        window: What was regenerated.
        frames: Length of the clip.
        old: Old frame by number, for the window and its two neighbours.
        new: New frame by number, for the window.
        typical: What is usual in the clip that the window lies in.
        config: Which methods may be tried.
        share: The mask, as for ``blend_window``.
    """
    ends = [
        (index, outside)
        for index, outside in ((window.start, window.start - 1), (window.stop - 1, window.stop))
        if 0 <= outside < frames
    ]
    if not config.enabled:
        return BlendPlan(METHODS["none"], (), (), "blending is switched off")
    if not ends:
        return BlendPlan(METHODS["none"], (), (), "the window is the whole clip and has no joins")
    offsets = tuple(offset_between(old(index), new(index), share) for index, _ in ends)
    if config.method != "auto":
        return BlendPlan(METHODS[config.method], offsets, (), "this method was asked for")
    joins = [_join(index, outside, old, new, typical, share) for index, outside in ends]
    tried: list[Tried] = []
    for method in _worth_trying(window):
        tried.append(_try(method, joins, window, frames, offsets))
        if tried[-1].reaches:
            reason = (
                f"the cheapest method with a seam of at most {SEAM_GOAL} and a colour step of at most {COLOUR_GOAL}"
            )
            return BlendPlan(method, offsets, tuple(tried), reason)
    # Where every colour step was too large, none was measured for its seam.
    best = min(tried, key=lambda one: (one.seam is None, one.seam or 0, one.colour))
    return BlendPlan(
        METHODS[best.method],
        offsets,
        tuple(tried),
        f"no method brings the seam to {SEAM_GOAL} and the colour step to {COLOUR_GOAL}; this one comes closest",
    )


def _worth_trying(window: Window) -> Sequence[Method]:
    """Methods that differ on a window of this length and can run here."""
    morph = installed("cv2")
    seen: set[tuple[bool, int, bool]] = set()
    methods = []
    for method in METHODS.values():
        fade = fade_within(window, method.fade)
        what = method.offset, fade, method.morph and fade > 0
        if what not in seen and (morph or not method.morph):
            seen.add(what)
            methods.append(method)
    return methods


def _join(
    index: int,
    outside: int,
    old: Callable[[int], Frame],
    new: Callable[[int], Frame],
    typical: Typical,
    share: NDArray[np.float32] | None,
) -> _Join:
    later = max(index, outside)
    inner = proxy_of(new(index))
    small = None if share is None else _small(share, inner.grey.shape)
    return _Join(
        outside=proxy_of(old(outside)),
        old=proxy_of(old(index)),
        new=inner,
        index=index,
        first=outside < index,
        residual=typical.residual_at(later),
        colour=typical.colour_at(later),
        share=small,
    )


def _try(method: Method, joins: Sequence[_Join], window: Window, frames: int, offsets: tuple[Offset, ...]) -> Tried:
    colour, seam = 0.0, 0.0
    made = [_made(method, join, window, frames, offsets) for join in joins]
    for join, (_, cells) in zip(joins, made, strict=True):
        step = float(np.abs(cells - join.outside.cells).mean())
        colour = max(colour, Typical.ratio(step, join.colour))
    if colour > COLOUR_GOAL * _HOPELESS:
        return Tried(method.name, colour, None)
    for join, (grey, _) in zip(joins, made, strict=True):
        order = (join.outside.grey, grey) if join.first else (grey, join.outside.grey)
        seam = max(seam, Typical.ratio(warp_residual(*order)[0], join.residual))
    return Tried(method.name, colour, seam)


def _made(
    method: Method, join: _Join, window: Window, frames: int, offsets: tuple[Offset, ...]
) -> tuple[Plane, NDArray[np.float32]]:
    """Brightness and mean colours of the inner frame as the method would make it."""
    grey, cells = join.new.grey, join.new.cells
    offset = offset_at(join.index, window, offsets) if method.offset else None
    if offset is not None:
        height, width = grey.shape
        grey = grey + enlarged(offset, width=width, height=height) @ _LUMA
        part = GRID // CELLS
        cells = cells + offset.reshape(CELLS, part, CELLS, part, 3).mean(axis=(1, 3))
    weight = crossfade_weight(join.index, window, method.fade, left=window.start > 0, right=window.stop < frames)
    if weight < 1:
        share = np.float32(weight)
        grey = morph_planes(join.old.grey, grey, weight) if method.morph else join.old.grey * (1 - share) + grey * share
        cells = join.old.cells * (1 - share) + cells * share
    if join.share is not None:
        coarse = _small(join.share, (CELLS, CELLS))[..., None]
        grey = join.old.grey + join.share * (grey - join.old.grey)
        cells = join.old.cells + coarse * (cells - join.old.cells)
    # Proxies of real frames are whole levels; a mixture that is not would seem to have less grain than it will.
    return np.clip(np.rint(grey), 0, 255), cells


def _small(share: NDArray[np.float32], shape: tuple[int, ...]) -> Plane:
    height, width = shape[:2]
    return np.asarray(Image.fromarray(share).resize((width, height), Image.Resampling.BOX), np.float32)
