"""How sure a measured accuracy is: a bootstrap interval, and an exact test between two answers to the same rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["Interval", "McNemar", "bootstrap_interval", "mcnemar_exact"]


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


def bootstrap_interval(
    values: Sequence[float] | np.ndarray, *, level: float = 0.95, resamples: int = 2000, seed: int = 0
) -> Interval:
    """Percentile bootstrap of the mean (Efron 1979; Efron and Tibshirani, An Introduction to the Bootstrap, ch. 13).

    Args:
        values: The sample, shape [N], for an accuracy 1.0 per right row and 0.0 per wrong one.
        level: Confidence level between 0 and 1.
        resamples: How many samples of size N are drawn with replacement.
        seed: Seed of the draws; equal arguments give equal bounds.

    Raises:
        ValueError: The sample is empty, or ``level`` is not between 0 and 1.
    """
    sample = np.asarray(values, dtype=np.float64)
    if sample.size == 0:
        raise ValueError("values is empty: an interval needs at least one row")
    if not 0.0 < level < 1.0:
        raise ValueError(f"level {level} is not between 0 and 1")
    rng = np.random.default_rng(seed)
    means = np.empty(resamples)
    # One resample at a time: resamples x N indices at once would be hundreds of megabytes for large files.
    for i in range(resamples):
        means[i] = sample[rng.integers(0, sample.size, sample.size)].mean()
    tail = (1.0 - level) / 2
    low, high = np.quantile(means, [tail, 1.0 - tail])
    return Interval(mean=float(sample.mean()), low=float(low), high=float(high), level=level)


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
