"""Adapters on disk, in PEFT's format (https://huggingface.co/docs/peft/developer_guides/checkpoint).

What PEFT can write and this package cannot compute is refused by name: loading it in part would be quietly wrong.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from reactor_core.errors import ArtifactCorrupt, ConfigError, NotFound
from reactor_core.models.adapter_folder import ADAPTER_CONFIG, ADAPTER_WEIGHTS
from reactor_core.training.lora import Bias, inject_lora, linear_layers, lora_modules, trained_biases
from reactor_core.training.tensors import write_tensors
from reactor_core.utils.files import atomic_write

__all__ = [
    "AdapterShape",
    "adapter_config",
    "adapter_tensors",
    "fill_adapter",
    "load_adapter",
    "read_adapter_config",
    "read_shape",
    "save_adapter",
]

_PREFIX = "base_model.model."

_READ = {
    "peft_type", "r", "lora_alpha", "lora_dropout", "use_rslora", "bias", "target_modules", "exclude_modules",
    "layers_to_transform", "layers_pattern",
}  # fmt: skip
"""Options that are followed."""

_WITHOUT_EFFECT = {
    # Where it came from, and how it is put on a base.
    "task_type", "base_model_name_or_path", "revision", "peft_version", "auto_mapping", "inference_mode",
    "fan_in_fan_out", "runtime_config", "ensure_weight_tying", "init_lora_weights",
    # Options of ways to begin or to compute that are chosen elsewhere in the file.
    "loftq_config", "eva_config", "corda_config", "lora_ga_config", "qalora_group_size", "megatron_config",
    "megatron_core",
}  # fmt: skip
"""Options that change nothing about what trained tensors compute."""

_PLAIN_BEGINNINGS = (None, True, False, "gaussian", "eva", "orthogonal")
"""Values of ``init_lora_weights`` that leave the base weights as they are; PiSSA and its like take a part out."""


def adapter_config(
    model: Any,
    *,
    base: str,
    rank: int,
    alpha: float,
    dropout_p: float,
    layers: int | None,
    rslora: bool,
    bias: Bias = "none",
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
        "bias": bias,
        "fan_in_fan_out": any(module.transposed for module in modules.values()),
        "inference_mode": True,
        "target_modules": sorted({name.split(".")[-1] for name in modules}),
    }
    if layers is not None:
        depth = int(model.config.num_hidden_layers)
        config["layers_to_transform"] = list(range(depth - layers, depth))
    if _adapted_paths(_all_linear(model), config) != set(modules):
        # Equal last parts of other layers, such as GPT-2's two c_proj: only whole paths say which are meant.
        config.pop("layers_to_transform", None)
        config["target_modules"] = sorted(modules)
    return config


def _all_linear(model: Any) -> list[str]:
    """Paths of everything that PEFT might take for a target, the head included."""
    inside = tuple(f"{path}." for path, _ in lora_modules(model))
    adapted = [path for path, _ in lora_modules(model)]
    plain = [path for path in linear_layers(model) if not path.startswith(inside)]
    head = model.get_output_embeddings()
    return [*adapted, *plain, *(path for path, module in model.named_modules() if module is head)]


def adapter_tensors(model: nn.Module) -> dict[str, torch.Tensor]:
    """The trained tensors under PEFT's names."""
    return {name: parameter.detach().cpu().contiguous() for name, parameter in _named(model).items()}


def _named(model: nn.Module) -> dict[str, nn.Parameter]:
    """What an adapter consists of, under PEFT's names."""
    named: dict[str, nn.Parameter] = {}
    for path, module in lora_modules(model):
        named[f"{_PREFIX}{path}.lora_A.weight"] = module.lora_A
        named[f"{_PREFIX}{path}.lora_B.weight"] = module.lora_B
    for name, bias in trained_biases(model).items():
        named[_PREFIX + re.sub(r"\.base\.bias$", ".base_layer.bias", name)] = bias
    return named


def save_adapter(model: nn.Module, config: dict[str, Any], folder: Path) -> None:
    """Write ``adapter_config.json`` and ``adapter_model.safetensors`` into ``folder``."""
    write_tensors(adapter_tensors(model), folder / ADAPTER_WEIGHTS)
    atomic_write(folder / ADAPTER_CONFIG, json.dumps(config, indent=2, sort_keys=True) + "\n")


def read_adapter_config(folder: Path) -> dict[str, Any]:
    """An adapter's ``adapter_config.json``, once it is known to hold nothing that would be left out.

    Raises:
        NotFound: The folder holds no adapter.
        ArtifactCorrupt: The file cannot be read, or says no rank, alpha or targets.
        ConfigError: The adapter is of another kind, or uses an option that changes what it computes and is not known
            here.
    """
    file = folder / ADAPTER_CONFIG
    if not file.is_file():
        raise NotFound(f"{folder} holds no {ADAPTER_CONFIG}", remedy="give the adapter folder of a training run")
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ArtifactCorrupt(f"{file} cannot be read: {error}") from error
    if not isinstance(config, dict):
        raise ArtifactCorrupt(f"{file} holds no object")
    odd = sorted(name for name, value in config.items() if value and name not in _READ | _WITHOUT_EFFECT)
    beginning = config.get("init_lora_weights")
    if config.get("peft_type") != "LORA":
        odd.insert(0, f"peft_type={config.get('peft_type')!r}")
    if beginning not in _PLAIN_BEGINNINGS:
        odd.append(f"init_lora_weights={beginning!r}")
    if config.get("bias", "none") not in get_args(Bias):
        odd.append(f"bias={config['bias']!r}")
    if odd:
        raise ConfigError(
            f"adapter {folder} uses {', '.join(odd)}, and without it would compute something else",
            remedy="merge it into its base model with PEFT, and use that as the base",
        )
    missing = [name for name in ("r", "lora_alpha", "target_modules") if not config.get(name)]
    if missing:
        raise ArtifactCorrupt(f"{file} says no {' and no '.join(missing)}")
    return config


