from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from reactor_core.cloud.blobs import FolderStore
from reactor_core.errors import StorageFull
from reactor_core.training.checkpoint import Progress, read_beside, read_partial, restore
from reactor_core.training.interval import Interval
from reactor_core.training.keeper import Keeper, Place, StepLeft
from reactor_core.training.mark import Mark
from reactor_core.training.meter import Totals
from reactor_core.training.notices import NOTICES
from reactor_core.training.optim import build_optimizer
from reactor_core.training.partial import Partial
from reactor_core.training.remote import RemoteRun
from reactor_core.training.runs import Run
from reactor_core.utils import failpoints
from reactor_core.utils.clock import SystemClock

PATIENCE = 30.0


class Ticking(SystemClock):
    """Stands still unless it is set."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


class Setting:
    """A keeper over one tensor."""

    def __init__(
        self,
        folder: Path,
        *,
        interval: int | None = None,
        store: bool = False,
        told: Callable[[int, float], object] = lambda _step, _seconds: None,
        size: int = 0,
        room: int = 1 << 30,
    ) -> None:
        self.clock = Ticking()
        self.run = Run("train-1", folder / "run", resumed=False)
        self.run.path.mkdir()
        self.weight = torch.nn.Parameter(torch.zeros(2, 2))
        optimizer = self.optimizer = build_optimizer([self.weight], learning_rate=0.1, weight_decay=0.0, beta2=0.9)
        self.remote = RemoteRun(FolderStore(folder / "store"), {"dataset": "a"}, clock=self.clock)
        self.remote.look()
        self.remote.claim("train-1")
        self.progress = Progress()
        self.keeper = Keeper(
            self.run,
            parameters={"w": self.weight},
            optimizer=optimizer,
            identity={"dataset": "a"},
            progress=self.progress,
            interval=Interval(60, between_failures=3600, size=size),
            keep=2,
            clock=self.clock,
            told=told,
            room=lambda wanted: wanted <= room,
            beside=lambda: {"reference": torch.full((3, 2), 0.5)},
            elsewhere=Place(self.remote if store else None, interval),
        )

    def part(self, totals: Totals) -> None:
        """One part of the step that is going on, whose gradient is all ones."""
        self.weight.grad = torch.ones(2, 2)
        totals.turns += 1
        self.keeper.accumulator.after(totals)

    def step(self) -> None:
        with self.keeper.moving(self.progress):
            self.progress.step += 1
        self.keeper.tick(self.progress)
        self.keeper._background.end()

    def marks(self) -> list[Mark]:
        return sorted(Mark.of(path) for path in self.run.checkpoints.glob("step-*"))

    def saved(self) -> list[int]:
        return [mark.step for mark in self.marks()]


def test_time_decides_when_to_save(tmp_path: Path) -> None:
    setting = Setting(tmp_path)
    setting.step()
    assert setting.saved() == []
    setting.clock.now = 60.0
    setting.step()
    setting.step()
    assert setting.saved() == [2]


def test_steps_decide_where_they_are_given_and_time_does_as_well(tmp_path: Path) -> None:
    setting = Setting(tmp_path, interval=3, store=True)
    with setting.keeper.watching():
        for _ in range(3):
            setting.step()
        assert setting.saved() == [3]
        setting.clock.now = 60.0
        setting.step()
    assert setting.saved() == [3, 4]
    assert setting.remote.newest == Mark(3)


def test_a_checkpoint_is_not_written_twice(tmp_path: Path) -> None:
    setting = Setting(tmp_path)
    setting.step()
    setting.keeper.save_news(setting.progress)
    (setting.run.checkpoints / "step-00000001" / "mark").touch()
    setting.keeper.save_news(setting.progress)
    assert (setting.run.checkpoints / "step-00000001" / "mark").exists()


def test_a_rest_says_what_the_store_has(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "both").mkdir()
    alone, both = Setting(tmp_path / "here"), Setting(tmp_path / "both", store=True)
    with alone.keeper.watching(), both.keeper.watching():
        alone.step()
        both.step()
        assert alone.keeper.rest(alone.progress) == ""
        assert both.keeper.rest(both.progress).endswith("has it too")
    assert both.remote.newest == Mark(1)


def test_what_a_store_refuses_stays_on_this_machine_and_is_said(tmp_path: Path) -> None:
    setting = Setting(tmp_path, store=True)
    other = RemoteRun(FolderStore(tmp_path / "store"), {"dataset": "a"}, clock=setting.clock)
    other.look()
    other.claim("train-1")
    with setting.keeper.watching():
        setting.step()
        assert setting.keeper.rest(setting.progress).endswith("has only what it had")
    (tmp_path / "adapter").mkdir()
    fault = setting.keeper.finish(setting.progress, setting.run.path)
    assert fault is not None
    assert fault.startswith("the result is on this machine only")


@pytest.mark.parametrize("at", [0, 1])
def test_without_news_a_notice_writes_nothing(tmp_path: Path, at: int) -> None:
    setting = Setting(tmp_path)
    if at:
        setting.step()
        setting.keeper.save(setting.progress)
    with setting.keeper.watching() as stopped:
        setting.keeper._shadow.give_notice("SIGTERM")
        assert setting.keeper._shadow.wait(30)
        assert stopped() == "SIGTERM"
    assert setting.saved() == [at] * at


def test_a_notice_saves_the_parts_that_are_done_and_ends_the_step_after_the_next(tmp_path: Path) -> None:
    setting = Setting(tmp_path, store=True)
    with setting.keeper.watching():
        totals = Totals()
        setting.keeper.accumulator.begin(4, "parts", totals)
        setting.part(totals)
        setting.keeper._shadow.give_notice("preemption notice")
        assert setting.keeper._shadow.wait(30)
        assert setting.marks() == [Mark(0, 1)]
        with pytest.raises(StepLeft):
            setting.part(totals)
        assert setting.keeper.rest(setting.progress).endswith("has it too")
    assert setting.marks() == [Mark(0, 1), Mark(0, 2)]
    assert setting.remote.newest == Mark(0, 2)
    notice = json.loads((setting.run.path / NOTICES).read_text())
    assert (notice["step"], notice["parts"]) == (0, 1)
    assert notice["seconds_to_disk"] <= notice["seconds_to_store"]
    assert not (setting.run.path / "checkpoints.jsonl").exists(), "no row can be traced to half a step"


def test_what_a_step_in_its_middle_was_saved_with_comes_back(tmp_path: Path) -> None:
    setting = Setting(tmp_path)
    setting.clock.now = 1.0
    totals = Totals(loss=0.1)
    setting.keeper.accumulator.begin(3, "parts", totals)
    setting.part(totals)
    setting.clock.now = 61.0
    setting.part(totals)  # long enough for a checkpoint between two parts
    (place,) = setting.run.checkpoints.iterdir()
    parameters = {"w": torch.nn.Parameter(torch.zeros(2, 2))}
    optimizer = build_optimizer(parameters.values(), learning_rate=0.1, weight_decay=0.0, beta2=0.9)
    progress = restore(place, parameters=parameters, optimizer=optimizer, identity={"dataset": "a"})
    partial = read_partial(place, parameters)
    assert partial is not None
    assert (progress.step, partial.turns, partial.parts, partial.loss, partial.seconds) == (0, 2, 3, 0.1, 60.0)
    assert torch.equal(partial.gradients["w"], torch.full((2, 2), 2.0))
    assert torch.equal(read_beside(place)["reference"], torch.full((3, 2), 0.5))


def test_saving_is_counted_and_told(tmp_path: Path) -> None:
    told: list[tuple[int, float]] = []
    setting = Setting(tmp_path, told=lambda *what: told.append(what))
    setting.step()
    setting.keeper.save(setting.progress)
    setting.progress.elapsed = 100.0
    setting.progress.save_seconds = 2.0
    facts = setting.keeper.facts()
    assert (facts["saves"], facts["stall_seconds"], facts["stall_share"]) == (1, 2.0, 0.02)
    assert (facts["interval_seconds"], facts["chosen_by"]) == (60, "save_seconds")
    assert told == [(1, 0.0)]  # the clock stands still


def test_what_a_checkpoint_costs_decides_when_the_next_one_is_due(tmp_path: Path) -> None:
    setting = Setting(tmp_path)
    setting.keeper.interval = Interval(None, between_failures=3600, size=0)
    setting.keeper.interval.learn(2.0)  # sqrt(2 * 2 * 3600)
    setting.clock.now = 119.0
    assert not setting.keeper.due(setting.progress)
    setting.clock.now = 120.0
    assert setting.keeper.due(setting.progress)


@contextmanager
def held_up_at(point: str) -> Iterator[tuple[threading.Event, threading.Event]]:
    """Keep whoever reaches a point there: set when it is reached, and to be set to let it go on."""
    reached, go = threading.Event(), threading.Event()

    def hold(name: str) -> None:
        if name == point and not reached.is_set():
            reached.set()
            assert go.wait(PATIENCE)

    failpoints.install(hold)
    try:
        yield reached, go
    finally:
        go.set()
        failpoints.install(None)


def begun(target: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=target, daemon=True)
    thread.start()
    return thread


LARGE = 1 << 30
"""Bytes of a checkpoint that takes long."""


@pytest.mark.parametrize(("size", "room"), [(0, LARGE), (LARGE, 0)], ids=["it is quick", "no memory for a copy"])
def test_training_goes_on_while_a_checkpoint_is_written_until_it_would_change_what_is_saved(
    tmp_path: Path, size: int, room: int
) -> None:
    setting, trained = Setting(tmp_path, size=size, room=room), []

    def train() -> None:
        with setting.keeper.moving(setting.progress):
            trained.append(setting.marks())

    with held_up_at("checkpoint.written") as (writing, go):
        setting.clock.now = 60.0
        setting.keeper.tick(setting.progress)
        assert writing.wait(PATIENCE)
        totals = Totals()
        setting.keeper.accumulator.begin(2, "parts", totals)
        setting.part(totals)  # would stand still here for ever
        mover = begun(train)
        mover.join(0.05)
        assert trained == []
        go.set()
        mover.join(PATIENCE)
    assert trained == [[Mark(0)]]
    assert setting.progress.saves == 1


def state_in(place: Path) -> tuple[Progress, torch.Tensor, dict[str, torch.Tensor], Partial | None]:
    parameters = {"w": torch.nn.Parameter(torch.zeros(2, 2))}
    optimizer = build_optimizer(parameters.values(), learning_rate=0.1, weight_decay=0.0, beta2=0.9)
    progress = restore(place, parameters=parameters, optimizer=optimizer, identity={"dataset": "a"})
    weight = parameters["w"]
    return progress, weight.detach(), dict(optimizer.state[weight]), read_partial(place, parameters)


def move(setting: Setting) -> None:
    """An optimizer's move by a gradient of ones."""
    with setting.keeper.moving(setting.progress):
        setting.weight.grad = torch.ones(2, 2)
        setting.optimizer.step()
        setting.keeper.accumulator.clear()
        setting.progress.step += 1


