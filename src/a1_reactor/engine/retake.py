"""One window of a regeneration: joined to the clip around it, and measured while its frames come by."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from a1_reactor.engine.blend import BlendConfig, blend_window
from a1_reactor.engine.blend_plan import BlendPlan, BlendPlanner
from a1_reactor.eval.likeness import psnr, ssim
from a1_reactor.eval.measures import StoredCells, stored_cells
from a1_reactor.eval.pairs import Pair, Proxy, grey_of, measure, proxy_of
from a1_reactor.eval.seams import Seams, Typical, measure_seams
from a1_reactor.media.frames import Frame
from a1_reactor.types import Window

__all__ = ["Retake"]


class Retake:
    """Blends a window and measures it.

    Tell it of each frame that ``came()``, and draw ``frames()`` when all have; then ``measure()`` what it gave.

    Args:
        window: What was regenerated.
        frames: Length of the clip.
        old: Old frame by number, for the window and its two neighbours; each is asked for several times.
        new: Frame as the provider made it, for the window.
        typical: What is usual in the clip that the window lies in.
        config: How seams are treated.
        share: How much of each pixel is replaced, float32 ``[height, width]``; None replaces all.
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
        self.window = window
        self.pairs: dict[int, Pair] = {}
        """The pairs that touch the window, by number of their later frame."""
        self.cells: dict[int, StoredCells] = {}
        """Low-pass colours of the window's frames."""
        self.plan: BlendPlan | None = None
        """What was decided about the joins, once ``frames()`` has begun."""
        self._frames = frames
        self._old = old
        self._new = new
        self._typical = typical
        self._share = share
        self._planner = BlendPlanner(window, frames, old, new, typical, config, share)
        self._last: Proxy | None = None
        self._psnr: list[float] = []
        self._ssim: list[float] = []

    def look_back(self) -> None:
        """Do what needs old frames only."""
        self._planner.look_back()

    def came(self, index: int) -> None:
        """A frame of the window is there: do what needs no other one, so that little is left when the last has come."""
        self._planner.came(index)

    def frames(self) -> Iterator[tuple[int, Frame]]:
        """The window's frames as they go into the clip, in order.

        Raises:
            MissingExtra: The blend method that was asked for needs OpenCV.
        """
        window, count = self.window, self._frames
        self.plan = self._planner.plan()
        yield from blend_window(window, count, self._old, self._new, self.plan.method, self.plan.offsets, self._share)

    def measure(self, index: int, frame: Frame) -> None:
        """Measure a frame that ``frames()`` gave, in order."""
        current = proxy_of(frame)
        if index == self.window.start > 0:
            self._last = proxy_of(self._old(index - 1))
        if self._last is not None:
            self.pairs[index] = measure(self._last, current)
        self._last = current
        self.cells[index] = stored_cells(current.cells)
        old = self._old(index)
        self._psnr.append(psnr(old, frame))
        self._ssim.append(ssim(grey_of(old), current.grey))
        if index == self.window.stop - 1 and self.window.stop < self._frames:
            self.pairs[self.window.stop] = measure(current, proxy_of(self._old(self.window.stop)))

    def seams(self) -> tuple[Seams, Seams]:
        """The joins with the provider's frames as they came, and as they went into the clip."""
        window, count = self.window, self._frames
        raw: dict[int, Pair] = {}
        if window.start > 0:
            raw[window.start] = measure(proxy_of(self._old(window.start - 1)), proxy_of(self._new(window.start)))
        if window.stop < count:
            raw[window.stop] = measure(proxy_of(self._new(window.stop - 1)), proxy_of(self._old(window.stop)))
        return measure_seams(window, count, raw, self._typical), measure_seams(window, count, self.pairs, self._typical)

    def to_json(self) -> dict[str, Any]:
        """Joins, blending and how much has changed, for the report."""
        assert self.plan is not None, "frames() has been drawn"
        before, after = self.seams()
        finite = [value for value in self._psnr if math.isfinite(value)]
        return {
            "window": [self.window.start, self.window.stop],
            "before_blending": before.to_json(),
            "after_blending": after.to_json(),
            "blend": self.plan.to_json(),
            "old_new": {
                # Equal frames have no finite ratio, so they are counted instead.
                "psnr_db": round(sum(finite) / len(finite), 3) if finite else None,
                "ssim": round(sum(self._ssim) / len(self._ssim), 5),
                "equal_frames": len(self._psnr) - len(finite),
            },
        }
