from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from reactor_core.data.packing import Document
from reactor_core.errors import ConfigError
from reactor_core.models.attention import DOCUMENT_ATTENTION
from reactor_core.training import Trainer, TrainingConfig
from reactor_core.training.isolation import require_isolation
from reactor_core.utils.settings import Settings

MakeModel = Callable[[str], Path]

DOCUMENTS = [
    Document((5, 6, 7, 8, 20), (False, False, False, True, True), 0),
    Document((9, 10, 11, 12), (False, True, True, True), 1),
]


def load(folder: Path) -> Any:
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder, attn_implementation=DOCUMENT_ATTENTION)


def save_hybrid(folder: Path, vocabulary: int) -> None:
    """A tiny Qwen3-Next: three layers of linear attention, whose state runs through the whole row, and one plain."""
    from transformers import Qwen3NextConfig, Qwen3NextForCausalLM

    config = Qwen3NextConfig(
        vocab_size=vocabulary, hidden_size=32, intermediate_size=48, num_hidden_layers=4, num_attention_heads=4,
        num_key_value_heads=2, head_dim=8, linear_num_value_heads=4, linear_num_key_heads=2, linear_key_head_dim=8,
        linear_value_head_dim=8, num_experts=2, num_experts_per_tok=1, moe_intermediate_size=16,
        shared_expert_intermediate_size=16, initializer_range=0.2,
    )  # fmt: skip
    torch.manual_seed(3)
    Qwen3NextForCausalLM(config).save_pretrained(folder)


@pytest.mark.parametrize("family", ["llama", "qwen2", "gpt2"])
def test_a_model_of_attention_layers_passes_and_stays_in_its_mode(family: str, model_folder: MakeModel) -> None:
    model = load(model_folder(family)).train()
    require_isolation(model, DOCUMENTS)
    require_isolation(model, DOCUMENTS[:1])
    assert model.training


def test_a_model_that_ignores_the_places_inside_documents_is_refused(model_folder: MakeModel) -> None:
    model = load(model_folder("gpt2"))
    decoder = model.base_model
    plain = decoder.forward

    def counting(*args: Any, position_ids: Any = None, **kwargs: Any) -> Any:
        return plain(*args, **kwargs)

    decoder.forward = counting
    with pytest.raises(ConfigError, match="otherwise than each of them alone"):
        require_isolation(model, DOCUMENTS)


# Its layers cannot be rehearsed without weights, which is said; what it is refused for comes later.
@pytest.mark.filterwarnings("ignore:the run's peak memory cannot be estimated")
def test_a_run_of_a_hybrid_model_is_refused_before_its_first_step(
    settings: Settings, tokenizer: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "hybrid"
    save_hybrid(folder, len(tokenizer))
    tokenizer.save_pretrained(folder)
    rows = tmp_path / "rows.jsonl"
    rows.write_text("".join(json.dumps({"prompt": f"Say {n}", "completion": "so"}) + "\n" for n in range(3)))
    with pytest.raises(ConfigError, match="documents would see each other"):
        Trainer(TrainingConfig(model_name=str(folder), lora_rank=2), settings=settings).train(rows)
    assert not list(tmp_path.rglob("loss.jsonl"))


def test_a_model_without_a_decoder_of_its_own_is_refused(model_folder: MakeModel, monkeypatch: Any) -> None:
    model = load(model_folder("llama"))
    monkeypatch.setattr(type(model), "base_model_prefix", "absent")
    with pytest.raises(ConfigError, match="apart from its head"):
        require_isolation(model, DOCUMENTS)