def test_what_takes_long_is_written_from_a_copy_and_the_optimizer_moves_meanwhile(tmp_path: Path) -> None:
    told: list[int] = []
    setting = Setting(tmp_path, size=LARGE, told=lambda step, _seconds: told.append(step))
    move(setting)
    before, moments = setting.weight.detach().clone(), setting.optimizer.state[setting.weight]["exp_avg"].clone()
    with held_up_at("checkpoint.written") as (writing, go):
        setting.clock.now = 60.0
        setting.keeper.tick(setting.progress)
        assert writing.wait(PATIENCE)
        move(setting)
        move(setting)
        assert setting.marks() == []
        go.set()
    setting.keeper.save(setting.progress)
    assert setting.marks() == [Mark(1), Mark(3)]
    assert told == [1, 3]
    progress, weight, kept, partial = state_in(setting.run.checkpoints / Mark(1).name)
    assert (progress.step, partial) == (1, None)
    assert torch.equal(weight, before)
    assert torch.equal(kept["exp_avg"], moments)
    assert torch.equal(state_in(setting.run.checkpoints / Mark(3).name)[1], setting.weight)


def test_the_optimizer_waits_until_the_copy_is_made(tmp_path: Path) -> None:
    setting = Setting(tmp_path, size=LARGE)
    with held_up_at("keeper.copied") as (copied, go):
        setting.clock.now = 60.0
        setting.keeper.tick(setting.progress)
        assert copied.wait(PATIENCE)
        mover = begun(lambda: move(setting))
        mover.join(0.05)
        assert setting.progress.step == 0
        setting.clock.now = 63.0
        go.set()
        mover.join(PATIENCE)
    assert setting.progress.step == 1
    setting.keeper.save(setting.progress)
    assert setting.progress.save_seconds == 3.0


