"""A model and its tokenizer in memory, in float32."""

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

from reactor_core.errors import ArtifactCorrupt
from reactor_core.models.attention import DOCUMENT_ATTENTION
from reactor_core.models.entry import ModelEntry

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


def load_model(entry: ModelEntry, *, device: torch.device | str = "cpu") -> LoadedModel:
    """Load weights and tokenizer.

    Args:
        entry: What :func:`~reactor_core.models.store.resolve_model` found.
        device: Where the weights go.

    Raises:
        ArtifactCorrupt: The folder cannot be read as a causal model.
    """
    tokenizer = load_tokenizer(entry.path)
    try:
        with quiet_transformers():
            model = AutoModelForCausalLM.from_pretrained(
                str(entry.path), dtype=torch.float32, attn_implementation=DOCUMENT_ATTENTION, local_files_only=True
            )
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise ArtifactCorrupt(f"{entry.path} is no readable causal model: {error}") from error
    model.requires_grad_(False)
    return LoadedModel(model.to(device).eval(), tokenizer, entry)
