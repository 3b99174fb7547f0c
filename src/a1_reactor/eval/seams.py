"""How visible the two ends of a regenerated window are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from a1_reactor.eval.consistency import seam_ratio
from a1_reactor.eval.measures import Measures
from a1_reactor.eval.pairs import Pair
from a1_reactor.types import Window

__all__ = ["Seams", "Typical", "measure_seams"]


@dataclass(frozen=True, slots=True)
class Typical:
    """What is usual between neighbours of a clip before a window of it is regenerated."""

    residuals: NDArray[np.float64]
    """``residuals[i - 1]`` is that of frame ``i``."""
    colours: NDArray[np.float64]
    """Steps in the low-pass colour, likewise."""
    residual: float
    """Median residual; 0 for a clip of one frame."""
    colour: float
    """Median colour step."""

    @classmethod
    def of(cls, measures: Measures) -> Typical:
        """What is usual in a measured clip."""
        residuals, colours = measures.column("residual"), measures.column("colour")
        if not len(residuals):
            return cls(residuals, colours, 0.0, 0.0)
        return cls(residuals, colours, float(np.median(residuals)), float(np.median(colours)))

    def residual_at(self, index: int) -> float:
        """What a join in front of frame ``index`` is measured against: the median, or what the clip itself had there
        if that was more. A window that ends where the clip has a cut makes no seam by leaving it there."""
        return max(self.residual, float(self.residuals[index - 1]))

    def colour_at(self, index: int) -> float:
        """The same for the step in the low-pass colour."""
        return max(self.colour, float(self.colours[index - 1]))

    @staticmethod
    def ratio(value: float, typical: float) -> float:
        """How far a join stands out; 1 is a pair like any other."""
        return seam_ratio(value, typical)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seams:
    """Ratios to what is typical of the untouched clip (:class:`Typical`); 1 is a join like any other pair.

    None on a side where the window begins or ends with the clip, and so has no join.
    """

    left: float | None
    """Residual that motion does not explain, where the window begins."""
    right: float | None
    """The same where it ends."""
    colour_left: float | None
    """Step in the low-pass colour where the window begins."""
    colour_right: float | None
    """The same where it ends."""
    worst_inside: float | None
    """Largest residual ratio of any pair that touches the window, joins included."""

    @property
    def worst(self) -> float | None:
        """The larger of the two joins, or None if there is none."""
        return max((value for value in (self.left, self.right) if value is not None), default=None)

    def to_json(self) -> dict[str, Any]:
        return {name: None if value is None else round(value, 4) for name, value in asdict(self).items()}


def measure_seams(window: Window, frames: int, new: Mapping[int, Pair], typical: Typical) -> Seams:
    """Compare the joins of a window with the clip that it was cut from.

    Args:
        window: The regenerated frames.
        frames: Length of the clip.
        new: Pair by number of its later frame; ``new[i]`` compares frame ``i`` with ``i - 1``. Must hold the joins.
        typical: What is usual in the parent.
    """

    def residual(index: int) -> float:
        return Typical.ratio(new[index].residual, typical.residual_at(index))

    def colour(index: int) -> float:
        return Typical.ratio(new[index].colour, typical.colour_at(index))

    left, right = window.start > 0, window.stop < frames
    touched = [index for index in range(window.start, window.stop + 1) if index in new]
    return Seams(
        left=residual(window.start) if left else None,
        right=residual(window.stop) if right else None,
        colour_left=colour(window.start) if left else None,
        colour_right=colour(window.stop) if right else None,
        worst_inside=max(map(residual, touched), default=None),
    )
