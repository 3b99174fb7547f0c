"""Tiny random models of the causal families of transformers, and documents to train them on."""

from __future__ import annotations

import copy
from functools import cache
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM

from reactor_core.data.packing import Document
from reactor_core.data.pairs import Pair
from reactor_core.models.attention import DOCUMENT_ATTENTION
from reactor_core.training.lora import inject_lora, lora_modules

__all__ = ["DOCUMENTS", "FAMILIES", "PAIRS", "adapt", "alone", "document", "tiny"]

_SIZES = {
    "vocab_size": 259, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 256, "initializer_range": 0.2, "pad_token_id": 0,
    "bos_token_id": 1, "eos_token_id": 2,
}  # fmt: skip
_GPT = {
    "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 256, "attn_pdrop": 0.0, "resid_pdrop": 0.0,
    "embd_pdrop": 0.0,
}  # fmt: skip
_EXPERTS = {"num_experts_per_tok": 2, "moe_intermediate_size": 16}
_LATENT = {
    "q_lora_rank": 16, "kv_lora_rank": 8, "qk_rope_head_dim": 4, "qk_nope_head_dim": 4, "v_head_dim": 8,
    "num_key_value_heads": 4, "n_routed_experts": 4, "n_group": 1, "topk_group": 1, "first_k_dense_replace": 1,
}  # fmt: skip

# The windows are shorter than the longest document below.
FAMILIES: dict[str, dict[str, Any]] = {
    "llama": {},
    "mistral": {"sliding_window": 7},
    "qwen2": {},
    "qwen3": {"head_dim": 8},
    "gemma": {"head_dim": 8},
    "gemma2": {"head_dim": 8, "sliding_window": 7, "query_pre_attn_scalar": 8, "attn_logit_softcapping": 1.5},
    "gemma3_text": {"head_dim": 8, "sliding_window": 7},
    "phi": {},
    "phi3": {"sliding_window": 7},
    "gpt2": _GPT,
    "gpt_bigcode": _GPT,
    "gpt_neox": {},
    "opt": {"ffn_dim": 48, "word_embed_proj_dim": 32, "dropout": 0.0},
    "olmo2": {},
    "olmo3": {"sliding_window": 7},
    "cohere2": {"sliding_window": 7, "logit_scale": 2.0},
    "granite": {"logits_scaling": 4.0, "embedding_multiplier": 3.0, "residual_multiplier": 0.5},
    "glm4": {"head_dim": 8},
    "smollm3": {},
    "starcoder2": {"sliding_window": 7, "residual_dropout": 0.0, "embedding_dropout": 0.0},
    "mixtral": {"num_local_experts": 4},
    "qwen3_moe": {"head_dim": 8, "num_experts": 4, **_EXPERTS},
    "deepseek_v3": {**_EXPERTS, **_LATENT},
}
"""Options of ``transformers``' configurations by model type."""


@cache
def _built(family: str) -> Any:
    config = AutoConfig.for_model(family, **{**_SIZES, **FAMILIES[family]})
    torch.manual_seed(7)
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager", dtype=torch.float32)
    generator = torch.Generator().manual_seed(8)
    for name, value in model.named_parameters():
        if value.ndim < 2:  # norms and biases start as ones and zeros, which would hide a factor left out
            start = 1.0 if "norm" in name.lower() or "ln_" in name else 0.0
            value.data.normal_(start, 0.2, generator=generator)
    return model.eval()


def tiny(family: str, *, own: bool = False) -> Any:
    """A fresh copy of the family's model, in evaluation mode, frozen.

    Args:
        family: Of :data:`FAMILIES`.
        own: With the eager attention of ``transformers`` instead of ours.
    """
    model = copy.deepcopy(_built(family)).requires_grad_(False)
    model.set_attn_implementation("eager" if own else DOCUMENT_ATTENTION)
    return model


def adapt(model: Any, *, lora: bool) -> Any:
    """Make it trainable: an adapter that is not zero, or every weight."""
    if not lora:
        return model.requires_grad_(True).train()
    inject_lora(model, rank=4, alpha=8.0, seed=2)
    generator = torch.Generator().manual_seed(1)
    for _, module in lora_modules(model):
        module.lora_B.data.normal_(std=0.1, generator=generator)
    return model.train()


def document(ids: list[int], trained: list[int], row: int) -> Document:
    """A row whose tokens at the places ``trained`` carry loss."""
    return Document(tuple(ids), tuple(place in trained for place in range(len(ids))), row)


# Lengths that differ, shared beginnings, one prompt with two answers, a row trained in several places.
DOCUMENTS = [
    document([5, 6, 7, 8, 20, 21, 2], [5, 6], 0),
    document([5, 6, 7, 8, 30, 2], [4, 5], 1),
    document([5, 6, 7, 8, 31, 2], [4, 5], 2),
    document([9, 10, 11, 2, 12, 13, 14, 15, 16, 2, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26], [2, 3, 8, 9, 19], 3),
    document([40, 41, 2], [1, 2], 4),
]

PAIRS = [
    Pair(document([5, 6, 7, 8, 20, 21, 2], [4, 5, 6], 0), document([5, 6, 7, 8, 30, 2], [4, 5], 0), 0),
    Pair(document([*range(9, 21), 50, 2], [12, 13], 1), document([*range(9, 21), 51, 52, 2], [12, 13, 14], 1), 1),
]


def alone(model: Any, item: Document) -> torch.Tensor:
    """Log-probabilities of a document's trained tokens through the model's own forward, ``[K]``."""
    ids = torch.tensor(item.ids)
    logits = model(input_ids=ids[None], use_cache=False).logits[0, :-1]
    steps = logits.log_softmax(dim=-1).gather(1, ids[1:, None])[:, 0]
    return steps[torch.tensor(item.trained[1:])]
