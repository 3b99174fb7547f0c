"""Low-rank adapters (Hu et al. 2021, https://arxiv.org/abs/2106.09685), saved in PEFT's format.

A frozen projection ``y = x W^T + b`` becomes ``y = x W^T + b + s (x A^T) B^T``; A is ``[r, in]``, B is ``[out, r]`` and
zero at the start, ``s = alpha / r`` (``alpha / sqrt(r)`` for rank-stabilised LoRA, https://arxiv.org/abs/2312.03732).
The autograd function below writes the low-rank part into the output in place, keeps only x and ``x A^T`` for the
backward pass, and never forms a gradient of W.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn
from torch.nn.functional import dropout, linear
from transformers.pytorch_utils import Conv1D

from reactor_core.errors import ArtifactCorrupt, ConfigError, NotFound
from reactor_core.training.tensors import write_tensors
from reactor_core.utils.files import atomic_write

__all__ = [
    "LoraLinear",
    "adapter_config",
    "adapter_off",
    "adapter_tensors",
    "inject_lora",
    "load_adapter",
    "lora_modules",
    "merge_adapter",
    "save_adapter",
]

_PEFT_PREFIX = "base_model.model."


class _LoraProjection(torch.autograd.Function):
    """``x W^T + b + s (x A^T) B^T`` for rows x ``[T, in]``, W ``[out, in]``, A ``[r, in]``, B ``[out, r]``."""

    @staticmethod
    def forward(
        ctx: Any,
        x: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        lora_a: torch.Tensor,
        lora_b: torch.Tensor,
        scale: float,
    ) -> torch.Tensor:
        down = x @ lora_a.t()
        out = linear(x, weight, bias)
        out.addmm_(down, lora_b.t(), alpha=scale)
        ctx.save_for_backward(x, weight, lora_a, lora_b, down)
        ctx.scale = scale
        return out

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        x, weight, lora_a, lora_b, down = ctx.saved_tensors
        grad = grads[0]
        up = (grad @ lora_b).mul_(ctx.scale)  # [T, r]
        grad_a = up.t() @ x
        grad_b = (grad.t() @ down).mul_(ctx.scale)
        grad_x = None
        if ctx.needs_input_grad[0]:
            grad_x = grad @ weight
            grad_x.addmm_(up, lora_a)
        return grad_x, None, None, grad_a, grad_b, None


class LoraLinear(nn.Module):
    """A frozen linear layer with a trainable low-rank addition.

    Args:
        base: ``nn.Linear``, or GPT-2's ``Conv1D`` whose weight is transposed.
        rank: r.
        scale: s.
        dropout_p: Share of inputs dropped on the low-rank path while training.
        generator: Source of A's first values.
    """

    def __init__(
        self, base: nn.Module, *, rank: int, scale: float, dropout_p: float, generator: torch.Generator | None
    ) -> None:
        super().__init__()
        weight = base.weight
        assert isinstance(weight, torch.Tensor)
        self.transposed = isinstance(base, Conv1D)
        self.base = base
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
        """The frozen weight as ``[out, in]``."""
        weight = self.base.weight
        assert isinstance(weight, torch.Tensor)
        return weight.t() if self.transposed else weight

    @property
    def bias(self) -> torch.Tensor | None:
        """The frozen bias."""
        bias: torch.Tensor | None = getattr(self.base, "bias", None)
        return bias

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Project ``[..., in]`` to ``[..., out]``."""
        if self.switched_off:
            return linear(x, self.weight, self.bias)
        if self.dropout_p and self.training:
            low: torch.Tensor = linear(linear(dropout(x, self.dropout_p), self.lora_A), self.lora_B)
            return linear(x, self.weight, self.bias) + self.scale * low
        rows = x.reshape(-1, x.shape[-1])
        out: torch.Tensor = _LoraProjection.apply(  # type: ignore[no-untyped-call]
            rows, self.weight, self.bias, self.lora_A, self.lora_B, self.scale
        )
        return out.view(*x.shape[:-1], -1)

    def merge(self) -> nn.Module:
        """The base layer with the low-rank part added into its weight."""
        with torch.no_grad():
            self.weight.addmm_(self.lora_B, self.lora_A, alpha=self.scale)
        return self.base


@contextmanager
def adapter_off(model: nn.Module) -> Iterator[None]:
    """Inside the block the model computes what it did before :func:`inject_lora`."""
    modules = [module for _, module in lora_modules(model)]
    for module in modules:
        module.switched_off = True
    try:
        yield
    finally:
        for module in modules:
            module.switched_off = False


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


