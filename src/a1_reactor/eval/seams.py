"""How visible the two ends of a regenerated window are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from a1_reactor.eval.consistency import seam_ratio
from a1_reactor.eval.pairs import Pair
from a1_reactor.types import Window

__all__ = ["Seams", "measure_seams"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seams:
    """Ratios to the untouched clip's own median; 1 is a join like any other pair of neighbours.

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


def measure_seams(window: Window, frames: int, new: Mapping[int, Pair], old: Sequence[Pair]) -> Seams:
    """Compare the joins of a window with the clip that it was cut from.

    Args:
        window: The regenerated frames.
        frames: Length of the clip.
        new: Pair by number of its later frame; ``new[i]`` compares frame ``i`` with ``i - 1``. Must hold the joins.
        old: All pairs of the parent, ``old[i - 1]`` for frame ``i``.
    """
    if not old:
        return Seams(left=None, right=None, colour_left=None, colour_right=None, worst_inside=None)
    residual = median(pair.residual for pair in old)
    colour = median(pair.colour for pair in old)
    left = new[window.start] if window.start > 0 else None
    right = new[window.stop] if window.stop < frames else None
    touched = [new[index] for index in range(window.start, window.stop + 1) if index in new]
    return Seams(
        left=None if left is None else seam_ratio(left.residual, residual),
        right=None if right is None else seam_ratio(right.residual, residual),
        colour_left=None if left is None else seam_ratio(left.colour, colour),
        colour_right=None if right is None else seam_ratio(right.colour, colour),
        worst_inside=max((seam_ratio(pair.residual, residual) for pair in touched), default=None),
    )
