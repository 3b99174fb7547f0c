"""The fast path for Llama-shaped models with frozen weights: same numbers as the generic one, fewer passes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from reactor_core.data.packing import PackedBatch
from reactor_core.models.quantize import holds_quantized
from reactor_core.training.block_attention import Heads, block_masks
from reactor_core.training.llama_blocks import AttentionHalf, MlpHalf, Projection, Rows, rms_norm, rms_norm_backward
from reactor_core.training.lora import LoraLinear

__all__ = ["FastLlama", "why_not_fast"]


def why_not_fast(model: Any) -> str | None:
    """What keeps a model off the fast path, or None."""
    config = model.config
    if holds_quantized(model):
        return "its weights are kept in four bits"
    if config.model_type != "llama":
        return f"the model is {config.model_type}, not llama"
    if config.hidden_act != "silu" or config.attention_bias or config.mlp_bias:
        return "the model has biases or another activation"
    for name, parameter in model.named_parameters():
        if parameter.requires_grad and not name.endswith((".lora_A", ".lora_B")):
            return "more than low-rank additions is trained"
    if any(isinstance(module, LoraLinear) and module.dropout_p for module in model.modules()):
        return "there is dropout"
    return None


@dataclass(frozen=True)
class _Low:
    """The low-rank additions of a joined projection."""

    modules: tuple[LoraLinear, ...]

    def tensors(self) -> list[torch.Tensor]:
        """All A joined, then every B; nothing where there is no addition, or it is switched off."""
        if not self.modules or self.modules[0].switched_off:
            return []
        return [torch.cat([module.lora_A for module in self.modules]), *(module.lora_B for module in self.modules)]


@dataclass(frozen=True)
class _Layer:
    attention: AttentionHalf
    low_qkv: _Low
    low_out: _Low
    mlp: MlpHalf
    low_gate_up: _Low
    low_down: _Low


class FastLlama:
    """Computes what a Llama's decoder computes, from the same weights.

    The weights of projections that read the same input are moved into one tensor, of which the model's own weights
    become views: no memory is added, and the model goes on working. On a CPU the other weights are moved too: one that
    is read from a mapped file would keep the whole file in memory, with the joined ones twice.

    Args:
        model: A ``transformers`` Llama for which :func:`why_not_fast` gives None.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        config = model.config
        decoder = model.base_model
        width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        for parameter in model.parameters():
            if parameter.device.type == "cpu" and not parameter.requires_grad:
                parameter.data = parameter.data.clone()
        heads = Heads(config.num_attention_heads, config.num_key_value_heads, width**-0.5)
        self._layers = []
        for layer in decoder.layers:
            attention, mlp = layer.self_attn, layer.mlp
            qkv, low_qkv = _join([attention.q_proj, attention.k_proj, attention.v_proj])
            out, low_out = _join([attention.o_proj])
            gate_up, low_gate_up = _join([mlp.gate_proj, mlp.up_proj])
            down, low_down = _join([mlp.down_proj])
            norm, after = layer.input_layernorm, layer.post_attention_layernorm
            self._layers.append(
                _Layer(
                    AttentionHalf(
                        norm.weight.detach(),
                        norm.variance_epsilon,
                        qkv,
                        out,
                        heads,
                    ),
                    low_qkv,
                    low_out,
                    MlpHalf(after.weight.detach(), after.variance_epsilon, gate_up, down),
                    low_gate_up,
                    low_down,
                )
            )
        self._repeats = config.num_attention_heads // config.num_key_value_heads

    def hidden(self, batch: PackedBatch) -> torch.Tensor:
        """Final hidden states at the predicting positions, ``[K, C]``.

        The last layer's output is formed at those positions only: nothing else of it is ever read.
        """
        decoder = self._model.base_model
        x = decoder.embed_tokens(batch.input_ids)
        cos, sin = decoder.rotary_emb(x, position_ids=batch.position_ids[None])
        half = cos.shape[-1] // 2
        rows = Rows(
            batch.layout.blocks,
            block_masks(batch.layout.blocks, self._repeats, x),
            cos[0, :, None, :half].contiguous(),
            sin[0, :, None, :half].contiguous(),
        )
        for number, layer in enumerate(self._layers):
            last = number == len(self._layers) - 1
            x = layer.attention(
                x, rows, layer.low_qkv.tensors(), layer.low_out.tensors(), batch.predict if last else None
            )
            x = layer.mlp(x, layer.low_gate_up.tensors(), layer.low_down.tensors())
        norm = decoder.norm
        states: torch.Tensor = _FinalNorm.apply(  # type: ignore[no-untyped-call]
            x, norm.weight.detach(), norm.variance_epsilon
        )
        return states


class _FinalNorm(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, weight: torch.Tensor, eps: float) -> torch.Tensor:
        out, inverse = rms_norm(x, weight, eps)
        ctx.save_for_backward(x, weight, inverse)
        return out

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        return rms_norm_backward(grads[0], *ctx.saved_tensors), None, None


def _join(layers: Sequence[nn.Module]) -> tuple[Projection, _Low]:
    """One projection from several layers; their weights become views of its weight."""
    bases: list[Any] = [layer.base if isinstance(layer, LoraLinear) else layer for layer in layers]
    weights: list[torch.Tensor] = [base.weight.detach() for base in bases]
    joined = weights[0] if len(weights) == 1 else torch.cat(weights)
    parts: list[tuple[int, int]] = []
    modules: list[LoraLinear] = []
    start = 0
    for layer, base, weight in zip(layers, bases, weights, strict=True):
        end = start + len(weight)
        base.weight.data = joined[start:end]
        if isinstance(layer, LoraLinear):
            parts.append((start, end))
            modules.append(layer)
        start = end
    scale = modules[0].scale if modules else 1.0
    return Projection(joined, tuple(parts), scale), _Low(tuple(modules))
