from __future__ import annotations

import hashlib
import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from reactor_core.errors import (
    CheckpointInvalid,
    DatasetError,
    Halted,
    Interrupted,
    NonFiniteLoss,
    NothingToTrain,
    StorageFull,
)
from reactor_core.events.latch import Latch
from reactor_core.integration import EventBridge, EventSource, EventType
from reactor_core.training.hooks import RunInfo, StepInfo
from reactor_core.training.objective import Supervised
from reactor_core.training.trainer import Trainer, TrainingConfig
from reactor_core.utils.settings import Settings

MakeModel = Callable[[str], Path]


@pytest.fixture
def config(model_folder: MakeModel) -> TrainingConfig:
    return TrainingConfig(
        model_name=str(model_folder("llama")), lora_rank=4, num_epochs=2, batch_size=3, learning_rate=0.01
    )


def change(config: TrainingConfig, **options: Any) -> TrainingConfig:
    return TrainingConfig(**(config.model_dump() | options))


def adapter_hash(folder: Path) -> str:
    return hashlib.sha256((folder / "adapter_model.safetensors").read_bytes()).hexdigest()


class Watcher:
    """Notes what it is told; may do something at a step."""

    def __init__(self, at: int = 0, action: Callable[[], None] | None = None) -> None:
        self.runs: list[RunInfo] = []
        self.steps: list[StepInfo] = []
        self.results: list[Any] = []
        self.errors: list[BaseException] = []
        self.at, self.action = at, action

    def on_start(self, run: RunInfo) -> None:
        self.runs.append(run)

    def on_step(self, step: StepInfo) -> None:
        self.steps.append(step)
        if step.step == self.at and self.action is not None:
            self.action()

    def on_end(self, result: Any) -> None:
        self.results.append(result)

    def on_error(self, error: BaseException) -> None:
        self.errors.append(error)


def test_a_run_learns_and_leaves_adapter_curve_and_card(
    config: TrainingConfig, settings: Settings, rows_file: Path
) -> None:
    watcher = Watcher()
    result = Trainer(change(config, num_epochs=8), hooks=[watcher], settings=settings).train(rows_file)
    assert (result.steps, result.rows_trained, result.stopped) == (32, 96, "epochs")
    assert result.final_loss < 0.6 * result.first_loss
    assert [step.step for step in watcher.steps] == list(range(1, 33))
    assert watcher.results == [result]
    assert result.run_dir.parent == settings.workspace / "runs"
    assert len(result.loss_path.read_text().splitlines()) == 32
    assert result.plot_path.read_bytes().startswith(b"\x89PNG")
    card = json.loads((result.adapter_dir / "card.json").read_text())
    assert card == json.loads(result.card_path.read_text())
    assert card["dataset"]["sha256"] == hashlib.sha256(rows_file.read_bytes()).hexdigest()
    assert card["files"]["adapter_model.safetensors"] == adapter_hash(result.adapter_dir)
    assert card["base"]["source"] == "folder"
    assert 0 < result.tokens_computed < result.tokens_trained


# peft 0.21 still uses a name that transformers 5.23 calls deprecated.
@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")
def test_peft_loads_a_trained_adapter(config: TrainingConfig, settings: Settings, rows_file: Path) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    result = Trainer(config, settings=settings).train(rows_file)
    base = AutoModelForCausalLM.from_pretrained(config.model_name)
    ids = torch.tensor([[5, 9, 40, 77]])
    before = base(ids).logits.detach().clone()
    tuned = PeftModel.from_pretrained(base, str(result.adapter_dir)).eval()
    assert not torch.allclose(tuned(ids).logits, before, atol=1e-3)


def test_equal_runs_give_equal_bytes(config: TrainingConfig, settings: Settings, rows_file: Path) -> None:
    first, second = (Trainer(config, settings=settings).train(rows_file) for _ in range(2))
    assert first.run_id != second.run_id
    assert adapter_hash(first.adapter_dir) == adapter_hash(second.adapter_dir)


def test_micro_batches_do_not_change_the_result(config: TrainingConfig, settings: Settings, rows_file: Path) -> None:
    whole, split = Watcher(), Watcher()
    Trainer(config, hooks=[whole], settings=settings).train(rows_file)
    Trainer(change(config, micro_batch_tokens=60), hooks=[split], settings=settings).train(rows_file)
    assert [step.loss for step in split.steps] == pytest.approx([step.loss for step in whole.steps], rel=1e-4)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_and_the_same_call_goes_on_to_the_same_end(
    config: TrainingConfig, settings: Settings, rows_file: Path, number: int
) -> None:
    untouched = Trainer(config, settings=settings).train(rows_file)
    stopper = Watcher(at=3, action=lambda: os.kill(os.getpid(), number))
    with pytest.raises(Interrupted, match="run the same command again"):
        Trainer(config, hooks=[stopper], settings=settings).train(rows_file)
    assert isinstance(stopper.errors[0], Interrupted)
    resumed = Trainer(config, settings=settings).train(rows_file)
    assert resumed.run_id == stopper.runs[0].run_id
    assert (resumed.resumed_from, resumed.steps) == (3, 8)
    assert adapter_hash(resumed.adapter_dir) == adapter_hash(untouched.adapter_dir)
    assert [json.loads(line)["step"] for line in resumed.loss_path.read_text().splitlines()] == list(range(1, 9))


