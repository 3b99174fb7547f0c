from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.reactor_core.training.distributed.conftest import Runs

from reactor_core.errors import Halted, TrainingError
from reactor_core.events.latch import Latch
from reactor_core.training.control import RunControl, State, Wish, stand_still
from reactor_core.training.distributed.agreement import RankControl, RankHooks, RankLatch, require_same
from reactor_core.training.distributed.world import World
from reactor_core.training.hooks import Hooks, TrainingHook


class Second(World):
    """A process that is not the first, which says these things."""

    rank, size = 1, 2

    def __init__(self, *said: Any) -> None:
        self._said = list(said)

    def follow(self, value: Any) -> Any:
        return self._said.pop(0)

    def told(self, reason: str | None) -> str | None:
        return reason or self._said.pop(0)


class Stops(TrainingHook):
    def should_stop(self) -> str | None:
        return "mine"


def test_a_wish_is_the_first_processes(tmp_path: Path) -> None:
    control = RunControl()
    control.claim()
    others = RankControl(control, Second("pause", "run"))
    others.begin(tmp_path, 3)
    assert control.state is State.RUNNING
    assert (others.wish(), others.wait()) == (Wish.PAUSE, Wish.RUN)
    others.move(State.PAUSED, 4)
    assert control.state is State.PAUSED
    others.end(4)
    control.ask(Wish.STOP)
    assert control.state is State.IDLE
    assert RankControl(control, World()).wish() is Wish.RUN


def test_only_the_first_process_has_hooks() -> None:
    assert RankHooks(Hooks((Stops(),)), World()).should_stop() == "mine"
    assert RankHooks(Hooks((Stops(),)), Second("enough")).should_stop() == "enough"
    assert RankHooks(Hooks((Stops(),)), Second(None)).should_stop() is None


def test_a_kill_switch_that_one_process_sees_halts_all(tmp_path: Path) -> None:
    stand_still(RankLatch(Latch(tmp_path), Second(None)))
    with pytest.raises(Halted, match="a drill of process 0"):
        stand_still(RankLatch(Latch(tmp_path), Second("a drill of process 0")))
    Latch(tmp_path).trip(reason="mine")
    with pytest.raises(Halted, match="mine"):
        stand_still(RankLatch(Latch(tmp_path), Second()))


def test_a_process_that_would_train_something_else_is_refused() -> None:
    identity = {"dataset": "a", "base model": "b"}
    require_same(Second(identity), identity)
    with pytest.raises(TrainingError, match="process 1 has another dataset than the first one"):
        require_same(Second({**identity, "dataset": "x"}), identity)


def test_a_reason_of_the_first_processes_hook_ends_the_run_everywhere(runs: Runs) -> None:
    first, other = runs("run", say={"step": 2, "what": "stop"})
    assert first == other
    assert (first["steps"], first["stopped"]) == (2, "enough")


@pytest.mark.slow
def test_a_tripped_kill_switch_ends_all_processes(runs: Runs) -> None:
    first, other = runs("run", say={"step": 2, "what": "halt"})
    assert first["error"] == other["error"] == "Halted"
    assert first["message"] == other["message"]