def _adapted_paths(paths: list[str], config: dict[str, Any]) -> set[str]:
    """Those layers that PEFT adapts by this configuration (``check_target_module_exists`` in its tuners_utils.py)."""
    targets, excluded = config["target_modules"], config.get("exclude_modules") or []
    patterns, transform = config.get("layers_pattern") or [r"[^.]*"], config.get("layers_to_transform")
    if isinstance(patterns, str):
        patterns = [patterns]
    if transform is None:
        transform = []
    numbers: list[int] = [transform] if isinstance(transform, int) else transform

    def named(path: str, names: str | list[str]) -> bool:
        if isinstance(names, str):
            return re.fullmatch(names, path) is not None
        return any(path == name or path.endswith(f".{name}") for name in names)

    def in_layers(path: str) -> bool:
        found = (re.match(rf".*\.{pattern}\.(\d+)\.", path) for pattern in patterns)
        number = next((int(match.group(1)) for match in found if match), None)
        return number in numbers

    adapted = set()
    for path in paths:
        if named(path, excluded) or not named(path, targets):
            continue
        whole = not isinstance(targets, str) and path in targets
        if whole or not numbers or in_layers(path):
            adapted.add(path)
    return adapted


@dataclass(frozen=True)
class AdapterShape:
    """What an adapter on disk puts on a model.

    Attributes:
        rank: r.
        alpha: Numerator of the scale.
        rslora: Whether the scale is ``alpha / sqrt(r)``.
        bias: Which biases it carries.
        paths: The layers that it adapts, sorted.
    """

    rank: int
    alpha: float
    rslora: bool
    bias: Bias
    paths: tuple[str, ...]


def read_shape(folder: Path, model: Any) -> AdapterShape:
    """What the adapter in a folder puts on a model that is not adapted yet.

    Raises:
        NotFound: The folder holds no adapter.
        ArtifactCorrupt: It cannot be read, or does not fit the model.
        ConfigError: As :func:`read_adapter_config`, or it adapts the head.
    """
    config = read_adapter_config(folder)
    paths = _adapted_paths(_all_linear(model), config)
    if not paths <= linear_layers(model).keys():
        raise ConfigError(
            f"adapter {folder} adapts the head",
            remedy="merge it into its base model with PEFT, and use that as the base",
        )
    if not paths:
        raise ArtifactCorrupt(f"adapter {folder} does not fit the model: it has no layer {config['target_modules']}")
    # PEFT takes 'all' for a model without biases too.
    carries_biases = any(name.endswith(".bias") for name in _read_tensors(folder))
    return AdapterShape(
        rank=int(config["r"]),
        alpha=float(config["lora_alpha"]),
        rslora=bool(config.get("use_rslora")),
        bias=config.get("bias", "none") if carries_biases else "none",
        paths=tuple(sorted(paths)),
    )


def _read_tensors(folder: Path) -> dict[str, torch.Tensor]:
    try:
        return load_file(str(folder / ADAPTER_WEIGHTS))
    except (OSError, SafetensorError) as error:
        raise ArtifactCorrupt(f"adapter {folder} has no readable {ADAPTER_WEIGHTS}: {error}") from error


def fill_adapter(model: Any, folder: Path) -> None:
    """Give an adapted model the values of the adapter in a folder, in place.

    Raises:
        ArtifactCorrupt: Its tensors cannot be read, or are not those of the adapted model.
    """
    tensors, wanted = _read_tensors(folder), _named(model)
    if wanted.keys() != tensors.keys():
        odd = sorted(wanted.keys() ^ tensors.keys())[:3]
        raise ArtifactCorrupt(f"adapter {folder} does not fit the model: {', '.join(odd)}")
    with torch.no_grad():
        for name, parameter in wanted.items():
            if parameter.shape != tensors[name].shape:
                raise ArtifactCorrupt(f"adapter {folder}: {name} has shape {tuple(tensors[name].shape)}")
            parameter.copy_(tensors[name])


def load_adapter(model: Any, folder: Path) -> None:
    """Put an adapter saved by us or by PEFT on a freshly loaded base model, in place.

    Args:
        model: A ``transformers`` causal model, in full weights or in four bits.
        folder: Where the adapter is.

    Raises:
        NotFound: The folder holds no adapter.
        ArtifactCorrupt: Its tensors cannot be read, or do not fit its configuration or the model.
        ConfigError: As :func:`read_shape`.
    """
    shape = read_shape(folder, model)
    inject_lora(
        model,
        rank=shape.rank,
        alpha=shape.alpha,
        target_modules=shape.paths,
        rslora=shape.rslora,
        bias=shape.bias,
    )
    fill_adapter(model, folder)
