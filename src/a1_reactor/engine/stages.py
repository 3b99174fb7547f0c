"""What a run tells while it runs, and how long its stages took."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

__all__ = ["Progress", "Stages", "as_stage", "overall_share", "silent"]

Progress = Callable[[str, int, int], None]
"""Called with the stage, the steps done and their number; stages follow each other, steps never go back."""

T = TypeVar("T")


def silent(stage: str, done: int, total: int) -> None:
    """Reports nothing."""


def as_stage(name: str, progress: Progress) -> Progress:
    """Tell of other work as one stage of this one."""
    return lambda _, done, total: progress(name, done, total)


class Stages:
    """Adds up wall and CPU seconds by name; a stage may be entered any number of times, one at a time."""

    def __init__(self) -> None:
        self._seconds: dict[str, tuple[float, float]] = {}
        self._start = time.perf_counter(), time.process_time()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a block."""
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            old = self._seconds.get(name, (0.0, 0.0))
            self._seconds[name] = old[0] + time.perf_counter() - wall, old[1] + time.process_time() - cpu

    def drawn(self, name: str, items: Iterable[T]) -> Iterator[T]:
        """Pass items on, timing only how long they take to come."""
        iterator = iter(items)
        while True:
            with self.stage(name):
                try:
                    item = next(iterator)
                except StopIteration:
                    return
            yield item

    def to_json(self) -> dict[str, dict[str, float]]:
        """Wall and CPU milliseconds per stage, and of all since the start."""
        total = time.perf_counter() - self._start[0], time.process_time() - self._start[1]
        return {
            name: {"wall_ms": round(1000 * wall, 1), "cpu_ms": round(1000 * cpu, 1)}
            for name, (wall, cpu) in {**self._seconds, "total": total}.items()
        }


_SHARES = {
    "base": (0.0, 0.0),
    "receive": (0.0, 0.0),
    "generate": (0.0, 1.0),
    "prepare": (0.0, 0.1),
    "regen": (0.1, 0.5),
    "blend": (0.5, 0.75),
    "preview": (0.75, 0.75),
    "score": (0.75, 0.95),
    "stitch": (0.95, 1.0),
}
"""Where in the whole run each stage lies, by its usual share of the time."""


def overall_share(stage: str, done: int, total: int) -> float:
    """Share of a whole run that is done, 0 to 1."""
    begin, end = _SHARES[stage]
    return begin + (end - begin) * done / max(1, total)
