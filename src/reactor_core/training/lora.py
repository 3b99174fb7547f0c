"""Low-rank adapters (Hu et al. 2021, https://arxiv.org/abs/2106.09685).

A frozen projection ``y = x W^T + b`` becomes ``y = x W^T + b + s (x A^T) B^T``; A is ``[r, in]``, B is ``[out, r]`` and
zero at the start, ``s = alpha / r`` (``alpha / sqrt(r)`` for rank-stabilised LoRA, https://arxiv.org/abs/2312.03732).
The autograd function below writes the low-rank part into the output in place, keeps only x and ``x A^T`` for the
backward pass, and never forms a gradient of W. It asks the layer for W in both passes, so a W that is kept in four bits
(:mod:`reactor_core.models.quantize`) is held in full only while it is multiplied.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import torch
from torch import nn
from torch.nn.functional import dropout, linear
from transformers.pytorch_utils import Conv1D

from reactor_core.errors import ConfigError
from reactor_core.models.quantize import Nf4Linear

__all__ = [
    "Bias",
    "LoraLinear",
    "adapter_off",
    "inject_lora",
    "linear_layers",
    "lora_modules",
    "merge_adapter",
    "target_paths",
    "trained_biases",
]

Bias = Literal["none", "lora_only", "all"]
"""Which biases are trained beside the low-rank parts: none, those of the adapted layers, or every bias of the model."""

_UNTRAINED = "reactor_untrained_biases"
"""Attribute of an adapted model: the trained biases by name, as the base model has them."""


class _LoraProjection(torch.autograd.Function):
    """``x W^T + b + s (d A^T) B^T`` for rows x ``[T, in]``, W ``[out, in]``, A ``[r, in]``, B ``[out, r]``.

    d is x after dropout, or None for x itself.
    """

    @staticmethod
    def forward(
        ctx: Any,
        x: torch.Tensor,
        dropped: torch.Tensor | None,
        layer: LoraLinear,
        bias: torch.Tensor | None,
        lora_a: torch.Tensor,
        lora_b: torch.Tensor,
    ) -> torch.Tensor:
        low = x if dropped is None else dropped
        down = low @ lora_a.t()
        out = linear(x, layer.weight, bias)
        out.addmm_(down, lora_b.t(), alpha=layer.scale)
        ctx.save_for_backward(low, lora_a, lora_b, down)
        ctx.layer, ctx.drops = layer, dropped is not None
        return out

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        low, lora_a, lora_b, down = ctx.saved_tensors
        grad, scale = grads[0], ctx.layer.scale
        up = (grad @ lora_b).mul_(scale)  # [T, r]
        grad_a = up.t() @ low
        grad_b = (grad.t() @ down).mul_(scale)
        grad_bias = grad.sum(0) if ctx.needs_input_grad[3] else None
        grad_x = grad_dropped = None
        if ctx.needs_input_grad[0]:
            grad_x = grad @ ctx.layer.weight
            if not ctx.drops:
                grad_x.addmm_(up, lora_a)
        if ctx.needs_input_grad[1]:
            grad_dropped = up @ lora_a
        return grad_x, grad_dropped, None, grad_bias, grad_a, grad_b


class LoraLinear(nn.Module):
    """A frozen linear layer with a trainable low-rank addition.

    Args:
        base: ``nn.Linear``, :class:`~reactor_core.models.quantize.Nf4Linear`, or GPT-2's ``Conv1D`` whose weight is
            transposed.
        rank: r.
        scale: s.
        dropout_p: Share of inputs dropped on the low-rank path while training.
        generator: Source of A's first values.
    """

    def __init__(
        self, base: nn.Module, *, rank: int, scale: float, dropout_p: float, generator: torch.Generator | None
    ) -> None:
        super().__init__()
        self.transposed = isinstance(base, Conv1D)
        self.base = base
        weight = base.weight
        assert isinstance(weight, torch.Tensor)
        outputs, inputs = weight.shape[::-1] if self.transposed else weight.shape
        self.scale, self.dropout_p = scale, dropout_p
        self.switched_off = False
        first = torch.empty(rank, inputs)
        # kaiming_uniform_ with a = sqrt(5), as PEFT starts A: U(-1/sqrt(in), 1/sqrt(in)).
        first.uniform_(-1 / math.sqrt(inputs), 1 / math.sqrt(inputs), generator=generator)
        self.lora_A = nn.Parameter(first.to(weight.device))
        self.lora_B = nn.Parameter(torch.zeros(outputs, rank, device=weight.device))

    @property
    def weight(self) -> torch.Tensor:
        """The frozen weight as ``[out, in]``; of a base in four bits a new tensor each time."""
        weight = self.base.weight
        assert isinstance(weight, torch.Tensor)
        return weight.t() if self.transposed else weight

    @property
    def bias(self) -> torch.Tensor | None:
        """The bias, which is frozen unless biases are trained too."""
        bias: torch.Tensor | None = getattr(self.base, "bias", None)
        return bias

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Project ``[..., in]`` to ``[..., out]``."""
        if self.switched_off:
            return linear(x, self.weight, self.bias)
        rows = x.reshape(-1, x.shape[-1])
        dropped = dropout(rows, self.dropout_p) if self.dropout_p and self.training else None
        out: torch.Tensor = _LoraProjection.apply(  # type: ignore[no-untyped-call]
            rows, dropped, self, self.bias, self.lora_A, self.lora_B
        )
        return out.view(*x.shape[:-1], -1)

    def merge(self) -> nn.Module:
        """The base layer with the low-rank part added into its weight; one in four bits becomes an ordinary one."""
        base = self.base.restored() if isinstance(self.base, Nf4Linear) else self.base
        weight = base.weight
        assert isinstance(weight, torch.Tensor)
        with torch.no_grad():
            (weight.t() if isinstance(base, Conv1D) else weight).addmm_(self.lora_B, self.lora_A, alpha=self.scale)
        return base


