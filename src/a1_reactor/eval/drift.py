"""How far a clip moves away from itself over time.

Neighbours may be close everywhere while the picture slowly turns green; the difference between frames 50 apart shows
it. Only low-pass colours are compared, so that motion and grain count for little.
"""

from __future__ import annotations

from a1_reactor.eval.measures import StoredCells
from a1_reactor.eval.planes import absolute_difference

__all__ = ["GAPS", "drift_curve"]

GAPS = (1, 2, 5, 10, 20, 50)
"""Distances in frames."""


def drift_curve(cells: StoredCells) -> dict[int, float]:
    """Mean absolute difference in low-pass colour between frames, in levels, by their distance.

    Distances that the clip is too short for are left out.

    Args:
        cells: uint8 ``[frames, 12, 12, 3]``, as ``Measures.cells``.
    """
    return {gap: _mean_difference(cells[gap:], cells[:-gap]) for gap in GAPS if gap < len(cells)}


def _mean_difference(later: StoredCells, earlier: StoredCells) -> float:
    return absolute_difference(later, earlier)