def test_the_parts_that_are_done_are_copied_too_and_the_next_one_adds_to_its_own(tmp_path: Path) -> None:
    setting = Setting(tmp_path, size=LARGE)
    totals = Totals()
    setting.keeper.accumulator.begin(4, "parts", totals)
    setting.part(totals)
    with held_up_at("checkpoint.written") as (writing, go):
        setting.clock.now = 61.0
        setting.part(totals)
        assert writing.wait(PATIENCE)
        setting.part(totals)
        go.set()
    setting.keeper.save(setting.progress)
    assert setting.marks() == [Mark(0, 2), Mark(0, 3)]
    for turns in (2, 3):
        partial = state_in(setting.run.checkpoints / Mark(0, turns).name)[3]
        assert partial is not None
        assert torch.equal(partial.gradients["w"], torch.full((2, 2), float(turns)))


def test_a_notice_while_a_copy_is_written_saves_what_is_computed_since(tmp_path: Path) -> None:
    setting = Setting(tmp_path, size=LARGE, store=True)
    with setting.keeper.watching(), held_up_at("checkpoint.written") as (writing, go):
        setting.clock.now = 60.0
        setting.keeper.tick(setting.progress)
        assert writing.wait(PATIENCE)
        move(setting)
        setting.keeper._shadow.give_notice("SIGTERM")
        go.set()
        assert setting.keeper._shadow.wait(PATIENCE)
        assert setting.keeper.rest(setting.progress).endswith("has it too")
    assert setting.marks() == [Mark(0), Mark(1)]
    assert setting.remote.newest == Mark(1)
    assert torch.equal(state_in(setting.run.checkpoints / Mark(1).name)[1], setting.weight)


def test_a_copy_that_finds_no_space_is_raised_in_the_training_thread(tmp_path: Path) -> None:
    setting = Setting(tmp_path, size=LARGE)

    def full(name: str) -> None:
        if name == "checkpoint.written":
            raise StorageFull("no space left")

    failpoints.install(full)
    try:
        setting.clock.now = 60.0
        setting.keeper.tick(setting.progress)
        setting.keeper._background.end()
    finally:
        failpoints.install(None)
    with pytest.raises(StorageFull):
        move(setting)
    assert setting.progress.step == 0
