"""Forward and backward of one optimizer step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn.functional import cross_entropy

from reactor_core.data.packing import Document, PackedBatch, micro_batches, pack
from reactor_core.errors import ConfigError
from reactor_core.training.losses import completion_cross_entropy, head_is_plain

__all__ = ["accumulate", "batch_loss", "recompute_activations"]


def recompute_activations(model: Any) -> None:
    """Keep one activation per layer and compute the others again in the backward pass, from here on."""
    # transformers renamed the method in 5.2x; the old name warns there.
    if hasattr(model, "activation_checkpointing_enable"):
        model.activation_checkpointing_enable(activation_checkpointing_kwargs={"use_reentrant": False})
    else:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})


def batch_loss(model: Any, batch: PackedBatch) -> torch.Tensor:
    """Sum of the cross-entropies of a packed batch, in nats.

    The head sees only the positions whose next token carries loss.

    Raises:
        ConfigError: The model does not hand the documents' layout to its attention.
    """
    inputs = {
        "input_ids": batch.input_ids[None],
        "position_ids": batch.position_ids[None],
        "use_cache": False,
        "document_layout": batch.layout,
    }
    before = batch.layout.uses
    if head_is_plain(model):
        hidden = model.base_model(**inputs).last_hidden_state[0]
        weight = model.get_output_embeddings().weight
        loss = completion_cross_entropy(hidden.index_select(0, batch.predict), weight, batch.targets)
    else:
        # logits_to_keep lets the model apply its own soft-capping or scaling after the head.
        logits = model(**inputs, logits_to_keep=batch.predict).logits[0]
        loss = cross_entropy(logits, batch.targets, reduction="sum")
    if batch.layout.uses == before:
        raise ConfigError(
            f"{type(model).__name__} does not pass options on to its attention, so documents would see each other",
            remedy="use a model that supports transformers' attention interface",
        )
    return loss


def accumulate(
    model: Any,
    documents: Sequence[Document],
    *,
    max_tokens: int,
    share_prefixes: bool,
    device: torch.device | str = "cpu",
    seed: int = 0,
) -> tuple[float, int, int]:
    """Add the gradient of the mean loss over all completion tokens of one step to the parameters.

    Dividing by the step's number of completion tokens, not each part's, makes the gradient independent of how the rows
    are split into parts.

    Args:
        model: In training mode, parameters with or without gradients.
        documents: The rows of the step.
        max_tokens: Packed tokens in one forward pass.
        share_prefixes: See :func:`~reactor_core.data.packing.pack`.
        device: Where the model is.
        seed: Of dropout; each part continues from it.

    Returns:
        Mean loss in nats a token, number of completion tokens, number of tokens that were really computed.
    """
    trained = sum(document.num_trained for document in documents)
    total, computed = 0.0, 0
    for number, part in enumerate(micro_batches(documents, max_tokens=max_tokens, share_prefixes=share_prefixes)):
        batch = pack(part, share_prefixes=share_prefixes).to(device)
        if not share_prefixes:
            torch.manual_seed((seed + number) % 2**63)
        loss = batch_loss(model, batch) / trained
        torch.autograd.backward(loss)
        total += float(loss.detach())
        computed += len(batch.input_ids)
    return total, trained, computed
