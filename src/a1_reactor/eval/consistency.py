"""What the pairs of a clip add up to."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from a1_reactor.eval.measures import PairTable

__all__ = ["COLOUR_GOAL", "SEAM_GOAL", "Consistency", "seam_ratio", "summarize"]

SEAM_GOAL = 1.25
"""A join whose residual is at most this multiple of the clip's median is not seen as one."""
COLOUR_GOAL = 1.05
"""The same for the colour step."""
_FLOOR = 0.25
"""Levels added above and below a ratio, so that a still clip has ratios too."""
_CUT_RATIO, _CUT_UNEXPLAINED = 3.0, 0.5

NOTE = (
    "mean_l1 and p95_l1 are kept from the first prototype. They say how much changes, not how well: 1 - mean_l1 is "
    "VBench's temporal_flickering, and a hard cut hardly moves it. Read score, seam and cuts."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Consistency:
    """Summary of a clip. None where a clip is too short to say."""

    mean_l1: float | None
    """Mean of the pairs' mean absolute differences, 0..1."""
    p95_l1: float | None
    """Their 95th percentile."""
    warp_error: float | None
    """Mean share of a frame's contrast that motion does not explain, 0..1; noise has 1."""
    worst_ratio: float | None
    """Largest residual of a pair divided by the median residual."""
    flicker: float | None
    """Mean absolute second difference of brightness, in levels."""
    motion: float | None
    """Mean length of motion in pixels per frame."""
    motion_energy: float | None
    """Mean square of the same: equal motion in bursts has more of it."""
    cuts: tuple[int, ...]
    """Frames that do not follow from the one before them."""
    score: float | None
    """0..1: (1 - warp error) times min(1, 1.25 / worst ratio). A steady moving picture is near 1, noise near 0, and a
    visible join lowers it by as much as it stands out."""

    def to_json(self) -> dict[str, Any]:
        numbers = {
            name: None if value is None else round(value, 6) for name, value in asdict(self).items() if name != "cuts"
        }
        return {**numbers, "cuts": list(self.cuts)}


def seam_ratio(value: float, typical: float) -> float:
    """How far a pair stands out: its value over the clip's own typical value."""
    return (value + _FLOOR) / (typical + _FLOOR)


def summarize(table: PairTable) -> Consistency:
    """Summarize the pairs of a clip, in order."""
    if not len(table):
        return Consistency(
            mean_l1=None,
            p95_l1=None,
            warp_error=None,
            worst_ratio=None,
            flicker=None,
            motion=None,
            motion_energy=None,
            cuts=(),
            score=None,
        )
    l1, residual, unexplained, _, motion, luma = table.T
    ratios = (residual + _FLOOR) / (float(np.median(residual)) + _FLOOR)
    warp_error, worst = float(np.minimum(1.0, unexplained).mean()), float(ratios.max())
    cuts = np.flatnonzero((unexplained > _CUT_UNEXPLAINED) & (ratios > _CUT_RATIO)) + 1
    return Consistency(
        mean_l1=float(l1.mean()),
        p95_l1=float(np.percentile(l1, 95)),
        warp_error=warp_error,
        worst_ratio=worst,
        flicker=float(np.abs(np.diff(luma, 2)).mean()) if len(luma) > 2 else None,
        motion=float(motion.mean()),
        motion_energy=float(np.square(motion).mean()),
        cuts=tuple(cuts.tolist()),
        score=(1 - warp_error) * min(1.0, SEAM_GOAL / worst),
    )
