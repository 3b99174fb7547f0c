"""Measuring on held-out rows, keeping the best weights, stopping early; on real runs of a tiny model."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from reactor_core.data.chat import ChatFormat
from reactor_core.data.records import read_dataset
from reactor_core.errors import ConfigError, DatasetError, Interrupted
from reactor_core.models.load import load_model
from reactor_core.models.store import resolve_model
from reactor_core.training import Trainer, TrainingConfig
from reactor_core.training.hooks import EvalInfo, StepInfo, TrainingHook
from reactor_core.utils.settings import Settings

MakeModel = Callable[[str], Path]


def write(file: Path, rows: list[dict[str, str]]) -> Path:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


@pytest.fixture
def train_rows(tmp_path: Path) -> Path:
    return write(tmp_path / "train.jsonl", [{"prompt": f"Say {w}", "completion": w * 3} for w in "abcdefgh"])


@pytest.fixture
def alike(tmp_path: Path) -> Path:
    """Held-out rows of the same kind: their loss falls with the training loss."""
    return write(tmp_path / "alike.jsonl", [{"prompt": f"Say {w}", "completion": w * 3} for w in "ijk"])


@pytest.fixture
def contrary(tmp_path: Path) -> Path:
    """Held-out rows that ask for what training unlearns: their loss rises from some step on."""
    return write(tmp_path / "contrary.jsonl", [{"prompt": f"Say {w}", "completion": "zq!" * 4} for w in "abc"])


class Seen(TrainingHook):
    def __init__(self) -> None:
        self.evals: list[EvalInfo] = []
        self.steps: list[StepInfo] = []

    def on_eval(self, eval_info: EvalInfo) -> None:
        self.evals.append(eval_info)

    def on_step(self, step: StepInfo) -> None:
        self.steps.append(step)


def config(model: Path, held: Path, **options: Any) -> TrainingConfig:
    defaults: dict[str, Any] = {"lora_rank": 4, "num_epochs": 4, "batch_size": 4, "learning_rate": 0.02}
    return TrainingConfig(model_name=str(model), eval_dataset=str(held), **(defaults | options))


def held_loss(model: Path, held: Path, settings: Settings, adapter: Path) -> float:
    """The loss on held-out rows of a finished adapter, one row at a time, by plain transformers and PEFT."""
    from peft import PeftModel

    entry = resolve_model(str(model), None, settings)
    loaded = load_model(entry, device=torch.device("cpu"))
    tuned = PeftModel.from_pretrained(loaded.model, str(adapter)).eval()
    total, tokens = 0.0, 0
    for index, row in enumerate(read_dataset(held).rows):
        document = ChatFormat(loaded.tokenizer, "model").encode(row, index)
        labels = [token if flag else -100 for token, flag in zip(document.ids, document.trained, strict=True)]
        with torch.no_grad():
            out = tuned(input_ids=torch.tensor([document.ids]), labels=torch.tensor([labels]))
        total += float(out.loss) * document.num_trained
        tokens += document.num_trained
    return total / tokens


def test_each_epoch_and_the_end_are_measured(
    model_folder: MakeModel, settings: Settings, train_rows: Path, alike: Path
) -> None:
    seen = Seen()
    asked = config(model_folder("llama"), alike, max_steps=5)
    result = Trainer(asked, hooks=[seen], settings=settings).train(train_rows)
    assert [info.step for info in seen.evals] == [2, 4, 5]
    logged = [json.loads(line) for line in (result.run_dir / "eval.jsonl").read_text().splitlines()]
    assert [(row["step"], row["loss"]) for row in logged] == [(info.step, info.loss) for info in seen.evals]
    assert result.eval_loss == min(info.loss for info in seen.evals)
    card = json.loads(result.card_path.read_text())
    assert card["held_out"]["rows"] == 3


def test_measuring_changes_no_weight(
    model_folder: MakeModel, settings: Settings, train_rows: Path, alike: Path, tmp_path: Path
) -> None:
    model = model_folder("llama")
    measured = config(model, alike, keep_best=False, eval_steps=1, output_dir=str(tmp_path / "a"), lora_dropout=0.1)
    plain = TrainingConfig(
        **measured.model_dump(exclude={"eval_dataset", "eval_steps", "keep_best", "output_dir"}),
        output_dir=str(tmp_path / "b"),
    )
    one = Trainer(measured, settings=settings).train(train_rows)
    other = Trainer(plain, settings=settings).train(train_rows)
    name = "adapter_model.safetensors"
    assert (one.adapter_dir / name).read_bytes() == (other.adapter_dir / name).read_bytes()


# PEFT reads an attribute that transformers has renamed.
@pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning")
@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_the_result_has_the_best_weights(
    model_folder: MakeModel, settings: Settings, train_rows: Path, contrary: Path, family: str
) -> None:
    model = model_folder(family)
    seen = Seen()
    result = Trainer(config(model, contrary, eval_steps=1, num_epochs=8), hooks=[seen], settings=settings).train(
        train_rows
    )
    losses = {info.step: info.loss for info in seen.evals}
    assert result.best_step == min(losses, key=lambda step: losses[step])
    assert result.best_step < result.steps, "the rows were made so that training on is worse"
    assert held_loss(model, contrary, settings, result.adapter_dir) == pytest.approx(losses[result.best_step], rel=1e-4)
    assert not list(result.run_dir.glob("best-*"))


def test_a_run_that_gets_no_better_ends(
    model_folder: MakeModel, settings: Settings, train_rows: Path, contrary: Path
) -> None:
    seen = Seen()
    asked = config(model_folder("llama"), contrary, eval_steps=1, num_epochs=50, early_stopping=3)
    result = Trainer(asked, hooks=[seen], settings=settings).train(train_rows)
    assert result.stopped == "early_stopping"
    assert result.best_step is not None
    assert result.steps == result.best_step + 3
    assert [info.best for info in seen.evals[-4:]] == [True, False, False, False]


def test_a_stopped_run_goes_on_to_the_same_best_weights(
    model_folder: MakeModel, settings: Settings, train_rows: Path, contrary: Path, tmp_path: Path
) -> None:
    asked = config(model_folder("llama"), contrary, eval_steps=1, num_epochs=8)
    whole = Trainer(asked.model_copy(update={"output_dir": str(tmp_path / "a")}), settings=settings).train(train_rows)

    class StopAt(TrainingHook):
        def on_step(self, step: StepInfo) -> None:
            if step.step == whole.best_step + 2:
                raise KeyboardInterrupt

    parted = asked.model_copy(update={"output_dir": str(tmp_path / "b")})
    with pytest.raises(Interrupted):
        Trainer(parted, hooks=[StopAt()], settings=settings).train(train_rows)
    result = Trainer(parted, settings=settings).train(train_rows)
    assert result.resumed_from > 0
    assert (result.best_step, result.eval_loss) == (whole.best_step, whole.eval_loss)
    tensors = [load_file(str(run.adapter_dir / "adapter_model.safetensors")) for run in (whole, result)]
    assert all(torch.equal(tensors[0][name], tensors[1][name]) for name in tensors[0])


def test_preferences_are_measured_by_their_margin(model_folder: MakeModel, settings: Settings, tmp_path: Path) -> None:
    rows = [{"prompt": f"Say {w}", "chosen": w, "rejected": w.upper() + "!"} for w in "abcdefgh"]
    train, held = write(tmp_path / "t.jsonl", rows[:6]), write(tmp_path / "h.jsonl", rows[6:])
    seen = Seen()
    asked = config(model_folder("llama"), held, method="dpo", num_epochs=3)
    Trainer(asked, hooks=[seen], settings=settings).train(train)
    assert seen.evals[-1].loss < 0.6931 < seen.steps[0].loss + 1e-3
    assert seen.evals[-1].metrics["margin"] > 0


def test_rows_that_are_trained_on_measure_nothing(
    model_folder: MakeModel, settings: Settings, train_rows: Path, tmp_path: Path
) -> None:
    held = write(
        tmp_path / "held.jsonl", [{"prompt": "x", "completion": "y"}, {"prompt": "Say c", "completion": "ccc"}]
    )
    with pytest.raises(DatasetError, match=r"held\.jsonl:2: this row is trained on as well .*train\.jsonl:3"):
        Trainer(config(model_folder("llama"), held), settings=settings).train(train_rows)


def test_stopping_early_needs_something_to_measure() -> None:
    with pytest.raises(ConfigError, match="need eval_dataset"):
        TrainingConfig(early_stopping=2)
