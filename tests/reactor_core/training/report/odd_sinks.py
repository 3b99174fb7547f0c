"""Sinks that behave well and badly, for workers that the tests start."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from typing import Any

from reactor_core.training.report.points import Point
from reactor_core.training.report.sink import Ending, Target


class Notebook:
    """Writes a line per step, and one per ending, into the workspace."""

    def __init__(self, target: Target) -> None:
        target.workspace.mkdir(parents=True, exist_ok=True)
        self.file = target.workspace / "notebook.jsonl"
        self.where = str(self.file)

    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.file.read_text().splitlines()] if self.file.exists() else []

    def open(self) -> int:
        return max((line for line in self.lines() if isinstance(line, int)), default=0)

    def add(self, line: Any) -> None:
        with self.file.open("a") as stream:
            stream.write(json.dumps(line) + "\n")

    def write(self, points: Sequence[Point]) -> None:
        for point in points:
            self.add(point.step)

    def flush(self) -> int:
        return self.open()

    def finish(self, ending: Ending) -> None:
        self.add(ending.state)

    def state(self) -> dict[str, Any]:
        return {}


class Raising(Notebook):
    """Never works."""

    def open(self) -> int:
        raise ConnectionRefusedError("nobody answers")


class Hanging(Notebook):
    """Never returns."""

    def write(self, points: Sequence[Point]) -> None:
        self.add("hanging")
        time.sleep(3600)


class Dying(Notebook):
    """Takes its process with it, once."""

    def write(self, points: Sequence[Point]) -> None:
        if "died" not in self.lines():
            self.add("died")
            os._exit(3)
        super().write(points)


class Full(Notebook):
    """Writes where no space is left."""

    def add(self, line: Any) -> None:
        with open("/dev/full", "a") as stream:
            stream.write(json.dumps(line))
