"""The parts of the kill switch's benchmark that decide what is counted."""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

HERE = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def benchmark() -> Iterator[ModuleType]:
    """The script as a module; it imports its neighbours by name, as a script does."""
    sys.path.insert(0, str(HERE))
    try:
        yield importlib.import_module("safety_kill")
    finally:
        sys.path.remove(str(HERE))
        for name in ("safety_kill", "_events", "_harness"):
            sys.modules.pop(name, None)


def test_the_last_effect_lies_between_the_kill_and_the_end(benchmark: ModuleType, tmp_path: Path) -> None:
    file = tmp_path / "effects"
    before = time.monotonic_ns()
    with benchmark.action(file, {}) as process:
        assert before < benchmark.last_effect(file)
        process.kill()
        process.wait()
        ended = time.monotonic_ns()
        last = benchmark.last_effect(file)
        assert before < last < ended
    assert benchmark.last_effect(file) == last


def test_the_action_goes_on_writing(benchmark: ModuleType, tmp_path: Path) -> None:
    file = tmp_path / "effects"
    with benchmark.action(file, {}):
        first, deadline = benchmark.last_effect(file), time.monotonic() + 60
        while benchmark.last_effect(file) == first:
            assert time.monotonic() < deadline
            time.sleep(0.001)


def test_percentiles_are_values_that_were_measured(benchmark: ModuleType) -> None:
    values = [float(number) for number in range(200, 0, -1)]
    assert benchmark.share(values, 0.5) == 101.0
    assert benchmark.share(values, 0.99) == 199.0
    assert benchmark.share([7.0], 0.99) == 7.0


@pytest.mark.parametrize(("ours", "quick", "holds"), [(149.0, False, True), (151.0, False, False), (1.0, True, None)])
def test_a_line_holds_only_under_the_goal_and_never_in_a_quick_run(
    benchmark: ModuleType, capsys: pytest.CaptureFixture[str], ours: float, quick: bool, holds: bool | None
) -> None:
    benchmark.tell("a claim", ours, goal=150.0, samples=3, quick=quick)
    line = json.loads(capsys.readouterr().out)
    assert (line["benchmark"], line["ours"], line["peer"], line["samples"]) == ("safety_kill", ours, None, 3)
    assert line["holds"] is holds


def test_what_has_no_goal_is_only_reported(benchmark: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    benchmark.tell("a claim", -3.0, goal=None, samples=3, quick=False)
    line = json.loads(capsys.readouterr().out)
    assert (line["peer"], line["ratio"], line["holds"], line["goal"]) == (None, None, None, "reported")


def test_a_backlog_that_has_shrunk_is_no_result(benchmark: ModuleType) -> None:
    agent = benchmark.Agent.__new__(benchmark.Agent)
    agent.published, agent.handled = 1300, 301
    with pytest.raises(RuntimeError, match="only 999"):
        agent.check(1000)
    agent.handled = 300
    agent.check(1000)
