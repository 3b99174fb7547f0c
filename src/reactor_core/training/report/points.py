"""A run's log as points on a step axis, read while it is written."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Point", "RunLog"]

_PLAIN = ("loss", "learning_rate", "grad_norm", "epoch")


@dataclass(frozen=True)
class Point:
    """What is known of one step.

    Attributes:
        step: Optimizer steps that are behind.
        values: ``train/loss``, ``train/learning_rate``, ``train/grad_norm``, ``train/epoch``,
            ``train/tokens_per_second``, ``train/tokens`` (of the whole run so far), and the means of a preference run
            such as ``train/margin``; after a measurement on held-out rows ``eval/loss`` and what else was measured.
    """

    step: int
    values: dict[str, float]


class _Tail:
    """Whole lines that were added to a JSON Lines file since the last look."""

    def __init__(self, path: Path) -> None:
        self._path, self._at = path, 0

    def read(self) -> list[dict[str, Any]]:
        try:
            with self._path.open("rb") as stream:
                stream.seek(self._at)
                data = stream.read()
        except FileNotFoundError:  # nothing was measured yet
            return []
        whole = data[: data.rfind(b"\n") + 1]
        self._at += len(whole)
        return [json.loads(line) for line in whole.splitlines()]


class RunLog:
    """The points of a run, each given out once, in the order of their steps.

    The newest step is held back until a later one, or the end of the run, shows that nothing is added to it: the
    held-out rows are measured after a step and before the next.

    Args:
        folder: The run's.
    """

    def __init__(self, folder: Path) -> None:
        # Losses are read first: what was measured before a step stands in the other file when the step stands here.
        self._losses, self._measured = _Tail(folder / "loss.jsonl"), _Tail(folder / "eval.jsonl")
        self._steps: list[Point] = []
        self._evals: dict[int, dict[str, float]] = {}
        self._tokens = 0

    def read(self, *, ended: bool) -> list[Point]:
        """The points that are complete.

        Args:
            ended: The log is: the last step is given out too.
        """
        self._steps += [self._point(row) for row in self._losses.read()]
        for row in self._measured.read():
            measured = {"loss": row["loss"], **row.get("metrics", {})}
            self._evals[row["step"]] = {f"eval/{name}": value for name, value in measured.items()}
        complete = len(self._steps) if ended else max(0, len(self._steps) - 1)
        points, self._steps = self._steps[:complete], self._steps[complete:]
        return [Point(p.step, p.values | self._evals.pop(p.step, {})) for p in points]

    def _point(self, row: dict[str, Any]) -> Point:
        self._tokens += row["tokens"]
        values = {f"train/{name}": row[name] for name in _PLAIN}
        values["train/tokens"] = self._tokens
        if row["seconds"] > 0:
            values["train/tokens_per_second"] = row["tokens"] / row["seconds"]
        return Point(row["step"], values | {f"train/{name}": value for name, value in row["metrics"].items()})
