"""Two models on the same rows: how likely their difference is to be chance, and how many rows would settle it."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Literal

import numpy as np

from reactor_core.eval.statistics import Floats, Interval, bootstrap_interval, by_cluster

__all__ = ["POWER", "PairedTest", "paired_test"]

POWER = 0.8
"""Probability of finding a difference that is there, for the notes on how many rows are needed."""

_EXACT_UP_TO = 16
"""Differing clusters up to which all sign patterns are counted; 2^16 sums take a few milliseconds."""

_CELLS = 1_000_000
"""Signs drawn at once, 8 MB."""

_PATTERNS = 20_000
"""Sign patterns drawn where there are more; the smallest p-value that can be seen is 1 / (this + 1)."""


@dataclass(frozen=True, slots=True)
class PairedTest:
    """What a candidate gains over a baseline, row by row.

    Attributes:
        name: ``exact sign test``, ``exact permutation test`` or ``permutation test``.
        p_value: Two-sided probability of a gain or loss at least this large if the two were exchangeable.
        gain: Mean gain of the candidate with its bootstrap interval; above 0 the candidate is better.
        gained: Clusters in which the candidate is better.
        lost: Clusters in which the baseline is better.
        rows: Rows that were compared.
        clusters: Independent units: prompts, or rows where each stands alone.
        detectable: Smallest true gain that as many rows would show with probability POWER at level ``alpha``; None with
            a single cluster.
        rows_needed: Rows that would show a true gain as large as the one measured, with probability POWER at level
            ``alpha``; None where nothing was gained, or with a single cluster.
        alpha: Significance level that the two are for.
    """

    name: Literal["exact sign test", "exact permutation test", "permutation test"]
    p_value: float
    gain: Interval
    gained: int
    lost: int
    rows: int
    clusters: int
    detectable: float | None
    rows_needed: int | None
    alpha: float

    @property
    def significant(self) -> bool:
        """Whether the candidate is better, and chance is an unlikely reason."""
        return self.gain.mean > 0 and self.p_value < self.alpha

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "test": self.name,
            "p_value": self.p_value,
            "alpha": self.alpha,
            "gain": self.gain.mean,
            "interval": [self.gain.low, self.gain.high],
            "level": self.gain.level,
            "gained": self.gained,
            "lost": self.lost,
            "rows": self.rows,
            "clusters": self.clusters,
            "detectable": self.detectable,
            "power": POWER,
            "rows_needed": self.rows_needed,
        }


def paired_test(
    gains: Sequence[float] | np.ndarray,
    weights: Sequence[float] | np.ndarray | None = None,
    *,
    clusters: Sequence[Hashable] | None = None,
    alpha: float = 0.05,
    seed: int = 0,
) -> PairedTest:
    """Test whether a candidate's gain over a baseline on the same rows is more than chance.

    If the two models were exchangeable, each cluster's gain could as well have the other sign (Fisher 1935, ch. 3;
    Pitman 1937). The p-value is the share of sign patterns whose sum is at least as far from 0 as the one measured. It
    is counted exactly for few clusters, and otherwise estimated from random patterns with the measured one among them
    (Phipson and Smyth 2010), which never gives 0. Where all gains have one size, as with right and wrong answers or won
    and lost duels, this is the exact sign test, which for right and wrong answers is McNemar's.

    The interval is a BCa bootstrap of the same gains. The notes on power use the normal approximation, with the spread
    that was measured: ``detectable = (z(1 - alpha / 2) + z(POWER)) * standard error``.

    Args:
        gains: What the candidate gains on each row, shape [N], a sum over the row's tokens where weights are tokens.
        weights: What each row counts for, shape [N], the same for both models; None counts every row once.
        clusters: What each row belongs to, such as its prompt; signs change for whole clusters. None takes rows as
            independent.
        alpha: Significance level.
        seed: Of the random patterns and of the bootstrap.

    Raises:
        ValueError: As :func:`~reactor_core.eval.statistics.bootstrap_interval`, or ``alpha`` is not between 0 and 1.
    """
    if not 0.0 < alpha < 1.0:
        raise ValueError(f"alpha {alpha} is not between 0 and 1")
    rows = np.asarray(gains, dtype=np.float64)
    counts = np.ones_like(rows) if weights is None else np.asarray(weights, dtype=np.float64)
    interval = bootstrap_interval(rows, counts, clusters=clusters, method="bca", seed=seed)
    sums = by_cluster(np.stack([rows, counts], axis=1), clusters)
    name, p_value = _sign_flips(sums[:, 0], seed)
    detectable = _detectable(sums, interval.mean, alpha)
    needed = None
    if interval.mean > 0 and detectable is not None:
        # However even the gains are: with fewer clusters not even a gain on each of them is significant.
        least = (math.floor(1 - math.log2(alpha)) + 1) / len(sums)
        needed = math.ceil(len(rows) * max(least, (detectable / interval.mean) ** 2))
    return PairedTest(
        name=name,
        p_value=p_value,
        gain=interval,
        gained=int((sums[:, 0] > 0).sum()),
        lost=int((sums[:, 0] < 0).sum()),
        rows=len(rows),
        clusters=len(sums),
        detectable=detectable,
        rows_needed=needed,
        alpha=alpha,
    )


def _sign_flips(
    sums: Floats, seed: int
) -> tuple[Literal["exact sign test", "exact permutation test", "permutation test"], float]:
    """Name and two-sided p-value of the test on the clusters' gains ``[C]``; those of 0 have no sign to change."""
    moved = sums[sums != 0.0]
    sizes = np.abs(moved)
    if moved.size == 0 or np.allclose(sizes, sizes[0], rtol=1e-9, atol=0.0):
        up, n = int((moved > 0).sum()), len(moved)
        # Integers throughout: no rounding until the one division.
        tail = sum(math.comb(n, k) for k in range(min(up, n - up) + 1))
        return "exact sign test", min(1.0, 2 * tail / 2**n)
    # Sums that are equal but for rounding count as at least as far.
    measured = abs(float(moved.sum())) - 1e-12 * float(sizes.sum())
    if len(moved) <= _EXACT_UP_TO:
        totals = np.zeros(1)
        for gain in moved:
            totals = np.concatenate([totals + gain, totals - gain])
        return "exact permutation test", float((np.abs(totals) >= measured).mean())
    rng = np.random.default_rng(seed)
    far = 0
    at_once = max(1, _CELLS // len(moved))
    for start in range(0, _PATTERNS, at_once):
        shape = (min(at_once, _PATTERNS - start), len(moved))
        # One random byte is eight signs.
        bits = np.unpackbits(rng.integers(0, 256, -(-math.prod(shape) // 8), dtype=np.uint8), count=math.prod(shape))
        totals = 2 * (bits.reshape(shape).astype(np.float64) @ moved) - moved.sum()
        far += int((np.abs(totals) >= measured).sum())
    return "permutation test", (far + 1) / (_PATTERNS + 1)


def _detectable(sums: Floats, mean: float, alpha: float) -> float | None:
    """Smallest gain that clusters ``[C, 2]`` with this spread show. The standard error of ``sum(gains) / sum(weights)``
    is that of a ratio (Cochran, Sampling Techniques, eq. 2.46)."""
    if len(sums) < 2:
        return None
    residuals = sums[:, 0] - mean * sums[:, 1]
    spread = float((residuals**2).sum()) * len(sums) / (len(sums) - 1)
    reach = NormalDist().inv_cdf(1 - alpha / 2) + NormalDist().inv_cdf(POWER)
    return reach * math.sqrt(spread) / float(sums[:, 1].sum())