@pytest.mark.parametrize("options", [{}, {"lora_dropout": 0.2}, {"use_lora": False}], ids=["lora", "dropout", "full"])
def test_a_killed_run_ends_in_the_same_bytes(
    config: TrainingConfig, settings: Settings, rows_file: Path, options: dict[str, Any]
) -> None:
    config = change(config, save_seconds=1e-9, **options)  # a checkpoint after every step
    untouched = Trainer(change(config, output_dir=str(settings.workspace / "untouched")), settings=settings).train(
        rows_file
    )
    config = change(config, output_dir=str(settings.workspace / "killed"))
    for kill_at in (2, 5):
        child = os.fork()
        if child == 0:
            bomb = Watcher(at=kill_at, action=lambda: os.kill(os.getpid(), signal.SIGKILL))
            Trainer(config, hooks=[bomb], settings=settings).train(rows_file)
            os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    result = Trainer(config, settings=settings).train(rows_file)
    assert result.resumed_from == 4
    name = "adapter_model.safetensors" if config.use_lora else "model.safetensors"
    assert (result.adapter_dir / name).read_bytes() == (untouched.adapter_dir / name).read_bytes()


def test_time_ends_a_run_and_the_rate_has_fallen_by_then(
    config: TrainingConfig, settings: Settings, rows_file: Path
) -> None:
    watcher = Watcher()
    limited = change(config, num_epochs=100_000, max_seconds=1.5)
    begun = time.monotonic()
    result = Trainer(limited, hooks=[watcher], settings=settings).train(rows_file)
    assert result.stopped == "max_seconds"
    assert result.seconds <= 1.5 + 1.0  # one step and one checkpoint of slack on a busy machine
    assert time.monotonic() - begun < 60
    assert watcher.steps[-1].learning_rate < 0.2 * config.learning_rate


def test_a_hook_can_end_the_run(config: TrainingConfig, settings: Settings, rows_file: Path) -> None:
    class Budget:
        steps = 0

        def on_step(self, step: StepInfo) -> None:
            self.steps = step.step

        def should_stop(self) -> str | None:
            return "budget" if self.steps == 2 else None

    result = Trainer(config, hooks=[Budget()], settings=settings).train(rows_file)
    assert (result.stopped, result.steps) == ("budget", 2)
    assert (result.adapter_dir / "adapter_config.json").is_file()


def test_an_invalid_line_trains_nothing(config: TrainingConfig, settings: Settings, rows_file: Path) -> None:
    rows_file.write_text(rows_file.read_text() + '{"messages": 3}\n')
    with pytest.raises(DatasetError, match=r"rows\.jsonl:13"):
        Trainer(config, settings=settings).train(rows_file)
    assert not (settings.workspace / "runs").exists()


def test_a_row_without_a_trained_token_trains_nothing(
    config: TrainingConfig, settings: Settings, rows_file: Path
) -> None:
    with pytest.raises(NothingToTrain, match="raise max_length"):
        Trainer(change(config, max_length=8), settings=settings).train(rows_file)
    assert not (settings.workspace / "runs").exists()


def test_a_broken_loss_stops_the_run_and_is_told(config: TrainingConfig, settings: Settings, rows_file: Path) -> None:
    watcher = Watcher()
    hot = change(config, learning_rate=1e30, max_grad_norm=None, num_epochs=50, lr_schedule="constant")
    with pytest.raises(NonFiniteLoss, match="the optimizer has not moved"):
        Trainer(hot, hooks=[watcher], settings=settings).train(rows_file)
    assert isinstance(watcher.errors[0], NonFiniteLoss)


