"""How sure a measured number is: bootstrap intervals, by prompt where rows share one, and McNemar's exact test.

Tests on paired measurements, and how many rows they need, are in :mod:`reactor_core.eval.paired`.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["Floats", "Interval", "McNemar", "Method", "bootstrap_interval", "by_cluster", "mcnemar_exact"]

Floats = NDArray[np.float64]

Method = Literal["percentile", "bca"]
"""How bounds are taken from the resampled means."""

_CELLS = 1_000_000
"""Indices drawn at once, 8 MB: resamples x rows at once would be hundreds of megabytes for large files."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean with the bounds of its confidence interval.

    Args:
        mean: Mean of the sample.
        low: Lower bound.
        high: Upper bound.
        level: Confidence level, 0.95 for 95 %.
    """

    mean: float
    low: float
    high: float
    level: float


@dataclass(frozen=True, slots=True)
class McNemar:
    """Two answers to the same rows, compared where they differ.

    Args:
        only_first: Rows that the first answers rightly and the second wrongly.
        only_second: Rows that the second answers rightly and the first wrongly.
        p_value: Two-sided exact probability of a split at least this uneven if both were equally good.
    """

    only_first: int
    only_second: int
    p_value: float


def by_cluster(values: Floats, clusters: Sequence[Hashable] | None) -> Floats:
    """Sums per cluster, shape [C, ...] in order of first appearance; the values themselves without clusters.

    Args:
        values: Shape [N, ...].
        clusters: What each row belongs to, such as its prompt, N of them; None lets each row stand alone.

    Raises:
        ValueError: The two differ in length.
    """
    if clusters is None:
        return values
    if len(clusters) != len(values):
        raise ValueError(f"{len(values)} values and {len(clusters)} clusters: every row needs one")
    places: dict[Hashable, int] = {}
    which = np.array([places.setdefault(name, len(places)) for name in clusters], dtype=np.intp)
    sums = np.zeros((len(places), *values.shape[1:]))
    np.add.at(sums, which, values)
    return sums


def bootstrap_interval(
    values: Sequence[float] | np.ndarray,
    weights: Sequence[float] | np.ndarray | None = None,
    *,
    clusters: Sequence[Hashable] | None = None,
    method: Method = "percentile",
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Interval:
    """Bootstrap interval of a mean, ``sum(values) / sum(weights)``.

    ``percentile`` takes quantiles of the resampled means (Efron and Tibshirani, An Introduction to the Bootstrap, ch.
    13), ``bca`` corrects them for bias and skew (ch. 14, eq. 14.9 to 14.15; the acceleration is that of the jackknife).
    Whole clusters are drawn where there are any, since rows of one prompt are not independent.

    A sample without any spread gets an interval without width, whatever its size: ten right answers out of ten say less
    than that.

    Args:
        values: The sample, shape [N], for an accuracy 1.0 per right row and 0.0 per wrong one.
        weights: What each value counts for, shape [N], such as a row's tokens where its value is a sum over them; None
            counts every row once.
        clusters: What each row belongs to, such as its prompt; None takes rows as independent.
        method: How bounds are taken from the resampled means.
        level: Confidence level between 0 and 1.
        resamples: How many samples are drawn with replacement.
        seed: Seed of the draws; equal arguments give equal bounds.

    Raises:
        ValueError: The sample is empty or not finite, a weight is not above 0, lengths differ, or ``level`` is not
            between 0 and 1.
    """
    sample = np.asarray(values, dtype=np.float64)
    counts = np.ones_like(sample) if weights is None else np.asarray(weights, dtype=np.float64)
    if sample.size == 0:
        raise ValueError("values is empty: an interval needs at least one row")
    if counts.shape != sample.shape or not (counts > 0).all():
        raise ValueError("weights must be above 0, one for each value")
    if not np.isfinite(sample).all() or not np.isfinite(counts).all():
        raise ValueError("values and weights must be finite")
    if not 0.0 < level < 1.0:
        raise ValueError(f"level {level} is not between 0 and 1")
    groups = by_cluster(np.stack([sample, counts], axis=1), clusters)
    mean = float(groups[:, 0].sum() / groups[:, 1].sum())
    drawn = _resampled(groups, resamples, seed)
    tail = (1.0 - level) / 2
    shares = [tail, 1.0 - tail]
    if method == "bca" and len(groups) > 1:
        shares = _bca_shares(groups, drawn, mean, shares)
    low, high = np.quantile(drawn, shares)
    return Interval(mean=mean, low=float(low), high=float(high), level=level)


def _resampled(groups: Floats, resamples: int, seed: int) -> Floats:
    """Means of samples drawn with replacement from clusters ``[C, 2]`` of (sum, weight)."""
    rng = np.random.default_rng(seed)
    at_once = max(1, _CELLS // len(groups))
    means = []
    for start in range(0, resamples, at_once):
        count = min(at_once, resamples - start)
        sums = groups[rng.integers(0, len(groups), (count, len(groups)))].sum(axis=1)
        means.append(sums[:, 0] / sums[:, 1])
    return np.concatenate(means)


def _bca_shares(groups: Floats, drawn: Floats, mean: float, shares: list[float]) -> list[float]:
    """The quantiles to take in place of ``shares`` (eq. 14.10); ``shares`` themselves where nothing varies."""
    # Resamples that hit the mean count half, as in scipy: an accuracy takes few values and hits it often.
    below = (np.mean(drawn < mean) + np.mean(drawn <= mean)) / 2
    total = groups.sum(axis=0)
    left_out = (total[0] - groups[:, 0]) / (total[1] - groups[:, 1])
    away = left_out.mean() - left_out
    largest = float(np.abs(away).max())
    if not 0.0 < below < 1.0 or largest == 0.0:
        return shares
    normal = NormalDist()
    bias = normal.inv_cdf(float(below))
    # In units of the largest: the powers of values near 1e-154 are zero.
    away = away / largest
    acceleration = float((away**3).sum()) / (6 * float((away**2).sum()) ** 1.5)
    moved = []
    for share in shares:
        z = bias + normal.inv_cdf(share)
        moved.append(normal.cdf(bias + z / (1 - acceleration * z)))
    return moved


def mcnemar_exact(first: Sequence[bool] | np.ndarray, second: Sequence[bool] | np.ndarray) -> McNemar:
    """Exact McNemar test, two-sided (McNemar 1947; exact form: Edwards 1948, Fagerland et al. 2013, eq. 2).

    With b and c the rows that only one of the two answers rightly, b follows Binomial(b + c, 1/2) if both are equally
    good, and ``p = min(1, 2 * sum_{k <= min(b, c)} C(b + c, k) / 2^(b + c))``. Without differing rows p is 1.

    Args:
        first: Per row whether the first answer is right, shape [N].
        second: The same rows for the second answer, shape [N].

    Raises:
        ValueError: The two differ in length.
    """
    a, b = np.asarray(first, dtype=bool), np.asarray(second, dtype=bool)
    if a.shape != b.shape:
        raise ValueError(f"first has {a.size} rows and second {b.size}: they must answer the same rows")
    only_first, only_second = int(np.sum(a & ~b)), int(np.sum(b & ~a))
    n = only_first + only_second
    # Integers throughout: no rounding until the one division.
    tail = sum(math.comb(n, k) for k in range(min(only_first, only_second) + 1))
    return McNemar(only_first, only_second, p_value=min(1.0, 2 * tail / 2**n))
