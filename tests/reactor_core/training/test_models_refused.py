"""Families that cannot be trained on packed documents say so, instead of being trained wrongly."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from tests.reactor_core.training.families import DOCUMENTS

from reactor_core.errors import ConfigError
from reactor_core.models.attention import DOCUMENT_ATTENTION
from reactor_core.training.isolation import require_isolation

SIZES = {
    "vocab_size": 64, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 64, "initializer_range": 0.2, "pad_token_id": 0,
    "bos_token_id": 1, "eos_token_id": 2,
}  # fmt: skip


def build(family: str, options: dict[str, Any]) -> Any:
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.for_model(family, **{**SIZES, **options})
    torch.manual_seed(1)
    return AutoModelForCausalLM.from_config(copy.deepcopy(config), attn_implementation=DOCUMENT_ATTENTION).eval()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("family", "options", "said"),
    [
        ("recurrent_gemma", {"lru_width": 32, "num_hidden_layers": 3}, "otherwise than each of them alone"),
        (
            "granitemoehybrid",
            {
                "layer_types": ["mamba", "attention"], "mamba_n_heads": 8, "mamba_d_head": 8, "mamba_n_groups": 1,
                "mamba_d_state": 8, "num_local_experts": 2, "shared_intermediate_size": 16,
            },
            "otherwise than each of them alone",
        ),
        ("mamba", {}, "documents would see each other"),
        ("bloom", {"n_head": 4, "n_layer": 2}, "documents would see each other"),
        ("stablelm", {}, "documents would see each other"),
        ("gpt_oss", {"head_dim": 8, "num_local_experts": 2, "sliding_window": 32}, "s_aux"),
        ("llama4_text", {"head_dim": 8, "num_local_experts": 2, "intermediate_size_mlp": 48}, "apart from its head"),
    ],
    ids=["recurrent_gemma", "granitemoehybrid", "mamba", "bloom", "stablelm", "gpt_oss", "llama4_text"],
)  # fmt: skip
def test_a_family_that_would_be_trained_wrongly_is_refused(family: str, options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        require_isolation(build(family, options), DOCUMENTS)
