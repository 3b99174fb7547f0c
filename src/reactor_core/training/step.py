"""Forward and backward of one optimizer step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch.nn.functional import cross_entropy

from reactor_core.data.packing import Document, PackedBatch, micro_batches, pack
from reactor_core.errors import ConfigError
from reactor_core.models.rules import packed_call
from reactor_core.training.llama import FastLlama
from reactor_core.training.losses import completion_cross_entropy, head_is_plain, token_log_probs
from reactor_core.training.meter import Meter, Totals, compute_parts

__all__ = [
    "INSIDE",
    "accumulate",
    "agrees",
    "batch_log_probs",
    "batch_loss",
    "drops_at_random",
    "predicting_states",
    "recompute_activations",
]

INSIDE = "reactor_inside"
"""Method of a model whose weights are shared out among processes: calls what it is given while they are whole."""


def recompute_activations(model: Any) -> None:
    """Keep one activation per layer and compute the others again in the backward pass, from here on."""
    # transformers renamed the method in 5.2x; the old name warns there.
    if hasattr(model, "activation_checkpointing_enable"):
        model.activation_checkpointing_enable(activation_checkpointing_kwargs={"use_reentrant": False})
    else:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})


def predicting_states(model: Any, batch: PackedBatch, fast: FastLlama | None = None) -> torch.Tensor:
    """Final hidden states at the positions whose next token counts, ``[K, C]``.

    Args:
        model: A ``transformers`` causal model.
        batch: Packed documents.
        fast: Computes the same from the same weights, where the model has such a form.

    Raises:
        ConfigError: The model does not hand the documents' layout to its attention.
    """
    if fast is not None:
        return fast.hidden(batch)
    with _documents_seen(model, batch):
        hidden: torch.Tensor = model.base_model(**_inputs(batch)).last_hidden_state[0]
    return hidden.index_select(0, batch.predict)


def batch_loss(model: Any, batch: PackedBatch, fast: FastLlama | None = None) -> torch.Tensor:
    """Sum of the cross-entropies of a packed batch, in nats.

    The head sees only the positions whose next token carries loss.

    Raises:
        ConfigError: The model does not hand the documents' layout to its attention.
    """

    def loss() -> torch.Tensor:
        if head_is_plain(model):
            weight = model.get_output_embeddings().weight
            return completion_cross_entropy(predicting_states(model, batch, fast), weight, batch.targets)
        return cross_entropy(_logits(model, batch), batch.targets, reduction="sum")

    return _with_whole_weights(model, loss)


def batch_log_probs(model: Any, batch: PackedBatch, fast: FastLlama | None = None) -> torch.Tensor:
    """Log-probabilities of the trained tokens of a packed batch, ``[K]``, in nats.

    Raises:
        ConfigError: The model does not hand the documents' layout to its attention.
    """

    def log_probs() -> torch.Tensor:
        if head_is_plain(model):
            weight = model.get_output_embeddings().weight
            return token_log_probs(predicting_states(model, batch, fast), weight, batch.targets)
        return -cross_entropy(_logits(model, batch), batch.targets, reduction="none")

    return _with_whole_weights(model, log_probs)


def _with_whole_weights(model: Any, work: Callable[[], torch.Tensor]) -> torch.Tensor:
    made: torch.Tensor = work() if not hasattr(model, INSIDE) else getattr(model, INSIDE)(work)
    return made


def _logits(model: Any, batch: PackedBatch) -> torch.Tensor:
    """At the predicting positions, ``[K, V]``; the model applies its own soft-capping or scaling after the head."""
    with _documents_seen(model, batch):
        logits: torch.Tensor = model(**_inputs(batch), logits_to_keep=batch.predict).logits[0]
    return logits


def _inputs(batch: PackedBatch) -> dict[str, Any]:
    return {
        "input_ids": batch.input_ids[None],
        "position_ids": batch.position_ids[None],
        "use_cache": False,
        "document_layout": batch.layout,
    }


@contextmanager
def _documents_seen(model: Any, batch: PackedBatch) -> Iterator[None]:
    """Check that attention really ran inside the documents."""
    before = batch.layout.uses
    with packed_call():
        yield
    if batch.layout.uses == before:
        raise ConfigError(
            f"{type(model).__name__} does not pass options on to its attention, so documents would see each other",
            remedy="use a model that supports transformers' attention interface",
        )


def accumulate(
    model: Any,
    documents: Sequence[Document],
    *,
    max_tokens: int,
    share_prefixes: bool,
    fast: FastLlama | None = None,
    device: torch.device | str = "cpu",
    seed: int = 0,
    meter: Meter | None = None,
    among: int = 1,
) -> tuple[float, int, int]:
    """Add the gradient of the mean loss over all completion tokens of one step to the parameters.

    Dividing by the step's number of completion tokens, not each part's, makes the gradient independent of how the rows
    are split into parts.

    Args:
        model: In training mode, parameters with or without gradients.
        documents: The rows of the step.
        max_tokens: Packed tokens in one forward pass.
        share_prefixes: See :func:`~reactor_core.data.packing.pack`.
        fast: The model's fast form, if it has one.
        device: Where the model is.
        seed: Of dropout; each part continues from it.
        meter: Goes along with the parts; None computes all of them.
        among: Processes that take the parts in turns (:func:`~reactor_core.data.packing.split_evenly`).

    Returns:
        Mean loss in nats a token, number of completion tokens, number of tokens that were really computed.
    """
    trained = sum(document.num_trained for document in documents)
    parts = micro_batches(documents, max_tokens=max_tokens, share_prefixes=share_prefixes, among=among)

    def compute(number: int, _totals: Totals) -> tuple[torch.Tensor, int]:
        batch = pack(parts[number], share_prefixes=share_prefixes).to(device)
        if not share_prefixes:
            torch.manual_seed((seed + number) % 2**63)
        return batch_loss(model, batch, fast) / trained, len(batch.input_ids)

    totals = compute_parts(len(parts), compute, rows=lambda: _rows(parts), totals=Totals(), meter=meter)
    return totals.loss, trained, totals.computed


def _rows(parts: Sequence[Sequence[Document]]) -> Iterator[list[int]]:
    return ([document.row for document in part] for part in parts)


def agrees(
    model: Any, fast: FastLlama, documents: Sequence[Document], *, tolerance: float = 1e-3
) -> tuple[bool, float, float]:
    """Whether the fast form gives the loss and the gradients of the generic path on these documents.

    Args:
        model: With trainable additions; their gradients are cleared.
        fast: Its fast form.
        documents: A few short ones do.
        tolerance: Largest relative difference; float32 sums in another order differ by 1e-5.

    Returns:
        The verdict, the relative difference of the loss, and of the gradients (against the largest gradient).
    """
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    batch = pack(documents).to(model.device)
    losses, grads = [], []
    for form in (None, fast):
        loss = batch_loss(model, batch, form)
        grads.append(torch.autograd.grad(loss, parameters))
        losses.append(float(loss.detach()))
    by_loss = abs(losses[0] - losses[1]) / max(abs(losses[0]), 1e-12)
    largest = max(float(grad.abs().max()) for grad in grads[0])
    apart = max(float((a - b).abs().max()) for a, b in zip(*grads, strict=True))
    by_grad = apart / max(largest, 1e-12)
    return by_loss <= tolerance and by_grad <= tolerance, by_loss, by_grad


def drops_at_random(model: torch.nn.Module) -> bool:
    """Whether any layer drops anything at random while training."""
    config = getattr(model, "config", None)
    named = ("attention_dropout", "attn_pdrop", "hidden_dropout", "resid_pdrop", "embd_pdrop")
    if any(getattr(config, name, None) for name in named):
        return True
    modules = model.modules()
    return any(
        (isinstance(module, torch.nn.Dropout) and module.p > 0) or getattr(module, "dropout_p", 0) for module in modules
    )