@contextmanager
def adapter_off(model: nn.Module) -> Iterator[None]:
    """Inside the block the model computes what it did before :func:`inject_lora`, trained biases included."""
    modules = [module for _, module in lora_modules(model)]
    biases = [(model.get_parameter(name), first) for name, first in _untrained(model).items()]
    trained = [parameter.data for parameter, _ in biases]
    for module in modules:
        module.switched_off = True
    for parameter, first in biases:
        parameter.data = first
    try:
        yield
    finally:
        for module in modules:
            module.switched_off = False
        for (parameter, _), value in zip(biases, trained, strict=True):
            parameter.data = value


def _untrained(model: nn.Module) -> dict[str, torch.Tensor]:
    first: dict[str, torch.Tensor] = getattr(model, _UNTRAINED, {})
    return first


def trained_biases(model: nn.Module) -> dict[str, nn.Parameter]:
    """The biases that belong to the adapter, by the name that they have in the adapted model."""
    return {name: model.get_parameter(name) for name in _untrained(model)}


def lora_modules(model: nn.Module) -> Iterator[tuple[str, LoraLinear]]:
    """Every adapted layer with the path that it had in the base model."""
    for name, module in model.named_modules():
        if isinstance(module, LoraLinear):
            yield name, module


def _layer_number(path: str) -> int | None:
    """The first all-digit part of ``model.layers.3.mlp.up_proj``."""
    return next((int(part) for part in path.split(".") if part.isdigit()), None)


def _matches(path: str, target: str) -> bool:
    """Whether ``target`` is the whole path or its last parts, as PEFT matches a list of targets."""
    return path == target or path.endswith(f".{target}")


def linear_layers(model: Any) -> dict[str, nn.Module]:
    """Every layer that can be adapted, by its path: linear ones, but not the head."""
    head = model.get_output_embeddings()
    kinds = (nn.Linear, Conv1D, Nf4Linear)
    return {name: layer for name, layer in model.named_modules() if isinstance(layer, kinds) and layer is not head}


