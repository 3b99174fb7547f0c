"""Runs of the preference objective on a tiny model."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from reactor_core.errors import ConfigError, DatasetError, Interrupted
from reactor_core.training import Trainer, TrainingConfig
from reactor_core.training.control import Wish
from reactor_core.training.hooks import StepInfo, TrainingHook
from reactor_core.utils.settings import Settings

MakeModel = Callable[[str], Path]


@pytest.fixture
def pairs_file(tmp_path: Path) -> Path:
    """Ten preferences: short answers are better than shouted ones."""
    file = tmp_path / "pairs.jsonl"
    lines = [{"prompt": f"Say {word}", "chosen": word, "rejected": word.upper() + "!"} for word in "abcdefghij"]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return file


def config(model: Path, **options: Any) -> TrainingConfig:
    defaults: dict[str, Any] = {"lora_rank": 4, "num_epochs": 4, "batch_size": 4, "learning_rate": 0.01}
    return TrainingConfig(model_name=str(model), method="dpo", **(defaults | options))


class Steps(TrainingHook):
    def __init__(self) -> None:
        self.seen: list[StepInfo] = []

    def on_step(self, step: StepInfo) -> None:
        self.seen.append(step)


def weights(folder: Path) -> str:
    return hashlib.sha256((folder / "adapter_model.safetensors").read_bytes()).hexdigest()


@pytest.mark.parametrize("family", ["llama", "qwen2", "gpt2"])
def test_a_model_learns_to_prefer(model_folder: MakeModel, settings: Settings, pairs_file: Path, family: str) -> None:
    steps = Steps()
    result = Trainer(config(model_folder(family)), hooks=[steps], settings=settings).train(pairs_file)
    first, last = steps.seen[0].metrics, steps.seen[-1].metrics
    # An adapter starts as nothing: the model is its own reference.
    assert first["margin"] == pytest.approx(0, abs=1e-4)
    assert result.first_loss == pytest.approx(0.6931, abs=1e-3)
    assert last["accuracy"] == 1
    assert last["margin"] > 0.5
    assert result.final_loss < 0.5
    kept = [json.loads(line) for line in result.loss_path.read_text().splitlines()]
    assert kept[-1]["metrics"] == last


def test_without_an_adapter_the_reference_is_asked_at_the_start(
    model_folder: MakeModel, settings: Settings, pairs_file: Path
) -> None:
    steps = Steps()
    options = config(model_folder("llama"), use_lora=False, num_epochs=2, learning_rate=1e-3)
    Trainer(options, hooks=[steps], settings=settings).train(pairs_file)
    assert steps.seen[0].metrics["margin"] == pytest.approx(0, abs=1e-4)
    assert steps.seen[-1].metrics["margin"] > 0


def test_a_stopped_run_ends_in_the_same_bytes(model_folder: MakeModel, settings: Settings, pairs_file: Path) -> None:
    options = config(model_folder("llama"))
    untouched = Trainer(options, settings=settings).train(pairs_file, resume=False)

    class StopAtFour(TrainingHook):
        def on_step(self, step: StepInfo) -> None:
            if step.step == 4:
                trainer.control.ask(Wish.STOP)

    trainer = Trainer(options, hooks=[StopAtFour()], settings=settings)
    with pytest.raises(Interrupted):
        trainer.train(pairs_file, resume=False)
    result = Trainer(options, settings=settings).train(pairs_file)
    assert result.resumed_from == 4
    assert weights(result.adapter_dir) == weights(untouched.adapter_dir)


def test_dropout_does_not_reach_the_reference(model_folder: MakeModel, settings: Settings, pairs_file: Path) -> None:
    steps = Steps()
    options = config(model_folder("llama"), lora_dropout=0.2, num_epochs=1)
    Trainer(options, hooks=[steps], settings=settings).train(pairs_file)
    assert steps.seen[0].metrics["margin"] == pytest.approx(0, abs=1e-4)


def test_the_fast_path_gives_the_same_run(
    model_folder: MakeModel, settings: Settings, pairs_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = config(model_folder("llama"), num_epochs=1)
    fast = Trainer(options, settings=settings).train(pairs_file, resume=False)
    assert json.loads(fast.card_path.read_text())["path"] == "fast"
    monkeypatch.setattr("reactor_core.training.prepare.why_not_fast", lambda _model: "a test wants the other path")
    generic = Trainer(options, settings=settings).train(pairs_file, resume=False)
    assert json.loads(generic.card_path.read_text())["path"] == "generic"
    assert fast.final_loss == pytest.approx(generic.final_loss, rel=1e-3)


@pytest.mark.parametrize(
    ("method", "line", "said"),
    [
        ("dpo", {"prompt": "a", "completion": "b"}, "holds no chosen and rejected answer"),
        ("sft", {"prompt": "a", "chosen": "b", "rejected": "c"}, "holds a preference"),
    ],
)
def test_rows_of_the_other_method_are_refused_before_anything_is_trained(
    model_folder: MakeModel, settings: Settings, tmp_path: Path, method: Any, line: dict[str, str], said: str
) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text(json.dumps(line) + "\n")
    options = TrainingConfig(model_name=str(model_folder("llama")), method=method)
    with pytest.raises(DatasetError, match=said):
        Trainer(options, settings=settings).train(file)
    assert not (settings.workspace / "runs").exists()


def test_equal_answers_prefer_nothing(model_folder: MakeModel, settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text('{"prompt": "a", "chosen": "same", "rejected": "same"}\n')
    with pytest.raises(ConfigError, match="same tokens"):
        Trainer(config(model_folder("llama")), settings=settings).train(file)


def test_equal_random_state_outside(model_folder: MakeModel, settings: Settings, pairs_file: Path) -> None:
    torch.manual_seed(11)
    expected = torch.rand(3)
    torch.manual_seed(11)
    Trainer(config(model_folder("llama"), num_epochs=1, lora_dropout=0.1), settings=settings).train(pairs_file)
    assert torch.rand(3).tolist() == expected.tolist()


def test_too_many_answers_without_their_end_are_refused(
    model_folder: MakeModel, settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "rows.jsonl"
    rows = [{"prompt": "Say a", "completion": "a"}] * 3 + [{"prompt": "Count", "completion": "1 2 3 4 5 6 7 8 9 " * 9}]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    model = model_folder("llama")
    cut = TrainingConfig(model_name=str(model), lora_rank=2, max_length=40, max_steps=1)
    with pytest.raises(DatasetError, match=r"rows\.jsonl:4: 1 of 4 answers lose their end to max_length=40"):
        Trainer(cut, settings=settings).train(file)
    allowed = cut.model_copy(update={"max_truncated": 0.25})
    assert Trainer(allowed, settings=settings).train(file).steps == 1
