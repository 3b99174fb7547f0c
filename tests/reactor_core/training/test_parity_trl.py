"""Whole runs beside TRL's trainers: the same rows, first values and optimizer, compared step by step."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from reactor_core.errors import DatasetError, NothingToTrain
from reactor_core.training import Trainer, TrainingConfig
from reactor_core.training.lora import inject_lora, lora_modules
from reactor_core.utils.settings import Settings

pytestmark = [pytest.mark.peer, pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' }}"
    "{% if message['role'] == 'assistant' %}{% generation %}{{ message['content'] + '<|im_end|>' }}{% endgeneration %}"
    "{% else %}{{ message['content'] + '<|im_end|>' }}{% endif %}{{ '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
"""With the marks from which TRL takes the tokens to train: an assistant's words and its stop token."""

SHARED: dict[str, Any] = {
    "num_train_epochs": 2, "learning_rate": 1e-2, "lr_scheduler_type": "constant", "weight_decay": 0.0,
    "train_sampling_strategy": "sequential", "bf16": False, "use_cpu": True, "gradient_checkpointing": False,
    "report_to": "none", "save_strategy": "no", "disable_tqdm": True,
}  # fmt: skip


@pytest.fixture
def folder(model_folder: Callable[[str], Path], tmp_path: Path) -> Path:
    """A tiny Llama with the template above."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model_folder("llama"))
    tokenizer.chat_template = TEMPLATE
    place = tmp_path / "model"
    tokenizer.save_pretrained(place)
    AutoModelForCausalLM.from_pretrained(model_folder("llama")).save_pretrained(place)
    return place


def options(folder: Path, **changed: Any) -> TrainingConfig:
    return TrainingConfig(
        model_name=str(folder), lora_rank=3, lora_alpha=6, batch_size=4, num_epochs=2, learning_rate=1e-2,
        lr_schedule="constant", warmup_ratio=0, shuffle=False, max_truncated=1.0,
    ).model_copy(update=changed)  # fmt: skip


def ours(
    rows: list[dict[str, Any]], config: TrainingConfig, settings: Settings, tmp_path: Path
) -> tuple[list[float], dict[str, torch.Tensor]]:
    """Losses of the steps, and the adapter."""
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    result = Trainer(config, settings=settings).train(file, resume=False)
    losses = [json.loads(line)["loss"] for line in result.loss_path.read_text(encoding="utf-8").splitlines()]
    return losses, load_file(result.adapter_dir / "adapter_model.safetensors")


def theirs(trainer_class: Any, folder: Path, rows: list[dict[str, Any]], arguments: Any) -> Any:
    """The same of a TRL trainer whose adapter starts with our first values."""
    from datasets import Dataset
    from peft import LoraConfig, get_peft_model_state_dict
    from transformers import AutoModelForCausalLM, AutoTokenizer

    trainer = trainer_class(
        model=AutoModelForCausalLM.from_pretrained(folder),
        args=arguments,
        processing_class=AutoTokenizer.from_pretrained(folder),
        train_dataset=Dataset.from_list(rows),
        peft_config=LoraConfig(r=3, lora_alpha=6, target_modules="all-linear", task_type="CAUSAL_LM"),
    )
    first = AutoModelForCausalLM.from_pretrained(folder)
    inject_lora(first, rank=3, alpha=6, seed=0)
    values = {f"base_model.model.{name}.lora_A.default.weight": module.lora_A for name, module in lora_modules(first)}
    named = dict(trainer.model.named_parameters())
    assert {name for name in named if ".lora_A." in name} == values.keys()
    for name, value in values.items():
        named[name].data.copy_(value.data)
    losses: list[float] = []
    plain = trainer.compute_loss

    def recorded(*args: Any, **kwargs: Any) -> Any:
        found = plain(*args, **kwargs)
        losses.append(float((found[0] if isinstance(found, tuple) else found).detach()))
        return found

    trainer.compute_loss = recorded
    trainer.train()
    return losses, get_peft_model_state_dict(trainer.model)


def assert_same(mine: Any, reference: Any) -> None:
    """Losses to 1e-4 relative; weights as near as a few steps of Adam keep float32's noise."""
    assert len(mine[0]) == len(reference[0]) > 1
    assert mine[0] == pytest.approx(reference[0], rel=1e-4)
    assert mine[0][-1] < mine[0][0]
    assert mine[1].keys() == reference[1].keys()
    for name, value in mine[1].items():
        torch.testing.assert_close(value, reference[1][name], rtol=1e-2, atol=2e-4)


