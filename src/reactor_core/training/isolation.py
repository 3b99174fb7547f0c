"""Whether a model computes packed documents as it computes each of them alone.

Attention can be kept inside documents; a recurrent or convolving layer (state-space hybrids such as Falcon-H1 or
Qwen3-Next) reads the packed row as one text, and a model with positions of its own counting counts through it. Neither
shows in a loss curve, so every model off the fast path is asked once, before it is trained.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from reactor_core.data.packing import Document, pack
from reactor_core.errors import ConfigError
from reactor_core.training.step import batch_log_probs

__all__ = ["require_isolation"]

_PROBE = 32
"""Tokens of a document that are looked at."""

_TOLERANCE = 1e-3
"""Of log-probabilities, absolute and relative; float32 sums in another order differ by 1e-5, cross-talk by 1e-2."""


def require_isolation(model: Any, documents: Sequence[Document]) -> None:
    """Compare the first and the last document packed into one row with each alone through the model's own forward.

    Args:
        model: A ``transformers`` causal model whose attention is
            :data:`~reactor_core.models.attention.DOCUMENT_ATTENTION`.
        documents: At least one.

    Raises:
        ConfigError: They differ, or the model has no hidden states apart from its head.
    """
    name = type(model).__name__
    if model.base_model is model:
        raise ConfigError(
            f"{name} does not give its hidden states apart from its head", remedy="use another model of its family"
        )
    probes = [_probe(document) for document in (documents[0], documents[-1])]
    training = model.training
    model.eval()
    try:
        with torch.no_grad():
            packed = batch_log_probs(model, pack(probes, share_prefixes=False).to(model.device))
            alone = torch.cat([_alone(model, probe) for probe in probes])
    finally:
        model.train(training)
    if not torch.allclose(packed, alone, rtol=_TOLERANCE, atol=_TOLERANCE):
        raise ConfigError(
            f"{name} computes packed documents otherwise than each of them alone (log-probabilities differ by up to "
            f"{float((packed - alone).abs().max()):.1e}), so documents would see each other",
            remedy="use a model whose layers mix tokens by attention alone",
        )


def _probe(document: Document) -> Document:
    """The beginning of a document, with every token trained that can be."""
    ids = document.ids[:_PROBE]
    return Document(ids, (False, *[True] * (len(ids) - 1)), document.row)


def _alone(model: Any, document: Document) -> torch.Tensor:
    """Log-probabilities by one plain call, ``[L - 1]``."""
    ids = torch.tensor([document.ids], device=model.device)
    logits = model(input_ids=ids, use_cache=False).logits[0, :-1]
    chosen: torch.Tensor = logits.log_softmax(dim=-1).gather(1, ids[0, 1:, None])[:, 0]
    return chosen
