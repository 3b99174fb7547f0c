"""A model and its tokenizer in memory: float32, or the weights of linear layers in four bits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging as transformers_logging

from reactor_core.errors import ArtifactCorrupt, ConfigError
from reactor_core.models.attention import DOCUMENT_ATTENTION
from reactor_core.models.entry import ModelEntry, weight_files
from reactor_core.models.quantize import Quantization, quantize_layers, stored_dtype

__all__ = ["LoadedModel", "load_model", "load_tokenizer"]


@dataclass(frozen=True)
class LoadedModel:
    """What training and serving start from.

    Attributes:
        model: A ``transformers`` causal model in evaluation mode, whose attention follows the documents of a packed row
            (see :mod:`reactor_core.models.attention`) and is ordinary causal attention otherwise.
        tokenizer: Its tokenizer.
        entry: Where both came from.
    """

    model: Any
    tokenizer: Any
    entry: ModelEntry


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """Keep transformers' own progress bars off the terminal inside the block."""
    shown = transformers_logging.is_progress_bar_enabled()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            transformers_logging.enable_progress_bar()


def load_tokenizer(path: Path) -> Any:
    """The tokenizer of a model folder; reaches for no network.

    Raises:
        ArtifactCorrupt: The folder holds no readable tokenizer.
    """
    try:
        return AutoTokenizer.from_pretrained(str(path), local_files_only=True)
    except (OSError, ValueError) as error:
        raise ArtifactCorrupt(f"no readable tokenizer in {path}: {error}", remedy="pull the model again") from error


def load_model(
    entry: ModelEntry,
    *,
    device: torch.device | str = "cpu",
    quantization: Quantization | None = None,
    double_quantization: bool = True,
) -> LoadedModel:
    """Load weights and tokenizer.

    Args:
        entry: What :func:`~reactor_core.models.store.resolve_model` found.
        device: Where the weights go.
        quantization: ``"nf4"`` keeps the weights of linear layers in four bits, and never holds all of them in full;
            None keeps float32.
        double_quantization: Store the scales of the four-bit weights in eight bits.

    Raises:
        ArtifactCorrupt: The folder cannot be read as a causal model.
        ConfigError: The model's family cannot compute with our attention.
        MissingExtra: ``quantization`` is asked for and bitsandbytes is not installed.
    """
    tokenizer = load_tokenizer(entry.path)
    try:
        with quiet_transformers():
            model = AutoModelForCausalLM.from_pretrained(
                str(entry.path),
                dtype=torch.float32 if quantization is None else stored_dtype(weight_files(entry.path)),
                attn_implementation=DOCUMENT_ATTENTION,
                local_files_only=True,
            )
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        if error.args == (DOCUMENT_ATTENTION,):  # looked up in the family's own list, which does not know it
            raise ConfigError(
                f"the model family of {entry.path} has a fixed list of attentions, so documents cannot be kept apart",
                remedy="use a model that supports transformers' attention interface",
            ) from error
        raise ArtifactCorrupt(f"{entry.path} is no readable causal model: {error}") from error
    model.requires_grad_(False)
    if quantization is not None:
        quantize_layers(model, double_quantization=double_quantization, device=device)
    return LoadedModel(model.to(device).eval(), tokenizer, entry)
