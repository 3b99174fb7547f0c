"""A loaded model made ready to be trained: what moves, what moves it, and the form in which it is computed."""

from __future__ import annotations

import heapq
import warnings
from collections.abc import Sequence
from typing import Any

import torch

from reactor_core.data.packing import Document
from reactor_core.training.config import TrainingConfig
from reactor_core.training.llama import FastLlama, why_not_fast
from reactor_core.training.lora import inject_lora
from reactor_core.training.optim import build_optimizer
from reactor_core.training.peft_format import fill_adapter
from reactor_core.training.start import Start
from reactor_core.training.step import INSIDE, agrees, recompute_activations

__all__ = ["adapt", "fast_form", "prepare"]


def adapt(model: Any, config: TrainingConfig) -> None:
    """Decide what of a model is trained, in place, and put it into training mode.

    Args:
        model: As loaded, or a sketch of it without weights.
        config: Of the run.

    Raises:
        ConfigError: A target names no layer.
    """
    if config.use_lora:
        inject_lora(
            model,
            rank=config.lora_rank,
            alpha=config.lora_alpha,
            dropout_p=config.lora_dropout,
            target_modules=config.target_modules,
            layers=config.layers,
            rslora=config.use_rslora,
            bias=config.lora_bias,
            seed=config.seed,
        )
    else:
        model.requires_grad_(True)
    model.train()
    if config.gradient_checkpointing:
        recompute_activations(model)


def prepare(
    model: Any, config: TrainingConfig, start: Start | None
) -> tuple[dict[str, torch.nn.Parameter], torch.optim.Optimizer]:
    """Put the additions on the model, in place, and make the optimizer.

    Args:
        model: As loaded.
        config: Of the run.
        start: The adapter that the run starts from, or None.

    Returns:
        The trained tensors by name, in the optimizer's order (it groups matrices before vectors), and the optimizer.

    Raises:
        ConfigError: A target names no layer.
        ArtifactCorrupt: The adapter does not fit the model.
    """
    adapt(model, config)
    if start is not None:
        fill_adapter(model, start.folder)
    names = {id(value): name for name, value in model.named_parameters() if value.requires_grad}
    optimizer = build_optimizer(
        [value for value in model.parameters() if value.requires_grad],
        learning_rate=config.learning_rate,
        weight_decay=config.weight_decay,
        beta2=config.adam_beta2,
    )
    ordered = [value for group in optimizer.param_groups for value in group["params"]]
    return {names[id(value)]: value for value in ordered}, optimizer


def fast_form(model: Any, documents: Sequence[Document], config: TrainingConfig) -> FastLlama | None:
    """The model's fast form, if it has one and gives the same loss and gradients on the two shortest documents.

    A form that does not is said in a warning. It reads the weights directly, so a model whose weights are shared out
    among processes has none.
    """
    if config.gradient_checkpointing or hasattr(model, INSIDE) or why_not_fast(model) is not None:
        return None
    fast = FastLlama(model)
    shortest = heapq.nsmallest(2, documents, key=lambda document: len(document.ids))
    same, by_loss, by_grad = agrees(model, fast, shortest)
    if not same:
        warnings.warn(
            f"the fast path differs from the generic one (loss by {by_loss:.1e}, gradients by {by_grad:.1e}); "
            "training on the generic one, which is slower",
            stacklevel=2,
        )
    return fast if same else None
