from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from reactor_core.errors import ArtifactCorrupt, CheckpointInvalid, ConfigError, NotFound
from reactor_core.models.adapter_folder import hash_adapter
from reactor_core.training import Trainer, TrainingConfig
from reactor_core.training.lora import inject_lora
from reactor_core.training.peft_format import adapter_config, save_adapter
from reactor_core.training.result import TrainingResult
from reactor_core.training.start import find_start
from reactor_core.utils.settings import Settings

Train = Callable[..., TrainingResult]


@pytest.fixture
def train(model_folder: Callable[[str], Path], rows_file: Path, settings: Settings) -> Train:
    """Trains a tiny model; options on top."""

    def run(family: str = "llama", **options: Any) -> TrainingResult:
        config = {"model_name": str(model_folder(family)), "batch_size": 4, "max_steps": 1, **options}
        return Trainer(TrainingConfig(**config), settings=settings).train(rows_file)

    return run


def tensors(result: TrainingResult) -> dict[str, torch.Tensor]:
    return load_file(result.adapter_dir / "adapter_model.safetensors")


def adapter_options(result: TrainingResult) -> dict[str, Any]:
    return json.loads((result.adapter_dir / "adapter_config.json").read_text())


def card(result: TrainingResult) -> dict[str, Any]:
    return json.loads((result.adapter_dir / "card.json").read_text())


def test_a_run_goes_on_from_the_values_of_an_adapter(train: Train) -> None:
    first = train(lora_rank=3, lora_alpha=5.0, use_rslora=True, target_modules=("q_proj", "up_proj"), layers=2)
    # A learning rate at the edge of nothing: what comes out is what went in.
    second = train(adapter=str(first.adapter_dir), learning_rate=1e-30)
    assert adapter_options(second).items() >= {"r": 3, "lora_alpha": 5.0, "use_rslora": True}.items()
    before, after = tensors(first), tensors(second)
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_an_adapter_may_be_named_by_its_run_or_the_run_s_folder(train: Train, settings: Settings) -> None:
    first = train()
    ways = [
        find_start(TrainingConfig(adapter=str(name)), settings)
        for name in (first.adapter_dir, first.run_dir, first.run_id)
    ]
    assert ways[0] is not None
    assert ways[0].facts() == {
        "path": str(first.adapter_dir), "sha256": hash_adapter(first.adapter_dir), "run_id": first.run_id,
    }  # fmt: skip
    assert ways == [ways[0]] * 3


def test_the_card_tells_what_was_taken_from_the_adapter(train: Train) -> None:
    first = train(lora_rank=3, chat_template="bare")
    second = train(adapter=first.run_id)
    config = card(second)["config"]
    assert (config["lora_rank"], config["chat_template"]) == (3, "bare")
    assert card(first)["parent"] is None
    assert card(second)["parent"]["run_id"] == first.run_id


@pytest.mark.parametrize(
    "options",
    [{"lora_rank": 4}, {"lora_alpha": 6.0}, {"use_rslora": True}, {"target_modules": ("q_proj",)}, {"layers": 1}],
    ids=lambda options: next(iter(options)),
)
def test_an_option_that_says_otherwise_is_refused(
    options: dict[str, Any], model_folder: Callable[[str], Path], settings: Settings, tmp_path: Path
) -> None:
    folder, model = adapter_beside(model_folder("llama"), tmp_path)
    agreeing = TrainingConfig(adapter=str(folder), lora_rank=3, lora_alpha=5.0, target_modules="all-linear")
    start = find_start(agreeing, settings)
    assert start is not None
    assert start.shape(agreeing, model).lora_rank == 3
    with pytest.raises(ConfigError, match=next(iter(options))):
        start.shape(TrainingConfig(adapter=str(folder), **options), model)


def adapter_beside(base: Path, folder: Path) -> tuple[Path, Any]:
    """An adapter of rank 3 and alpha 5 on all layers, and a model that it fits."""
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(base)
    inject_lora(model, rank=3, alpha=5.0)
    facts = {"base": "base", "rank": 3, "alpha": 5.0, "dropout_p": 0.0, "layers": None, "rslora": False}
    save_adapter(model, adapter_config(model, **facts), folder)
    return folder, AutoModelForCausalLM.from_pretrained(base)


def test_an_adapter_of_another_base_is_refused(train: Train) -> None:
    first = train("qwen2", target_modules=("q_proj",))
    with pytest.raises(ArtifactCorrupt, match="other base weights"):
        train("llama", adapter=first.run_id)


def test_a_name_that_is_no_adapter_is_refused(settings: Settings) -> None:
    with pytest.raises(NotFound, match="adapter='train-none'"):
        find_start(TrainingConfig(adapter="train-none"), settings)


def test_another_adapter_in_its_place_is_noticed_at_a_resume(train: Train, tmp_path: Path) -> None:
    first, other = train(), train(seed=1)
    place = tmp_path / "run"
    train(adapter=first.run_id, output_dir=str(place))
    (place / "card.json").unlink()  # as if it had been stopped before its end
    with pytest.raises(CheckpointInvalid, match="another adapter"):
        train(adapter=other.run_id, output_dir=str(place))


# peft 0.21 still uses a name that transformers 5.23 calls deprecated.
@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")
def test_an_adapter_of_peft_is_trained_further(
    train: Train, model_folder: Callable[[str], Path], tmp_path: Path
) -> None:
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    options = LoraConfig(r=2, lora_alpha=4, target_modules=r".*\.1\..*(q_proj|k_proj)", bias="lora_only",
                         task_type="CAUSAL_LM", init_lora_weights=False)  # fmt: skip
    get_peft_model(AutoModelForCausalLM.from_pretrained(model_folder("qwen2")), options).save_pretrained(tmp_path)
    result = train("qwen2", adapter=str(tmp_path), learning_rate=1e-30)
    before, after = load_file(tmp_path / "adapter_model.safetensors"), tensors(result)
    assert before.keys() == after.keys()
    assert all(torch.allclose(before[name], after[name], rtol=0, atol=1e-20) for name in before)
    assert card(result)["parent"]["run_id"] is None


def test_preferences_hold_on_to_the_model_as_the_run_starts(
    train: Train, model_folder: Callable[[str], Path], settings: Settings, tmp_path: Path
) -> None:
    first = train(learning_rate=1e-2, max_steps=3)
    rows = tmp_path / "pairs.jsonl"
    pairs = [{"prompt": f"Judge: {word}", "chosen": "allow", "rejected": "block"} for word in ("ls", "df", "id", "w")]
    rows.write_text("".join(json.dumps(pair) + "\n" for pair in pairs))
    config = TrainingConfig(
        model_name=str(model_folder("llama")), method="dpo", adapter=first.run_id, max_steps=1, batch_size=4
    )
    result = Trainer(config, settings=settings).train(rows)
    # Model and reference are the same before the first step, so every margin is 0 and the loss ln 2.
    assert result.first_loss == pytest.approx(0.693147, abs=1e-5)


def test_an_adapter_trained_on_four_bits_goes_on_on_four_bits(train: Train) -> None:
    first = train(quantization="nf4", double_quantization=False)
    config = card(train(adapter=first.run_id))["config"]
    assert (config["quantization"], config["double_quantization"]) == ("nf4", False)
    assert card(train(adapter=first.run_id, quantization=None))["config"]["quantization"] is None
