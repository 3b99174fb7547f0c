"""Real workers, with sinks that behave well and badly; what real libraries write is read back beside their sinks."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reactor_core.errors import Interrupted
from reactor_core.training.config import TrainingConfig
from reactor_core.training.hooks import StepInfo
from reactor_core.training.report import hook as hook_module
from reactor_core.training.report.hook import ReportHook
from reactor_core.training.report.sink import SINKS, Offer
from reactor_core.training.trainer import Trainer
from reactor_core.utils.settings import Settings

MakeModel = Callable[[str], Path]
ODD = "tests.reactor_core.training.report.odd_sinks:"


@pytest.fixture
def config(model_folder: MakeModel) -> TrainingConfig:
    return TrainingConfig(
        model_name=str(model_folder("llama")), lora_rank=4, num_epochs=2, batch_size=3, report_to=("tensorboard",)
    )


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Put one of the odd sinks in the place of TensorBoard's."""

    def put(name: str) -> None:
        monkeypatch.setitem(SINKS, "tensorboard", Offer(ODD + name, "json", "report"))

    return put


def lines(settings: Settings) -> list[Any]:
    file = settings.workspace / "notebook.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def until(true: Callable[[], bool], seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def patient(config: TrainingConfig, settings: Settings, patience: float = 120.0, *hooks: Any) -> Trainer:
    """A trainer that waits for its sinks on a machine that does much else."""
    trainer = Trainer(config, settings=settings)
    trainer.hooks = type(trainer.hooks)((*hooks, ReportHook(config.report_to, settings, patience=patience)))
    return trainer


def test_every_step_is_told_and_the_card_says_where(
    config: TrainingConfig, settings: Settings, rows_file: Path, use: Callable[[str], None]
) -> None:
    use("Notebook")
    result = patient(config, settings).train(rows_file)
    assert lines(settings) == [*range(1, 9), "finished"]
    told = json.loads(result.card_path.read_text())["report"]["tensorboard"]
    where = str(settings.workspace.resolve() / "notebook.jsonl")
    assert told == {"where": where, "step": 8, "missing": 0, "failures": 0, "error": ""}


@pytest.mark.parametrize(("sink", "said"), [("Raising", "nobody answers"), ("Full", "No space left")])
def test_a_sink_that_fails_costs_the_run_nothing(
    config: TrainingConfig, settings: Settings, rows_file: Path, use: Callable[[str], None], sink: str, said: str
) -> None:
    use(sink)
    with pytest.warns(UserWarning, match=f"8 of 8 steps were not told: .*{said}") as caught:
        result = patient(config, settings).train(rows_file)
    assert len(caught) == 1
    told = json.loads(result.card_path.read_text())["report"]["tensorboard"]
    assert (told["step"], told["missing"]) == (0, 8)
    assert told["failures"] >= 1
    alone = Trainer(TrainingConfig(**(config.model_dump() | {"report_to": ()})), settings=settings)
    adapters = [r.adapter_dir / "adapter_model.safetensors" for r in (result, alone.train(rows_file, resume=False))]
    assert len({hashlib.sha256(file.read_bytes()).hexdigest() for file in adapters}) == 1


def test_a_sink_that_hangs_is_waited_for_as_long_as_was_said(
    config: TrainingConfig, settings: Settings, rows_file: Path, use: Callable[[str], None]
) -> None:
    use("Hanging")
    trainer = patient(config, settings, 2.0)
    with pytest.warns(UserWarning, match="8 of 8 steps were not told: it took too long"):
        result = trainer.train(rows_file)
    assert json.loads(result.card_path.read_text())["report"]["tensorboard"]["missing"] == 8
    until(lambda: lines(settings) == ["hanging"])


def test_a_worker_that_dies_is_started_again(
    config: TrainingConfig,
    settings: Settings,
    rows_file: Path,
    use: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    use("Dying")
    monkeypatch.setattr(hook_module, "_LOOK_SECONDS", 0.0)

    class Slow:
        def on_step(self, step: StepInfo) -> None:
            if step.step == 4:
                until(lambda: "died" in lines(settings))
                time.sleep(0.5)

    with pytest.warns(UserWarning, match="its process has ended; see .*tensorboard.log"):
        patient(config, settings, 120.0, Slow()).train(rows_file)
    assert lines(settings) == ["died", *range(1, 9), "finished"]


def test_a_program_that_turns_warnings_into_errors_keeps_its_run(
    config: TrainingConfig, settings: Settings, rows_file: Path, use: Callable[[str], None]
) -> None:
    use("Raising")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert patient(config, settings).train(rows_file).steps == 8


def test_a_run_that_was_stopped_goes_on_in_the_sink_without_gap_or_repetition(
    config: TrainingConfig, settings: Settings, rows_file: Path, use: Callable[[str], None]
) -> None:
    use("Notebook")

    class Stop:
        def on_step(self, step: StepInfo) -> None:
            if step.step == 3:
                os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(Interrupted):
        patient(config, settings, 120.0, Stop()).train(rows_file)
    until(lambda: "interrupted" in lines(settings))
    patient(config, settings).train(rows_file)
    assert lines(settings) == [1, 2, 3, "interrupted", *range(4, 9), "finished"]


def test_a_run_that_is_killed_is_told_to_its_end_and_goes_on_in_the_sink(
    config: TrainingConfig, settings: Settings, rows_file: Path, use: Callable[[str], None]
) -> None:
    use("Notebook")
    options = TrainingConfig(**(config.model_dump() | {"save_seconds": 1e-9}))  # a checkpoint after each step

    class Kill:
        def on_step(self, step: StepInfo) -> None:
            if step.step == 5:
                os.kill(os.getpid(), signal.SIGKILL)

    child = os.fork()
    if child == 0:
        try:
            patient(options, settings, 120.0, Kill()).train(rows_file)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    until(lambda: "killed" in lines(settings))
    # The fifth step was logged, but it is not known whether its measurement would have followed.
    assert lines(settings) == [1, 2, 3, 4, "killed"]
    patient(options, settings).train(rows_file)
    assert lines(settings) == [1, 2, 3, 4, "killed", *range(5, 9), "finished"]
