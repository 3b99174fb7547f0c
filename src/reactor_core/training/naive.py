"""The loss of a step the plain way: one document at a time, by the model's own forward pass.

Nothing here is shared with the trained path but the model's weights and the function of a preference's margin: no
packing, no layout, no fused passes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from torch.nn.functional import cross_entropy, linear

from reactor_core.data.packing import Document
from reactor_core.data.pairs import Pair
from reactor_core.training.config import TrainingConfig
from reactor_core.training.lora import LoraLinear, adapter_off, lora_modules
from reactor_core.training.preference import pair_losses

__all__ = ["naive_loss", "naive_references", "own_attention"]


def naive_references(model: Any, pairs: Sequence[Pair], config: TrainingConfig) -> list[tuple[float, float]]:
    """Log-probabilities of both answers of each pair under the reference, in nats.

    That is the model without its adapter; without an adapter, or where training goes on from one, the model as the
    run starts, so ask before the first step.
    """
    before = adapter_off(model) if config.adapter is None else nullcontext()
    with torch.no_grad(), _plainly(model), before:
        return [(float(_log_prob(model, pair.chosen)), float(_log_prob(model, pair.rejected))) for pair in pairs]


def naive_loss(
    model: Any,
    examples: Sequence[Document | Pair],
    config: TrainingConfig,
    references: Sequence[tuple[float, float]] = (),
) -> float:
    """The loss of a step, computed one document at a time; its gradient is added to the parameters.

    Args:
        model: In evaluation mode.
        examples: Documents (their mean over the trained tokens) or pairs (their mean).
        config: ``dpo_*`` of it.
        references: Of the pairs (:func:`naive_references`).
    """
    total = 0.0
    with _plainly(model):
        trained = sum(one.num_trained for one in examples if isinstance(one, Document))
        for place, one in enumerate(examples):
            if isinstance(one, Document):
                loss = -_log_prob(model, one) / trained
            else:
                loss = _pair_loss(model, one, references[place], config) / len(examples)
            torch.autograd.backward(loss)
            total += float(loss.detach())
    return total


def _log_prob(model: Any, document: Document) -> torch.Tensor:
    """Sum over the trained tokens, in nats."""
    ids = torch.tensor([document.ids], device=model.device)
    trained = torch.tensor(document.trained, device=model.device)[1:]
    logits = model(input_ids=ids, use_cache=False).logits[0, :-1]
    # In float64: over 49,152 words torch's float32 log-softmax is off by 2e-5 nats a token, always to the same side,
    # which is more than the trained path is.
    return -cross_entropy(logits[trained].double(), ids[0, 1:][trained], reduction="sum")


def _pair_loss(model: Any, pair: Pair, reference: tuple[float, float], config: TrainingConfig) -> torch.Tensor:
    ratios = [_log_prob(model, document) - fixed for document, fixed in zip(pair.documents, reference, strict=True)]
    lengths = torch.tensor([[document.num_trained for document in pair.documents]], device=model.device)
    return pair_losses(
        ratios[0][None],
        ratios[1][None],
        lengths,
        kind=config.dpo_loss,
        beta=config.dpo_beta,
        label_smoothing=config.dpo_label_smoothing,
    ).sum()


def own_attention(model: Any) -> str:
    """SDPA, or eager where the model caps its attention logits, which its SDPA leaves out."""
    return "eager" if getattr(model.config, "attn_logit_softcapping", None) else "sdpa"


@contextmanager
def _plainly(model: Any) -> Iterator[None]:
    """Inside the block the model uses its own attention and adapted layers plain products."""

    def forward_of(module: LoraLinear) -> Any:
        def forward(x: torch.Tensor) -> torch.Tensor:
            out: torch.Tensor = module.base(x)
            if module.switched_off:
                return out
            return out + module.scale * linear(linear(x, module.lora_A), module.lora_B)

        return forward

    before = model.config._attn_implementation  # noqa: SLF001  transformers has no public reader
    modules = [module for _, module in lora_modules(model)]
    for module in modules:
        module.forward = forward_of(module)  # type: ignore[method-assign]
    model.set_attn_implementation(own_attention(model))
    try:
        yield
    finally:
        model.set_attn_implementation(before)
        for module in modules:
            del module.forward
