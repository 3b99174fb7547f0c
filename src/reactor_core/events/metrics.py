"""Figures about the running system, kept as plain numbers; the HTTP edge turns them into Prometheus' text."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

__all__ = ["COUNT_BUCKETS", "SECONDS_BUCKETS", "Histogram", "Sample", "by_name"]

SECONDS_BUCKETS = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
"""Upper bounds for durations in seconds."""
COUNT_BUCKETS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0)
"""Upper bounds for sizes of batches."""


class Histogram:
    """Counts of observations below bounds, and their sum. One thread observes, any thread reads."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = tuple(bounds)
        self.counts = [0] * (len(self.bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Count one observation; a value on a bound counts below it."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    @property
    def count(self) -> int:
        """Number of observations."""
        return sum(self.counts)

    def cumulative(self) -> list[tuple[float, int]]:
        """``(bound, observations up to it)``, the last bound infinite."""
        running, answer = 0, []
        for bound, count in zip((*self.bounds, float("inf")), self.counts, strict=True):
            running += count
            answer.append((bound, running))
        return answer


@dataclass(frozen=True, slots=True)
class Sample:
    """One figure.

    Args:
        name: In Prometheus' spelling, with the unit at its end and without ``_total``.
        kind: How it behaves over time.
        help: One sentence.
        value: The figure, or the histogram itself.
        labels: What sets it apart from others of the same name.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    value: float | Histogram
    labels: Mapping[str, str] = field(default_factory=dict)


def by_name(samples: Iterable[Sample]) -> dict[str, list[Sample]]:
    """Samples that share a name, in order of their first appearance."""
    groups: dict[str, list[Sample]] = {}
    for sample in samples:
        groups.setdefault(sample.name, []).append(sample)
    return groups
