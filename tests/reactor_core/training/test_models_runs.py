"""Whole runs of tiny models of several families: what is trained comes back from what was written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.reactor_core.training.families import tiny

from reactor_core.models.attention import DOCUMENT_ATTENTION
from reactor_core.training import Trainer, TrainingConfig
from reactor_core.training.peft_format import load_adapter
from reactor_core.training.result import TrainingResult
from reactor_core.utils.settings import Settings

IDS = torch.tensor([[5, 9, 40, 77, 8, 30, 12, 6, 99, 3, 4]])


@pytest.fixture
def folder(tmp_path: Path, tokenizer: Any) -> Callable[[str], Path]:
    """Writes a family's model and the tokenizer."""

    def make(family: str) -> Path:
        place = tmp_path / family
        tiny(family).save_pretrained(place)
        tokenizer.save_pretrained(place)
        return place

    return make


def load(place: Path) -> Any:
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(place, attn_implementation=DOCUMENT_ATTENTION).eval()


def train(place: Path, tmp_path: Path, settings: Settings, **options: Any) -> TrainingResult:
    """Eight steps over eight rows."""
    file = tmp_path / "rows.jsonl"
    words = ["yes", "no", "perhaps", "never", "always", "now", "later", "here"]
    if options.get("method") == "dpo":
        rows = [{"prompt": f"Say {n}:", "chosen": f" {word}", "rejected": " what"} for n, word in enumerate(words)]
    else:
        rows = [
            {"messages": [{"role": "user", "content": f"Say {n}"}, {"role": "assistant", "content": word}]}
            for n, word in enumerate(words)
        ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    config = TrainingConfig(
        model_name=str(place), lora_rank=4, batch_size=4, num_epochs=4, learning_rate=1e-2, **options
    )
    return Trainer(config, settings=settings).train(file, resume=False)


@pytest.mark.parametrize(
    ("family", "options"),
    [
        ("gemma2", {}),
        pytest.param("gemma3_text", {"gradient_checkpointing": True}, marks=pytest.mark.slow),
        ("phi3", {"method": "dpo"}),
        pytest.param("qwen3", {"lora_dropout": 0.1}, marks=pytest.mark.slow),
        ("gpt2", {"method": "dpo", "target_modules": ("c_attn", "c_proj")}),
        pytest.param("mistral", {"layers": 1}, marks=pytest.mark.slow),
    ],
    ids=["gemma2", "gemma3-checkpointing", "phi3-dpo", "qwen3-dropout", "gpt2-dpo", "mistral-one-layer"],
)
def test_an_adapter_learns_and_comes_back(
    family: str, options: dict[str, Any], folder: Callable[[str], Path], tmp_path: Path, settings: Settings
) -> None:
    place = folder(family)
    result = train(place, tmp_path, settings, **options)
    assert result.final_loss < 0.8 * result.first_loss
    assert json.loads(result.card_path.read_text(encoding="utf-8"))["path"] == "generic"
    base, adapted = load(place), load(place)
    load_adapter(adapted, result.adapter_dir)
    with torch.no_grad():
        difference = float((base(IDS).logits - adapted.eval()(IDS).logits).abs().max())
    assert difference > 0.01


@pytest.mark.parametrize(("family", "method"), [("gemma2", "sft"), pytest.param("gpt2", "dpo", marks=pytest.mark.slow)])
def test_a_fully_trained_model_learns_and_comes_back(
    family: str, method: str, folder: Callable[[str], Path], tmp_path: Path, settings: Settings
) -> None:
    place = folder(family)
    result = train(place, tmp_path, settings, use_lora=False, method=method)
    assert result.final_loss < 0.8 * result.first_loss
    with torch.no_grad():
        base, trained = load(place)(IDS).logits, load(result.adapter_dir)(IDS).logits
    assert float((base - trained).abs().max()) > 0.01


def test_equal_seeds_give_equal_bytes_and_others_do_not(
    folder: Callable[[str], Path], tmp_path: Path, settings: Settings
) -> None:
    """Row order, first values and dropout come from the seed, and from nothing outside the run."""
    place = folder("qwen2")

    def weights(seed: int, outside: int) -> bytes:
        torch.manual_seed(outside)
        result = train(place, tmp_path, settings, lora_dropout=0.2, seed=seed)
        return (result.adapter_dir / "adapter_model.safetensors").read_bytes()

    first = weights(1, outside=5)
    assert weights(1, outside=6) == first
    assert weights(2, outside=5) != first


# PEFT reads an attribute that transformers has renamed.
@pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning")
def test_peft_reads_the_adapter_of_a_generic_model(
    folder: Callable[[str], Path], tmp_path: Path, settings: Settings
) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    place = folder("gemma2")
    result = train(place, tmp_path, settings)
    ours = load(place)
    load_adapter(ours, result.adapter_dir)
    eager = AutoModelForCausalLM.from_pretrained(place, attn_implementation="eager")
    theirs = PeftModel.from_pretrained(eager, result.adapter_dir).eval()
    with torch.no_grad():
        torch.testing.assert_close(ours.eval()(IDS).logits, theirs(IDS).logits, rtol=1e-4, atol=1e-4)
