"""Frozen weights in four bits: NF4, as QLoRA keeps them (Dettmers et al. 2023, https://arxiv.org/abs/2305.14314).

A block of 64 weights is stored as 64 indices into 16 quantiles of a normal distribution and one scale, the block's
largest magnitude. Double quantization stores the scales themselves in eight bits, 256 to a block. That makes 4.5 bits a
weight, or 4.13, where float32 takes 32. Embeddings, norms, biases and the head stay as they are.

A weight is computed back in full whenever it is needed, and let go at once: forward and backward multiply by exactly
what is stored, and nothing is rounded but once, at loading.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import safe_open
from torch import nn
from torch.nn.functional import linear
from transformers.pytorch_utils import Conv1D

from reactor_core.utils.extras import require

__all__ = ["Nf4Linear", "Quantization", "holds_quantized", "quantize_layers", "restore_layers", "stored_dtype"]

Quantization = Literal["nf4"]
"""How frozen weights may be kept."""

_BLOCK = 64
"""Weights that share a scale, as in the paper."""


class _FrozenProjection(torch.autograd.Function):
    """``x W^T + b`` with W taken from its layer twice instead of kept between the passes."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, layer: Nf4Linear, bias: torch.Tensor | None) -> torch.Tensor:
        ctx.layer = layer
        return linear(x, layer.weight, bias)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        grad = grads[0]
        grad_x = grad @ ctx.layer.weight if ctx.needs_input_grad[0] else None
        grad_bias = grad.flatten(0, -2).sum(0) if ctx.needs_input_grad[2] else None
        return grad_x, None, grad_bias


class Nf4Linear(nn.Module):
    """A frozen linear layer whose weight is kept in NF4.

    Args:
        base: ``nn.Linear``, or GPT-2's ``Conv1D``; its bias is kept as it is.
        double_quantization: Whether the scales are stored in eight bits.

    Raises:
        MissingExtra: bitsandbytes is not installed.
    """

    def __init__(self, base: nn.Module, *, double_quantization: bool) -> None:
        super().__init__()
        self._functional = require("bitsandbytes.functional", feature="quantization='nf4'", extra="train")
        self.was_transposed = isinstance(base, Conv1D)
        weight = base.weight
        assert isinstance(weight, torch.Tensor)
        full = weight.detach().t() if self.was_transposed else weight.detach()
        self.out_features, self.in_features = full.shape
        self.packed, self.state = self._functional.quantize_4bit(
            full.float().contiguous(), blocksize=_BLOCK, compress_statistics=double_quantization, quant_type="nf4"
        )
        self.bias = base.bias

    @property
    def weight(self) -> torch.Tensor:
        """What is stored, in float32, ``[out, in]``; a new tensor each time, so do not hold on to it."""
        full: torch.Tensor = self._functional.dequantize_4bit(self.packed, self.state)
        return full

    @property
    def nbytes(self) -> int:
        """Bytes that the weight takes."""
        state = self.state
        tensors = [self.packed, state.absmax, state.code]
        if state.nested:
            tensors += [state.offset, state.state2.absmax, state.state2.code]
        return sum(tensor.nbytes for tensor in tensors)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Project ``[..., in]`` to ``[..., out]``."""
        out: torch.Tensor = _FrozenProjection.apply(x, self, self.bias)  # type: ignore[no-untyped-call]
        return out

    def restored(self) -> nn.Module:
        """An ordinary layer of the kind that was quantized, with the numbers that are stored."""
        full: nn.Module
        weight = self.weight
        if self.was_transposed:
            full = Conv1D(self.out_features, self.in_features)
            weight = weight.t().contiguous()
        else:
            full = nn.Linear(self.in_features, self.out_features, bias=self.bias is not None, device="meta")
        full.weight = nn.Parameter(weight, requires_grad=False)
        if self.bias is not None:
            full.bias = self.bias
        return full.train(self.training)


def stored_dtype(files: list[Path]) -> torch.dtype:
    """The type in which the weights of a model lie on disk; float32 where they differ.

    Quantizing reads them so, one after the other, and never holds all of them in float32.
    """
    names: set[str] = set()
    for file in files:
        with safe_open(str(file), framework="pt") as tensors:
            names |= {tensors.get_slice(name).get_dtype() for name in tensors.keys()}  # noqa: SIM118  no dict
    return {"BF16": torch.bfloat16, "F16": torch.float16}.get(names.pop() if len(names) == 1 else "", torch.float32)


def quantize_layers(model: Any, *, double_quantization: bool, device: torch.device | str) -> None:
    """Replace every linear layer but the head by one in NF4, and hold the rest in float32, in place.

    Args:
        model: A ``transformers`` causal model, its weights of any float type.
        double_quantization: Whether the scales are stored in eight bits.
        device: Where the weights go.

    Raises:
        MissingExtra: bitsandbytes is not installed.
    """
    head = model.get_output_embeddings()
    for path, layer in list(model.named_modules()):
        if (type(layer) is nn.Linear or isinstance(layer, Conv1D)) and layer is not head:
            _replace(model, path, Nf4Linear(layer.to(device), double_quantization=double_quantization))
    for parameter in model.parameters():
        # A copy: the others may be views of the mapped file, which stays in memory as long as one of them is left.
        parameter.data = parameter.data.to(device, torch.float32, copy=True)
    model.config.dtype = torch.float32
    model.to(device)  # buffers


def holds_quantized(model: nn.Module) -> bool:
    """Whether any layer is kept in four bits."""
    return any(isinstance(module, Nf4Linear) for module in model.modules())


def restore_layers(model: nn.Module) -> None:
    """Replace every quantized layer by an ordinary one with the same numbers, in place.

    The model computes what it computed before, takes the memory of full weights, and can be saved as any other.
    """
    for path, layer in list(model.named_modules()):
        if isinstance(layer, Nf4Linear):
            _replace(model, path, layer.restored())


def _replace(model: nn.Module, path: str, layer: nn.Module) -> None:
    parent, _, leaf = path.rpartition(".")
    setattr(model.get_submodule(parent), leaf, layer)