def target_paths(model: Any, target_modules: str | Sequence[str], layers: int | None) -> list[str]:
    """The layers that :func:`inject_lora` adapts by these options.

    Raises:
        ConfigError: A target names no layer, or there are not so many layers.
    """
    linears = linear_layers(model)
    if target_modules != "all-linear":
        wanted = [target_modules] if isinstance(target_modules, str) else list(target_modules)
        missing = [target for target in wanted if not any(_matches(name, target) for name in linears)]
        if missing:
            known = ", ".join(sorted({name.split(".")[-1] for name in linears}))
            raise ConfigError(f"target_modules={missing!r}: the model has no such layer", remedy=f"it has {known}")
        linears = {name: m for name, m in linears.items() if any(_matches(name, target) for target in wanted)}
    if layers is not None:
        depth = int(model.config.num_hidden_layers)
        if layers > depth:
            raise ConfigError(f"layers={layers}: the model has {depth} layers")
        linears = {name: m for name, m in linears.items() if (_layer_number(name) or 0) >= depth - layers}
    return list(linears)


def inject_lora(
    model: Any,
    *,
    rank: int,
    alpha: float,
    dropout_p: float = 0.0,
    target_modules: str | Sequence[str] = "all-linear",
    layers: int | None = None,
    rslora: bool = False,
    bias: Bias = "none",
    seed: int = 0,
) -> list[str]:
    """Freeze the model and put a low-rank addition on its projections, in place.

    Args:
        model: A ``transformers`` causal model.
        rank: r, at least 1.
        alpha: Numerator of the scale.
        dropout_p: Dropout on the low-rank path.
        target_modules: ``"all-linear"`` (all but the head), or last parts of layer names such as ``("q_proj",)``.
        layers: Only the topmost so many decoder layers; None is all. The backward pass stops below them.
        rslora: Scale by ``alpha / sqrt(r)``.
        bias: Which biases are trained too.
        seed: Of A's first values.

    Returns:
        The paths of the adapted layers.

    Raises:
        ConfigError: A target names no layer, or ``bias`` asks for biases and there are none.
    """
    model.requires_grad_(False)
    generator = torch.Generator().manual_seed(seed)
    scale = alpha / (math.sqrt(rank) if rslora else rank)
    paths = target_paths(model, target_modules, layers)
    for path in paths:
        parent, _, leaf = path.rpartition(".")
        holder = model.get_submodule(parent)
        module = LoraLinear(getattr(holder, leaf), rank=rank, scale=scale, dropout_p=dropout_p, generator=generator)
        setattr(holder, leaf, module)
    _train_biases(model, bias)
    return paths


def _train_biases(model: Any, bias: Bias) -> None:
    if bias == "none":
        return
    adapted = {f"{path}.base.bias" for path, _ in lora_modules(model)}
    chosen = {
        name: parameter
        for name, parameter in model.named_parameters()
        if name.endswith(".bias") and (bias == "all" or name in adapted)
    }
    if not chosen:
        raise ConfigError(f"lora_bias={bias!r}: there is no such bias in this model", remedy="use lora_bias='none'")
    for parameter in chosen.values():
        parameter.requires_grad_(True)
    setattr(model, _UNTRAINED, {name: parameter.detach().clone() for name, parameter in chosen.items()})


def merge_adapter(model: Any) -> None:
    """Fold the adapter into the base weights and take the low-rank layers out, in place.

    Adapted layers whose weights are kept in four bits become ordinary ones: what is merged is what was trained.
    """
    for path, module in list(lora_modules(model)):
        parent, _, leaf = path.rpartition(".")
        setattr(model.get_submodule(parent), leaf, module.merge())
    if _untrained(model):
        delattr(model, _UNTRAINED)
