"""A run is killed again and again, and must end with the adapter of one that was never touched, byte for byte."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.faults.harness.forks import Child, Forks
from tests.faults.harness.history import Record
from tests.faults.harness.tally import Tally
from tests.faults.harness.trainers import PRELOAD
from tests.faults.harness.waiting import PATIENCE
from tests.reactor_core.conftest import build_model, build_tokenizer

from reactor_core.models.store import pull_model
from reactor_core.utils.settings import load_settings

TRAINER = "tests.faults.harness.trainers:trainer"
POINTS = ("step.part", "keeper.copied", "checkpoint.written", "checkpoint.renamed", "keeper.moved")
REMOTE_POINTS = (*POINTS, "remote.uploading", "remote.uploaded", "remote.naming", "remote.named")
STEPS = 24
PARTS = 3
"""Of a step."""


@pytest.fixture(scope="module")
def trainers() -> Iterator[Forks]:
    """Makes processes that train; torch is imported once for all."""
    with Forks(*PRELOAD) as forks:
        yield forks


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny Llama with random weights."""
    folder = tmp_path_factory.mktemp("models") / "llama"
    tokenizer = build_tokenizer()
    build_model("llama", len(tokenizer)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@dataclass
class Setting:
    """One kind of run, and how it ends when nobody touches it."""

    forks: Forks
    folder: Path
    options: dict[str, Any]
    rows: Path
    cache: Path
    patience: float = PATIENCE
    whole: str = ""

    def start(self, name: str, workspace: str, **more: Any) -> Child:
        options = {**self.options, **more.pop("options", {})}
        return self.forks.start(
            TRAINER,
            self.folder,
            name,
            workspace=str(self.folder / workspace),
            cache=str(self.cache),
            rows=str(self.rows),
            options=options,
            **more,
        )


def end_of(child: Child) -> Record | None:
    """The line that a process writes when its run has ended; None if it was killed before."""
    lines = child.log.records("done")
    return lines[0] if lines else None


@pytest.fixture
def make(trainers: Forks, model: Path, tmp_path: Path) -> Callable[..., Setting]:
    """A setting of a method, with the hash of its untouched run."""

    def make(
        method: str, *, steps: int = STEPS, cache: Path | None = None, patience: float = PATIENCE, **more: Any
    ) -> Setting:
        rows = tmp_path / "rows.jsonl"
        made: list[dict[str, Any]] = [{"prompt": f"{n} + {n} = ", "completion": f"{2 * n}"} for n in range(12)]
        if method == "dpo":
            made = [{"prompt": row["prompt"], "chosen": row["completion"], "rejected": "?"} for row in made]
        rows.write_text("".join(json.dumps(row) + "\n" for row in made))
        base = {"model_name": str(model), "method": method, "lora_rank": 4, "learning_rate": 0.01}
        # A token is less than a row: each makes a part of its own.
        parts = {"batch_size": PARTS, "micro_batch_tokens": 1}
        options = {**base, **parts, "num_epochs": steps // 4, **more}
        setting = Setting(trainers, tmp_path, options, rows, cache or tmp_path / "cache", patience)
        child = setting.start("whole", "whole")
        assert child.join(patience) == 0
        record = end_of(child)
        assert record is not None
        assert record.number == steps
        setting.whole = record.event_id
        return setting

    return make


def live(
    setting: Setting, tally: Tally, life: str, workspace: str, points: tuple[str, ...], *, passes: int = 5, **more: Any
) -> Child:
    """One life of the run; most often it is killed."""
    chance = tally.chance
    point = chance.choice(["a random moment", "after a notice", *points])
    # How often it is saved changes nothing about the result, and is no part of the run's identity.
    options = {"save_seconds": chance.choice((1e-6, 0.005, 0.2)), "keep_checkpoints": chance.choice((1, 2))}
    more["copies"] = point == "keeper.copied" or chance.random() < 0.5
    nth = chance.randrange(1, passes * (PARTS if point == "step.part" else 1) + 1)
    if point in points:
        more["die_at"] = (point, nth, chance.choice((0.0, 0.02)))
    else:
        more["struck"] = (nth, chance.uniform(0.0, 0.05), point == "after a notice")
    child = setting.start(life, workspace, options=options, **more)
    if child.join(setting.patience) == -signal.SIGKILL:
        tally.count(f"training killed: {point}")
    elif child.log.records("interrupted"):
        tally.count("training stopped by a notice")
    return child


@pytest.mark.parametrize(
    ("method", "more", "kills"),
    [
        pytest.param("sft", {}, 6, id="sft"),
        pytest.param("sft", {"lora_dropout": 0.1}, 50, id="sft-50-dropout", marks=pytest.mark.slow),
        pytest.param("dpo", {}, 50, id="dpo-50", marks=pytest.mark.slow),
    ],
)
def test_a_run_that_is_killed_again_and_again_ends_in_the_same_bytes(
    make: Callable[..., Setting], tally: Tally, method: str, more: dict[str, Any], kills: int
) -> None:
    steps = 4 * (kills + 2)
    setting = make(method, steps=steps, **more)
    for run in tally.times(1):
        kill_and_compare(setting, tally, run, method, kills=kills, steps=steps)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_run_of_a_real_model_is_killed_five_times(make: Callable[..., Setting], tally: Tally) -> None:
    """SmolLM2-135M in full size, its adapter's defaults."""
    pull_model("smollm2-135m", settings=load_settings())
    options = {"model_name": "smollm2-135m", "chat_template": "bare", "lora_rank": 16, "learning_rate": 2e-4}
    setting = make("sft", steps=8, cache=load_settings().cache_dir, patience=240.0, **options)
    kill_and_compare(setting, tally, 0, "SmolLM2-135M, sft", kills=5, steps=8, passes=1)


def kill_and_compare(
    setting: Setting, tally: Tally, run: int, name: str, *, kills: int, steps: int, passes: int = 5
) -> None:
    killed, lives, done = 0, 0, None
    while killed < kills and done is None:
        lives += 1
        child = live(setting, tally, f"{run}-{lives}", f"run-{run}", POINTS, passes=passes)
        killed += child.status == -signal.SIGKILL
        done = end_of(child)
    if done is None:
        child = setting.start(f"{run}-last", f"run-{run}")
        assert child.join(setting.patience) == 0
        done = end_of(child)
    assert done is not None
    assert (done.event_id, done.number) == (setting.whole, steps)
    (log,) = (setting.folder / f"run-{run}").glob("runs/*/loss.jsonl")
    assert [json.loads(line)["step"] for line in log.read_text().splitlines()] == list(range(1, steps + 1))
    tally.run()
    tally.note(f"{name}, {steps} steps, killed {killed} times: {done.event_id}, untouched: {setting.whole}")


@pytest.mark.slow
def test_a_run_whose_machine_is_lost_again_and_again_ends_in_the_same_bytes(
    make: Callable[..., Setting], tally: Tally
) -> None:
    """Every life is a new machine: nothing is left but the store."""
    setting = make("sft")
    store, runs = setting.folder / "store", 0
    for life in tally.times(4):
        more = {"passes": 40, "store": str(store / str(runs))}
        done = end_of(live(setting, tally, f"life-{life}", f"machine-{life}", REMOTE_POINTS, **more))
        tally.run()
        shutil.rmtree(setting.folder / f"machine-{life}")
        if done is not None:
            assert done.event_id == setting.whole
            runs += 1
    child = setting.start("last", "last", store=str(store / str(runs)))
    assert child.join() == 0
    done = end_of(child)
    assert done is not None
    assert (done.event_id, done.number) == (setting.whole, STEPS)
    tally.count("training: steps that a lost machine had done", done.life)
    names = [path for path in (store / str(runs)).rglob("*") if path.is_file() and path.name != ".lock"]
    (head,) = (path for path in names if path.name == "head.json")
    listed = {piece["name"] for piece in json.loads(head.read_text())["result"]["files"].values()}
    assert {path.relative_to(store / str(runs)).as_posix() for path in names if path != head} == listed


def test_a_notice_saves_the_step_and_the_run_goes_on_elsewhere(make: Callable[..., Setting], tally: Tally) -> None:
    setting = make("sft")
    for life in tally.times(1):
        store, at = setting.folder / f"store-{life}", tally.chance.randrange(1, STEPS - 1)
        first = setting.start(f"first-{life}", f"first-{life}", store=str(store))
        first.wait_for_lines(at)
        assert first.stop() == 0
        tally.run()
        steps = len(first.log.records("step"))
        shutil.rmtree(setting.folder / f"first-{life}")
        second = setting.start(f"second-{life}", f"second-{life}", store=str(store))
        assert second.join() == 0
        done = end_of(second)
        assert done is not None
        if first.log.records("interrupted"):
            assert done.life == steps
        assert done.event_id == setting.whole
