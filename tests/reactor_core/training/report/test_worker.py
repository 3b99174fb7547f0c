from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from reactor_core.training.report.points import Point
from reactor_core.training.report.sink import Ending, Target
from reactor_core.training.report.worker import Worker, pauses, read_status, status_file


def add(folder: Path, *steps: int) -> None:
    with (folder / "loss.jsonl").open("a") as stream:
        for step in steps:
            row = {"step": step, "epoch": 0.0, "loss": 1.0, "learning_rate": 1e-3, "grad_norm": 1.0, "tokens": 4}
            stream.write(json.dumps({**row, "seconds": 0.1, "metrics": {}}) + "\n")


class Shelf:
    """A sink that keeps what it is told; raises where it is told to."""

    kept: list[int]
    faults: list[str]
    endings: list[Ending]

    def __init__(self, target: Target) -> None:
        self.target = target
        self.where = "the shelf"

    def _maybe_raise(self, method: str) -> None:
        if self.faults and self.faults[0] == method:
            self.faults.pop(0)
            raise RuntimeError(f"no {method}\nmore")

    def open(self) -> int:
        self._maybe_raise("open")
        return self.kept[-1] if self.kept else 0

    def write(self, points: Sequence[Point]) -> None:
        for point in points:
            self.kept.append(point.step)
            self._maybe_raise("write")

    def flush(self) -> int:
        self._maybe_raise("flush")
        return self.kept[-1]

    def finish(self, ending: Ending) -> None:
        self._maybe_raise("finish")
        self.endings.append(ending)

    def state(self) -> dict[str, Any]:
        return {"step": self.kept[-1] if self.kept else 0}


def shelf(*faults: str) -> type[Shelf]:
    return type("ThisShelf", (Shelf,), {"kept": [], "faults": list(faults), "endings": []})


def work(folder: Path, sink: type[Shelf], script: list[Any]) -> Worker:
    """Let a worker live through a script of functions, which do something and hear nothing, and messages."""
    acts = iter(script)
    now = 0.0

    def hear(seconds: float) -> dict[str, Any] | None:
        nonlocal now
        now += seconds
        act = next(acts)
        if callable(act):
            act()
            return None
        return act

    worker = Worker(sink, Target(folder, "run", folder, "p", None), name="x", hear=hear, session="s", clock=lambda: now)
    worker.run()
    return worker


SETTLE = {"do": "settle"}
KILLED = {"do": "end", "state": "killed"}


def end(state: str) -> dict[str, str]:
    return {"do": "end", "state": state, "message": "m"}


def test_steps_are_told_as_they_come_and_the_last_when_the_run_ends(tmp_path: Path) -> None:
    sink = shelf()
    (tmp_path / "card.json").write_text('{"metrics": {}}')
    work(tmp_path, sink, [lambda: add(tmp_path, 1, 2), lambda: add(tmp_path, 3), SETTLE, end("finished")])
    assert sink.kept == [1, 2, 3]
    assert sink.endings == [Ending("finished", "m", {"metrics": {}}, (tmp_path / "card.json",))]
    status = read_status(tmp_path, "x")
    assert (status.step, status.settled, status.closed, status.failures) == (3, True, True, 0)
    assert (status.session, status.where) == ("s", "the shelf")


def test_a_run_that_was_stopped_is_told_to_its_last_step(tmp_path: Path) -> None:
    sink = shelf()
    work(tmp_path, sink, [lambda: add(tmp_path, 1, 2), end("interrupted")])
    assert sink.kept == [1, 2]
    assert sink.endings == [Ending("interrupted", "m")]


def test_the_last_step_before_a_kill_waits_for_the_session_that_goes_on(tmp_path: Path) -> None:
    sink = shelf()
    work(tmp_path, sink, [lambda: add(tmp_path, 1, 2, 3), KILLED])
    assert sink.kept == [1, 2]
    work(tmp_path, sink, [lambda: add(tmp_path, 4), SETTLE, KILLED])
    assert sink.kept == [1, 2, 3, 4]


@pytest.mark.parametrize("fault", ["open", "write", "flush"])
def test_what_a_failing_sink_missed_is_told_later_and_nothing_twice(tmp_path: Path, fault: str) -> None:
    sink = shelf(fault, fault)
    idle = [lambda: None] * 8
    work(tmp_path, sink, [lambda: add(tmp_path, 1, 2, 3), *idle, lambda: add(tmp_path, 4, 5), SETTLE, end("failed")])
    assert sink.kept == [1, 2, 3, 4, 5]
    status = read_status(tmp_path, "x")
    assert (status.failures, status.step, status.closed) == (2, 5, True)


def test_a_sink_that_never_works_is_tried_with_growing_pauses_and_once_more_at_the_end(tmp_path: Path) -> None:
    sink = shelf(*["open"] * 100)
    add(tmp_path, 1)
    work(tmp_path, sink, [*[lambda: None] * 32, SETTLE, end("failed")])
    status = read_status(tmp_path, "x")
    # Tries after 0, 1, 3, 7, 15 and 31 seconds, one to settle and one to end.
    assert (status.failures, status.settled, status.closed, status.step) == (8, True, False, 0)
    assert status.error == "RuntimeError: no open"
    assert sink.kept == []


def test_a_fault_at_the_end_leaves_the_session_open(tmp_path: Path) -> None:
    work(tmp_path, shelf("finish"), [lambda: add(tmp_path, 1, 2), end("interrupted")])
    status = read_status(tmp_path, "x")
    assert (status.closed, status.failures, status.step) == (False, 1, 2)


def test_a_status_that_cannot_be_read_is_one_of_a_sink_that_has_not_begun(tmp_path: Path) -> None:
    status_file(tmp_path, "x").parent.mkdir()
    for text in ("", "{", "[]", '{"unknown": 1}'):
        status_file(tmp_path, "x").write_text(text)
        assert read_status(tmp_path, "x").step == 0


def test_pauses_double_up_to_a_minute() -> None:
    assert list(islice(pauses(), 8)) == [1, 2, 4, 8, 16, 32, 60, 60]