def _targets(model: Any, target_modules: str | Sequence[str], layers: int | None) -> list[str]:
    linears = {name: module for name, module in model.named_modules() if isinstance(module, nn.Linear | Conv1D)}
    head = model.get_output_embeddings()
    linears = {name: module for name, module in linears.items() if module is not head}
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
        seed: Of A's first values.

    Returns:
        The paths of the adapted layers.

    Raises:
        ConfigError: A target names no layer.
    """
    model.requires_grad_(False)
    generator = torch.Generator().manual_seed(seed)
    scale = alpha / (math.sqrt(rank) if rslora else rank)
    paths = _targets(model, target_modules, layers)
    for path in paths:
        parent, _, leaf = path.rpartition(".")
        holder = model.get_submodule(parent)
        module = LoraLinear(getattr(holder, leaf), rank=rank, scale=scale, dropout_p=dropout_p, generator=generator)
        setattr(holder, leaf, module)
    return paths


def adapter_config(
    model: Any, *, base: str, rank: int, alpha: float, dropout_p: float, layers: int | None, rslora: bool
) -> dict[str, Any]:
    """``adapter_config.json`` as PEFT reads it."""
    modules = dict(lora_modules(model))
    config: dict[str, Any] = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base,
        "r": rank,
        "lora_alpha": alpha,
        "lora_dropout": dropout_p,
        "use_rslora": rslora,
        "bias": "none",
        "fan_in_fan_out": any(module.transposed for module in modules.values()),
        "inference_mode": True,
        "target_modules": sorted({name.split(".")[-1] for name in modules}),
    }
    if layers is not None:
        depth = int(model.config.num_hidden_layers)
        config["layers_to_transform"] = list(range(depth - layers, depth))
    return config


def adapter_tensors(model: nn.Module) -> dict[str, torch.Tensor]:
    """The trained tensors under PEFT's names."""
    tensors: dict[str, torch.Tensor] = {}
    for name, module in lora_modules(model):
        tensors[f"{_PEFT_PREFIX}{name}.lora_A.weight"] = module.lora_A.detach().cpu().contiguous()
        tensors[f"{_PEFT_PREFIX}{name}.lora_B.weight"] = module.lora_B.detach().cpu().contiguous()
    return tensors


def save_adapter(model: nn.Module, config: dict[str, Any], folder: Path) -> None:
    """Write ``adapter_config.json`` and ``adapter_model.safetensors`` into ``folder``."""
    write_tensors(adapter_tensors(model), folder / "adapter_model.safetensors")
    atomic_write(folder / "adapter_config.json", json.dumps(config, indent=2, sort_keys=True) + "\n")


def load_adapter(model: Any, folder: Path) -> dict[str, Any]:
    """Put an adapter saved by us or by PEFT on a freshly loaded base model, in place.

    Returns:
        Its ``adapter_config.json``.

    Raises:
        NotFound: The folder holds no adapter.
        ArtifactCorrupt: Its tensors cannot be read, or do not fit its configuration or the model.
    """
    file = folder / "adapter_config.json"
    if not file.is_file():
        raise NotFound(f"{folder} holds no adapter_config.json", remedy="give the adapter folder of a training run")
    config: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    try:
        tensors = load_file(str(folder / "adapter_model.safetensors"))
    except (OSError, SafetensorError) as error:
        raise ArtifactCorrupt(f"adapter {folder} has no readable adapter_model.safetensors: {error}") from error
    transform = config.get("layers_to_transform")
    inject_lora(
        model,
        rank=int(config["r"]),
        alpha=float(config["lora_alpha"]),
        dropout_p=float(config.get("lora_dropout") or 0.0),
        target_modules=config["target_modules"],
        layers=None if transform is None else len(transform),
        rslora=bool(config.get("use_rslora")),
    )
    wanted = {
        f"{_PEFT_PREFIX}{name}.{leaf}.weight": getattr(module, leaf)
        for name, module in lora_modules(model)
        for leaf in ("lora_A", "lora_B")
    }
    if wanted.keys() != tensors.keys():
        odd = sorted(wanted.keys() ^ tensors.keys())[:3]
        raise ArtifactCorrupt(f"adapter {folder} does not fit the model: {', '.join(odd)}")
    with torch.no_grad():
        for name, parameter in wanted.items():
            if parameter.shape != tensors[name].shape:
                raise ArtifactCorrupt(f"adapter {folder}: {name} has shape {tuple(tensors[name].shape)}")
            parameter.copy_(tensors[name])
    return config


def merge_adapter(model: Any) -> None:
    """Fold the adapter into the base weights and take the low-rank layers out, in place."""
    for path, module in list(lora_modules(model)):
        parent, _, leaf = path.rpartition(".")
        setattr(model.get_submodule(parent), leaf, module.merge())