def conversations() -> list[dict[str, Any]]:
    """Eight rows of one to three turns; the last is longer than what is kept of it."""
    rows = []
    for number in range(8):
        turns = [{"role": "system", "content": "Be short."}] if number % 2 else []
        for turn in range(1 + number % 3):
            turns += [
                {"role": "user", "content": f"What is {number} plus {turn}?"},
                {"role": "assistant", "content": f"It is {number + turn}."},
            ]
        rows.append({"messages": turns})
    rows[-1]["messages"][-1]["content"] += " Truly." * 20
    return rows


@pytest.mark.parametrize("max_length", [1024, 150])
def test_conversations_of_several_turns(folder: Path, settings: Settings, tmp_path: Path, max_length: int) -> None:
    trl = pytest.importorskip("trl")
    rows = conversations()
    arguments = trl.SFTConfig(
        str(tmp_path / "trl"), per_device_train_batch_size=4, assistant_only_loss=True, max_length=max_length, **SHARED
    )
    mine = ours(rows, options(folder, max_length=max_length), settings, tmp_path)
    assert_same(mine, theirs(trl.SFTTrainer, folder, rows, arguments))


def test_packed_conversations(folder: Path, settings: Settings, tmp_path: Path) -> None:
    """TRL packs all eight into one row of a step, told apart by their positions."""
    trl = pytest.importorskip("trl")
    rows = conversations()
    arguments = trl.SFTConfig(
        str(tmp_path / "trl"), per_device_train_batch_size=1, assistant_only_loss=True, max_length=2000, packing=True,
        **SHARED,
    )  # fmt: skip
    mine = ours(rows, options(folder, batch_size=8, max_length=2000), settings, tmp_path)
    assert_same(mine, theirs(trl.SFTTrainer, folder, rows, arguments))


def test_plain_prompts_and_completions(folder: Path, settings: Settings, tmp_path: Path) -> None:
    trl = pytest.importorskip("trl")
    rows = [{"prompt": f"Count to {number}:", "completion": " 1 2 3 4 5 6"[: 2 * number]} for number in range(1, 7)]
    arguments = trl.SFTConfig(str(tmp_path / "trl"), per_device_train_batch_size=4, **SHARED)
    assert_same(ours(rows, options(folder), settings, tmp_path), theirs(trl.SFTTrainer, folder, rows, arguments))


def test_plain_text(folder: Path, settings: Settings, tmp_path: Path) -> None:
    trl = pytest.importorskip("trl")
    rows = [{"text": "All that is gold does not glitter. "[: 8 + number]} for number in range(6)]
    arguments = trl.SFTConfig(str(tmp_path / "trl"), per_device_train_batch_size=4, **SHARED)
    assert_same(ours(rows, options(folder), settings, tmp_path), theirs(trl.SFTTrainer, folder, rows, arguments))


def test_rows_that_train_nothing_are_dropped_there_and_refused_here(
    folder: Path, settings: Settings, tmp_path: Path
) -> None:
    """TRL drops a row whose answer is cut away whole, and trains the stop token alone where an answer is empty."""
    trl = pytest.importorskip("trl")
    good = [{"prompt": f"Count to {number}:", "completion": " 1 2 3"} for number in range(4)]
    cut_away = {"prompt": "Count " * 20, "completion": " 1 2 3"}
    arguments = trl.SFTConfig(str(tmp_path / "trl"), per_device_train_batch_size=4, max_length=60, **SHARED)
    reference = theirs(trl.SFTTrainer, folder, [cut_away, *good], arguments)
    assert_same(ours(good, options(folder, max_length=60), settings, tmp_path), reference)
    with pytest.raises(NothingToTrain, match="line 1"):
        ours([cut_away, *good], options(folder, max_length=60), settings, tmp_path)
    with pytest.raises(DatasetError, match="completion"):
        ours([{"prompt": "Count to 1:", "completion": ""}, *good], options(folder), settings, tmp_path)


@pytest.mark.parametrize("max_length", [1024, 40])
def test_preferences(folder: Path, settings: Settings, tmp_path: Path, max_length: int) -> None:
    trl = pytest.importorskip("trl")
    rows = [
        {"prompt": f"Say {n} again:", "chosen": f" {n} again." * (1 + n % 3), "rejected": " No." * n}
        for n in range(1, 9)
    ]
    arguments = trl.DPOConfig(
        str(tmp_path / "trl"), per_device_train_batch_size=4, beta=0.2, max_length=max_length, **SHARED
    )
    reference = theirs(trl.DPOTrainer, folder, rows, arguments)
    config = options(folder, method="dpo", dpo_beta=0.2, max_length=max_length)
    assert_same(ours(rows, config, settings, tmp_path), reference)