def test_changed_data_does_not_continue_an_unfinished_folder(
    config: TrainingConfig, settings: Settings, rows_file: Path, tmp_path: Path
) -> None:
    config = change(config, output_dir=str(tmp_path / "mine"))
    stopper = Watcher(at=1, action=lambda: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(Interrupted):
        Trainer(config, hooks=[stopper], settings=settings).train(rows_file)
    rows_file.write_text(rows_file.read_text() + '{"text": "one more"}\n')
    with pytest.raises(CheckpointInvalid, match="another dataset"):
        Trainer(config, settings=settings).train(rows_file)
    assert Trainer(config, settings=settings).train(rows_file, resume=False).resumed_from == 0


def test_without_any_data_the_remedy_is_named(config: TrainingConfig, settings: Settings) -> None:
    with pytest.raises(NothingToTrain, match="record SAFETY_AUDIT"):
        Trainer(config, settings=settings).train()


def test_without_a_path_the_decisions_of_the_workspace_are_trained(config: TrainingConfig, settings: Settings) -> None:
    with EventBridge(source=EventSource.JARVIS_AGENT, workspace=settings.workspace, settings=settings) as bridge:
        for action, verdict in (("ls", "SAFE"), ("df -h", "SAFE")):
            data = {"action": action, "verdict": verdict}
            bridge.publish_sync(EventType.SAFETY_AUDIT, data, metadata={"kind": "shell"})
    result = Trainer(change(config, max_steps=1), settings=settings).train()
    assert result.rows_trained == 2
    assert json.loads(result.card_path.read_text())["dataset"]["events"] == {"rows": 2, "first_seq": 1, "last_seq": 2}


def test_the_configured_dataset_is_the_default(config: TrainingConfig, settings: Settings, rows_file: Path) -> None:
    result = Trainer(change(config, dataset=str(rows_file), max_steps=1), settings=settings).train()
    assert (result.steps, result.stopped) == (1, "max_steps")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
def test_a_full_disk_is_a_typed_error_and_leaves_no_half_written_curve(
    config: TrainingConfig, settings: Settings, rows_file: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "mine"

    def fill() -> None:
        (folder / "loss.jsonl").unlink()
        (folder / "loss.jsonl").symlink_to("/dev/full")

    config = change(config, output_dir=str(folder), num_epochs=1)
    with pytest.raises(StorageFull, match="no space left"):
        Trainer(config, hooks=[Watcher(at=1, action=fill)], settings=settings).train(rows_file)
    assert not (folder / "adapter").exists()
    assert not (folder / "card.json").exists()


def test_full_fine_tuning_saves_a_whole_model(config: TrainingConfig, settings: Settings, rows_file: Path) -> None:
    from transformers import AutoModelForCausalLM

    full = change(config, use_lora=False, learning_rate=1e-3, num_epochs=4, gradient_checkpointing=True)
    result = Trainer(full, settings=settings).train(rows_file)
    assert result.final_loss < result.first_loss
    tuned = AutoModelForCausalLM.from_pretrained(str(result.adapter_dir))
    base = AutoModelForCausalLM.from_pretrained(config.model_name)
    assert not torch.equal(tuned.model.layers[0].mlp.up_proj.weight, base.model.layers[0].mlp.up_proj.weight)


def test_a_halt_drops_the_step_and_what_follows_ends_in_the_same_adapter(
    config: TrainingConfig, settings: Settings, rows_file: Path
) -> None:
    latch = Latch(settings.workspace)
    whole = Trainer(config, settings=settings).train(rows_file, resume=False)
    again = change(config, output_dir=str(settings.workspace / "runs" / "halted"), save_seconds=0.000001)
    watcher = Watcher(at=2, action=lambda: latch.trip(reason="enough"))
    with pytest.raises(Halted, match="enough"):
        Trainer(again, settings=settings, hooks=[watcher]).train(rows_file)
    assert [step.step for step in watcher.steps] == [1, 2]
    with pytest.raises(Halted):
        Trainer(again, settings=settings).train(rows_file)
    latch.path.unlink()  # as after a lawful reset
    result = Trainer(again, settings=settings).train(rows_file)
    assert result.resumed_from >= 1
    assert adapter_hash(result.adapter_dir) == adapter_hash(whole.adapter_dir)


def test_a_halt_within_a_step_moves_no_weight(config: TrainingConfig, settings: Settings, rows_file: Path) -> None:
    """The latch trips while the gradients are computed: the optimizer does not move."""
    latch = Latch(settings.workspace)
    trainer = Trainer(config, settings=settings)
    moved: list[int] = []
    accumulate = Supervised.accumulate
    step = torch.optim.AdamW.step

    def tripping(self: Any, *given: Any, **more: Any) -> Any:
        outcome = accumulate(self, *given, **more)
        latch.trip(reason="enough")
        return outcome

    def counting(self: Any, *given: Any, **more: Any) -> Any:
        moved.append(1)
        return step(self, *given, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Supervised, "accumulate", tripping)
        patch.setattr(torch.optim.AdamW, "step", counting)
        with pytest.raises(Halted):
            trainer.train(rows_file)
    assert moved == []
