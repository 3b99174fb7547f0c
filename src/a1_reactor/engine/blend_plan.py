"""Choosing how to treat a window's joins: the cheapest method that makes them look like any other pair of frames.

Every method is tried on small copies of the frames at the joins. What is reported of the result is measured on the
frames themselves, afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from a1_reactor.engine.blend import METHODS, BlendConfig, Method, fade_within
from a1_reactor.engine.joins import HOPELESS, Join, joins_of
from a1_reactor.engine.offsets import Offset
from a1_reactor.eval.consistency import COLOUR_GOAL, SEAM_GOAL
from a1_reactor.eval.seams import Typical
from a1_reactor.media.frames import Frame
from a1_reactor.types import Window
from reactor_core.utils.extras import installed

__all__ = ["BlendPlan", "BlendPlanner", "Tried", "plan_blend"]


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
    reason: str
    """Why this one, in words."""
    compared: Sequence[Method] = ()
    """Methods in the order they were tried."""
    joins: Sequence[Join] = ()
    """What they were tried on."""

    @property
    def tried(self) -> tuple[Tried, ...]:
        """What each of them would make of the joins. What the choice did not need is measured only now."""
        return tuple(_tried(method, self.joins) for method in self.compared)

    def to_json(self) -> dict[str, Any]:
        return {"method": self.method.name, "reason": self.reason, "tried": [one.to_json() for one in self.tried]}


class BlendPlanner:
    """Chooses for one window, and works ahead where it can: each join needs one of the window's frames only.

    Args:
        window: What was regenerated.
        frames: Length of the clip.
        old: Old frame by number, for the window and its two neighbours.
        new: New frame by number, for the window.
        typical: What is usual in the clip that the window lies in.
        config: Which methods may be tried.
        share: The mask, as for ``blend_window``.
    """

    def __init__(
        self,
        window: Window,
        frames: int,
        old: Callable[[int], Frame],
        new: Callable[[int], Frame],
        typical: Typical,
        config: BlendConfig,
        share: NDArray[np.float32] | None = None,
    ) -> None:
        self._config = config
        self._methods = _worth_trying(window)
        self._joins = joins_of(window, frames, old, new, typical, share) if config.enabled else ()

    def look_back(self) -> None:
        """Do what needs old frames only."""
        for join in self._joins:
            join.look_back()

    def came(self, index: int) -> None:
        """A new frame is there: on a join that waits for it, try methods until one is good enough for that join."""
        for join in self._joins:
            if join.index == index:
                _ = join.offset
                if self._config.method == "auto":
                    any(join.reaches(method) for method in self._methods)

    def plan(self) -> BlendPlan:
        """The first method that reaches both goals at every join, or else the best of them."""
        joins = self._joins
        if not self._config.enabled:
            return BlendPlan(METHODS["none"], (), "blending is switched off")
        if not joins:
            return BlendPlan(METHODS["none"], (), "the window is the whole clip and has no joins")
        offsets = tuple(join.offset for join in joins)
        if self._config.method != "auto":
            return BlendPlan(METHODS[self._config.method], offsets, "this method was asked for")
        for number, method in enumerate(self._methods, start=1):
            if _reached(method, joins):
                reason = (
                    f"the cheapest method with a seam of at most {SEAM_GOAL} and a colour step of at most {COLOUR_GOAL}"
                )
                return BlendPlan(method, offsets, reason, self._methods[:number], joins)
        # Where every colour step was too large, none was measured for its seam.
        tried = [_tried(method, joins) for method in self._methods]
        best = min(tried, key=lambda one: (one.seam is None, one.seam or 0, one.colour))
        reason = (
            f"no method brings the seam to {SEAM_GOAL} and the colour step to {COLOUR_GOAL}; this one comes closest"
        )
        return BlendPlan(METHODS[best.method], offsets, reason, self._methods, joins)


def plan_blend(
    window: Window,
    frames: int,
    old: Callable[[int], Frame],
    new: Callable[[int], Frame],
    typical: Typical,
    config: BlendConfig,
    share: NDArray[np.float32] | None = None,
) -> BlendPlan:
    """Choose for a window whose frames are all there; arguments as of :class:`BlendPlanner`."""
    return BlendPlanner(window, frames, old, new, typical, config, share).plan()


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


def _reached(method: Method, joins: Sequence[Join]) -> bool:
    # A join that knows already that the method fails there saves the others a measurement.
    return all(join.reaches(method) for join in sorted(joins, key=lambda join: not join.knows(method)))


def _tried(method: Method, joins: Sequence[Join]) -> Tried:
    colour = max(join.colour(method) for join in joins)
    seam = None if colour > COLOUR_GOAL * HOPELESS else max(join.seam(method) for join in joins)
    return Tried(method.name, colour, seam)
