"""How often to save: from what a save costs and how often machines fail.

A run that saves every T seconds, at a cost of C each, on a machine that fails every M seconds, loses ``C / T`` of its
time to saving and, on the average, ``T / 2M`` to computing again what it had not saved. The sum is least at
``T = sqrt(2 C M)`` (Young 1974, https://doi.org/10.1145/361147.361115; Daly 2006,
https://doi.org/10.1016/j.future.2004.11.016, gives further terms, which are small while C is much smaller than M).

A failure here is one without notice: what is announced, loses nothing (:mod:`reactor_core.training.shadow`).
"""

from __future__ import annotations

import math
from typing import Any

__all__ = ["STALL_SHARE", "Interval", "young_daly"]

STALL_SHARE = 0.02
"""Largest share of a run that goes into saving where the interval is chosen."""

_BYTES_PER_SECOND = 200e6
"""Assumed of a disk until the first save is measured."""
_NEWEST = 0.3
"""Weight of the newest save in the mean of their costs: disks are faster and slower by the hour."""


def young_daly(cost: float, between_failures: float) -> float:
    """Seconds between saves that cost the least time.

    Args:
        cost: Seconds that a save takes.
        between_failures: Mean seconds between failures.
    """
    return math.sqrt(2 * cost * between_failures)


class Interval:
    """The seconds between two saves of a run.

    Args:
        fixed: What was asked for; None chooses by :func:`young_daly`, but never so that saving takes more than
            :data:`STALL_SHARE` of the time.
        between_failures: Mean seconds between failures without notice.
        size: Bytes of a save, from which the first cost is guessed.
    """

    def __init__(self, fixed: float | None, *, between_failures: float, size: int) -> None:
        self._fixed, self._between_failures = fixed, between_failures
        self.cost = size / _BYTES_PER_SECOND
        """Mean seconds that a save takes; a guess before the first."""
        self.measured = 0
        """Saves that it knows of."""

    @property
    def seconds(self) -> float:
        """From the end of a save to the next one."""
        if self._fixed is not None:
            return self._fixed
        return max(young_daly(self.cost, self._between_failures), self.cost * (1 - STALL_SHARE) / STALL_SHARE)

    def learn(self, seconds: float) -> None:
        """A save took so long."""
        share = _NEWEST if self.measured else 1.0
        self.cost += share * (seconds - self.cost)
        self.measured += 1

    def facts(self) -> dict[str, Any]:
        """For the run's card."""
        return {
            "interval_seconds": self.seconds,
            "chosen_by": "young-daly" if self._fixed is None else "save_seconds",
            "cost_seconds": self.cost if self.measured else None,
            "hours_between_failures": self._between_failures / 3600 if self._fixed is None else None,
        }
