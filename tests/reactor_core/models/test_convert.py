"""A GGUF file written by llama.cpp's own library, from a tiny Llama whose answers are known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from gguf import GGUFWriter
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from reactor_core.models.convert import convert_gguf

NAMES = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}


def gguf_name(name: str) -> str:
    """llama.cpp's name of a tensor."""
    top = {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight"}
    if name in top:
        return top[name]
    _, _, layer, rest = name.split(".", 3)
    return f"blk.{layer}.{NAMES[rest.removesuffix('.weight')]}.weight"


def interleaved(weight: torch.Tensor, heads: int) -> torch.Tensor:
    """The row order in which llama.cpp keeps rotary projections: its converter's ``permute``."""
    return weight.reshape(heads, 2, weight.shape[0] // heads // 2, -1).swapaxes(1, 2).reshape(weight.shape)


def write_gguf(model: Any, tokenizer: Any, file: Path) -> None:
    config = model.config
    writer = GGUFWriter(str(file), "llama")
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(10_000.0)
    writer.add_vocab_size(config.vocab_size)
    words = tokenizer.convert_ids_to_tokens(list(range(len(tokenizer))))
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(words)
    writer.add_token_types([3 if word in tokenizer.all_special_tokens else 1 for word in words])
    writer.add_token_merges(["a b"])
    writer.add_bos_token_id(tokenizer.bos_token_id)
    writer.add_eos_token_id(tokenizer.eos_token_id)
    writer.add_pad_token_id(tokenizer.pad_token_id)
    writer.add_chat_template(tokenizer.chat_template)
    for name, weight in model.state_dict().items():
        if name == "lm_head.weight":  # tied to the embedding
            continue
        if "q_proj" in name:
            weight = interleaved(weight, config.num_attention_heads)
        if "k_proj" in name:
            weight = interleaved(weight, config.num_key_value_heads)
        writer.add_tensor(gguf_name(name), weight.numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@pytest.fixture
def original(tokenizer: Any) -> tuple[Any, Any]:
    """A tiny Llama, and the byte tokenizer with one merge more: the format has no empty list of merges."""
    from tokenizers import Tokenizer

    document = json.loads(tokenizer.backend_tokenizer.to_str())
    document["model"]["vocab"]["ab"] = len(document["model"]["vocab"])
    document["model"]["merges"] = [["a", "b"]]
    wider = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(json.dumps(document)),
        bos_token=tokenizer.bos_token,
        eos_token=tokenizer.eos_token,
        pad_token=tokenizer.pad_token,
    )
    wider.chat_template = tokenizer.chat_template
    torch.manual_seed(7)
    config = LlamaConfig(
        vocab_size=len(wider),
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=128,
        initializer_range=0.2,
        tie_word_embeddings=True,
        bos_token_id=wider.bos_token_id,
        eos_token_id=wider.eos_token_id,
        pad_token_id=wider.pad_token_id,
    )
    return LlamaForCausalLM(config).eval(), wider


def test_a_converted_model_answers_as_the_one_it_was_written_from(original: tuple[Any, Any], tmp_path: Path) -> None:
    model, tokenizer = original
    write_gguf(model, tokenizer, tmp_path / "tiny.gguf")
    stages: list[tuple[int, int | None]] = []
    facts = convert_gguf(tmp_path / "tiny.gguf", tmp_path / "out", lambda _, done, total: stages.append((done, total)))

    converted = AutoModelForCausalLM.from_pretrained(tmp_path / "out")
    ids = torch.arange(3, 40)[None]
    with torch.no_grad():
        torch.testing.assert_close(converted(ids).logits, model(ids).logits)
    assert facts["parameters"] == sum(parameter.numel() for parameter in model.parameters())
    assert set(facts["converted_with"]) == {"torch", "transformers", "gguf"}
    assert stages == [(0, 3), (1, 3), (2, 3), (3, 3)]

    talk = [{"role": "user", "content": "Hello, about abba"}]
    expected = tokenizer.apply_chat_template(talk)["input_ids"]
    assert AutoTokenizer.from_pretrained(tmp_path / "out").apply_chat_template(talk)["input_ids"] == expected
