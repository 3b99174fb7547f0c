"""One end of a window, and what each method of blending would make of it.

Methods are tried on small copies of the frames (all steps are linear, or motion that is found at that scale anyway),
so a try costs one measurement of motion. A join asks only for frames at its own end: what it knows can be known before
the window's other frames are there.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from a1_reactor.engine.blend import Method, crossfade_weight
from a1_reactor.engine.morph import morph_planes
from a1_reactor.engine.offsets import GRID, Offset, Share, enlarged, offset_between_shrunk, shrunk
from a1_reactor.eval.consistency import COLOUR_GOAL, SEAM_GOAL
from a1_reactor.eval.flow import warp_residual
from a1_reactor.eval.pairs import CELLS, Proxy, proxy_of
from a1_reactor.eval.planes import Plane
from a1_reactor.eval.seams import Typical
from a1_reactor.media.frames import Frame
from a1_reactor.types import Window

__all__ = ["HOPELESS", "Join", "joins_of"]

HOPELESS = 1.5
"""A colour step this many times the goal rules a method out before motion is measured."""
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601, as Pillow's mode L


class Join:
    """Two neighbours, one outside the window and one inside. Whatever is worked out is kept.

    Args:
        index: Number of the inner frame.
        outside: Number of the outer one.
        window: What was regenerated.
        frames: Length of the clip.
        old: Old frame by number, for the window and its two neighbours.
        new: New frame by number; asked only for ``index``.
        typical: What is usual in the clip that the window lies in.
        share: How much of each pixel is replaced, float32 ``[height, width]``; None replaces all.
        same_field: The join whose colour offset holds here too: the first of two about a window of one frame.
    """

    def __init__(
        self,
        index: int,
        outside: int,
        *,
        window: Window,
        frames: int,
        old: Callable[[int], Frame],
        new: Callable[[int], Frame],
        typical: Typical,
        share: Share | None = None,
        same_field: Join | None = None,
    ) -> None:
        self.index = index
        self._first = outside < index
        self._window = window
        self._frames = frames
        self._old = old
        self._new = new
        self._place = outside
        self._share = share
        self._same_field = same_field
        self._residual = typical.residual_at(max(index, outside))
        self._colour = typical.colour_at(max(index, outside))
        self._made: dict[str, tuple[Plane, NDArray[np.float32]]] = {}
        self._seams: dict[str, float] = {}

    def look_back(self) -> None:
        """Work out all that needs old frames only."""
        for part in ("_outside", "_before", "_shrunk"):
            getattr(self, part)

    @cached_property
    def offset(self) -> Offset:
        """The slow colour difference here."""
        return offset_between_shrunk(self._shrunk, shrunk(self._new(self.index)), self._share)

    def colour(self, method: Method) -> float:
        """Step in the low-pass colour that the method would leave, as a ratio to what is usual."""
        step = float(np.abs(self._try(method)[1] - self._outside.cells).mean())
        return Typical.ratio(step, self._colour)

    def seam(self, method: Method) -> float:
        """Residual that motion does not explain, as such a ratio."""
        if method.name not in self._seams:
            grey = self._try(method)[0]
            order = (self._outside.grey, grey) if self._first else (grey, self._outside.grey)
            self._seams[method.name] = Typical.ratio(warp_residual(*order)[0], self._residual)
        return self._seams[method.name]

    def knows(self, method: Method) -> bool:
        """Whether :meth:`reaches` would cost next to nothing."""
        return method.name in self._seams or (method.name in self._made and self.colour(method) > COLOUR_GOAL)

    def reaches(self, method: Method) -> bool:
        """Whether both goals are met here; motion is measured only where the colour step is small enough."""
        return self.colour(method) / COLOUR_GOAL <= 1 and self.seam(method) / SEAM_GOAL <= 1

    @cached_property
    def _outside(self) -> Proxy:
        return proxy_of(self._old(self._place))

    @cached_property
    def _before(self) -> Proxy:
        """The old frame at the place of the inner one."""
        return proxy_of(self._old(self.index))

    @cached_property
    def _after(self) -> Proxy:
        return proxy_of(self._new(self.index))

    @cached_property
    def _shrunk(self) -> Offset:
        return shrunk(self._old(self.index))

    @cached_property
    def _small_share(self) -> Plane | None:
        return None if self._share is None else _small(self._share, self._before.grey.shape)

    def _try(self, method: Method) -> tuple[Plane, NDArray[np.float32]]:
        """Brightness and mean colours of the inner frame as the method would make it."""
        if method.name not in self._made:
            self._made[method.name] = self._make(method)
        return self._made[method.name]

    def _make(self, method: Method) -> tuple[Plane, NDArray[np.float32]]:
        old, grey, cells = self._before, self._after.grey, self._after.cells
        if method.offset:
            # At a window's ends the field between its two joins is that of the nearer one.
            offset = self.offset if self._same_field is None else self._same_field.offset
            height, width = grey.shape
            grey = grey + enlarged(offset, width=width, height=height) @ _LUMA
            part = GRID // CELLS
            cells = cells + offset.reshape(CELLS, part, CELLS, part, 3).mean(axis=(1, 3))
        left, right = self._window.start > 0, self._window.stop < self._frames
        weight = crossfade_weight(self.index, self._window, method.fade, left=left, right=right)
        if weight < 1:
            share = np.float32(weight)
            grey = morph_planes(old.grey, grey, weight) if method.morph else old.grey * (1 - share) + grey * share
            cells = old.cells * (1 - share) + cells * share
        if self._small_share is not None:
            coarse = _small(self._small_share, (CELLS, CELLS))[..., None]
            grey = old.grey + self._small_share * (grey - old.grey)
            cells = old.cells + coarse * (cells - old.cells)
        # Proxies of real frames are whole levels; a mixture that is not would seem to have less grain than it will.
        return np.clip(np.rint(grey), 0, 255), cells


def joins_of(
    window: Window,
    frames: int,
    old: Callable[[int], Frame],
    new: Callable[[int], Frame],
    typical: Typical,
    share: Share | None = None,
) -> tuple[Join, ...]:
    """The joins of a window in a clip of so many frames, the left one first; the ends of the clip are none."""
    joins: list[Join] = []
    for index, outside in ((window.start, window.start - 1), (window.stop - 1, window.stop)):
        if 0 <= outside < frames:
            joins.append(
                Join(
                    index,
                    outside,
                    window=window,
                    frames=frames,
                    old=old,
                    new=new,
                    typical=typical,
                    share=share,
                    same_field=joins[0] if joins and len(window) == 1 else None,
                )
            )
    return tuple(joins)


def _small(share: NDArray[np.float32], shape: tuple[int, ...]) -> Plane:
    height, width = shape[:2]
    return np.asarray(Image.fromarray(share).resize((width, height), Image.Resampling.BOX), np.float32)
