"""The seed of the runs, how many there are, and what was done in them."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any


class Tally:
    """Counts over all tests of a session.

    Args:
        seed: Everything random in the runs follows from it and from the test's name.
        share: How many times the usual number of runs each test makes.
    """

    def __init__(self, *, seed: int, share: float) -> None:
        self.seed = seed
        self.runs = 0
        self.chance = random.Random(seed)
        self._share = share
        self._counts: Counter[str] = Counter()
        self._notes: list[str] = []

    def begin(self, test: str) -> Tally:
        """Start a test: the same test has the same random numbers, whichever others run."""
        self.chance = random.Random(f"{self.seed} {test}")
        return self

    def times(self, usual: int) -> range:
        """The runs of a test that usually makes so many."""
        return range(max(1, round(usual * self._share)))

    def run(self) -> None:
        """One run was judged."""
        self.runs += 1

    def count(self, what: str, number: int = 1) -> None:
        """Something happened in a run."""
        self._counts[what] += number

    def note(self, what: str) -> None:
        """Something that whoever reads the report wants to see, such as a hash."""
        self._notes.append(what)

    def counted(self, what: str) -> int:
        """How often it happened in this session."""
        return self._counts[what]

    def counts(self) -> dict[str, Any]:
        """All that :meth:`add` takes, as plain values."""
        return {"runs": self.runs, "counts": dict(self._counts), "notes": list(self._notes)}

    def add(self, counts: dict[str, Any]) -> None:
        """Take in what another process counted."""
        self.runs += counts["runs"]
        self._counts.update(counts["counts"])
        self._notes += counts["notes"]

    def lines(self) -> list[str]:
        """The report."""
        told = ", ".join(f"{what} {number:,}" for what, number in sorted(self._counts.items()))
        return [f"{self.runs} runs, seed {self.seed} (REACTOR_FAULT_SEED repeats them)", told, *self._notes]
