"""Log-probabilities and cross-entropy of completion tokens, with the gradient formed in the forward pass.

Shapes: K predicted tokens, C hidden width, V vocabulary.
"""

from __future__ import annotations

from typing import Any

import torch

__all__ = ["completion_cross_entropy", "head_is_plain", "token_log_probs"]

_CHUNK = 128
"""Tokens per tile where the head itself is trained; 128 rows of a 49,152-word vocabulary are 25 MB in float32."""

_ROWS, _WORDS = 512, 4096
"""Tokens and words per tile of a frozen head: 8 MB in float32, which stay in the processor's cache."""

# Attributes by which model families of transformers change the logits after the head.
_LOGIT_CHANGES = ("final_logit_softcapping", "logit_scale", "logits_scaling", "lm_head_multiplier")


class _FrozenHead(torch.autograd.Function):
    """Log-probabilities of targets under ``softmax(hidden W^T)`` for a W that is not trained.

    The gradient of each is ``W[target] - softmax W``, whatever it is multiplied with later, so it is formed in the
    forward pass and no logits are computed twice. As in flash attention (https://arxiv.org/abs/2205.14135), with words
    for keys and for values, the softmax is never whole: tile by tile, sums are kept relative to the highest logit.
    """

    @staticmethod
    def forward(ctx: Any, hidden: torch.Tensor, weight: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        grad_hidden = torch.empty_like(hidden) if ctx.needs_input_grad[0] else None
        log_probs = hidden.new_empty(len(hidden))
        for start in range(0, len(hidden), _ROWS):
            rows = hidden[start : start + _ROWS]
            own = weight.index_select(0, targets[start : start + _ROWS])
            highest = rows.new_full((len(rows), 1), float("-inf"))
            total = rows.new_zeros(len(rows), 1)
            words = None if grad_hidden is None else torch.zeros_like(rows)  # sum of exp(logit - highest) W
            for left in range(0, len(weight), _WORDS):
                part = weight[left : left + _WORDS]
                tile = rows @ part.t()
                higher = torch.maximum(highest, tile.amax(dim=1, keepdim=True))
                shrink = (highest - higher).exp_()
                tile.sub_(higher).exp_()
                total.mul_(shrink).add_(tile.sum(dim=1, keepdim=True))
                if words is not None:
                    words.mul_(shrink).addmm_(tile, part)
                highest = higher
            log_probs[start : start + _ROWS] = torch.linalg.vecdot(rows, own) - (highest + total.log())[:, 0]
            if grad_hidden is not None and words is not None:
                torch.sub(own, words.div_(total), out=grad_hidden[start : start + _ROWS])
        ctx.save_for_backward(grad_hidden)
        return log_probs

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        (grad_hidden,) = ctx.saved_tensors
        return grad_hidden * grads[0][:, None], None, None


class _HeadCrossEntropy(torch.autograd.Function):
    """Sum of cross-entropies of ``hidden W^T`` against targets, for a W that is trained.

    Since the loss is a sum, its gradient is known as soon as the logits are: ``(softmax - onehot) W``. It is formed
    tile by tile in the forward pass, so that no logits live until the backward pass and none are computed twice.
    """

    @staticmethod
    def forward(ctx: Any, hidden: torch.Tensor, weight: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        grad_hidden = torch.empty_like(hidden) if ctx.needs_input_grad[0] else None
        grad_weight = torch.zeros_like(weight) if ctx.needs_input_grad[1] else None
        total = hidden.new_zeros(())
        for start in range(0, len(hidden), _CHUNK):
            rows = hidden[start : start + _CHUNK]
            target = targets[start : start + _CHUNK]
            logits = rows @ weight.t()
            log_norm = logits.logsumexp(dim=1)
            total += (log_norm - logits.gather(1, target[:, None])[:, 0]).sum()
            if not any(ctx.needs_input_grad):
                continue
            probabilities = logits.sub_(log_norm[:, None]).exp_()
            probabilities[torch.arange(len(rows), device=rows.device), target] -= 1
            if grad_hidden is not None:
                torch.mm(probabilities, weight, out=grad_hidden[start : start + _CHUNK])
            if grad_weight is not None:
                grad_weight.addmm_(probabilities.t(), rows)
        ctx.save_for_backward(grad_hidden, grad_weight)
        return total

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor | None, torch.Tensor | None, None]:
        grad_hidden, grad_weight = ctx.saved_tensors
        scale = grads[0]
        return (
            None if grad_hidden is None else grad_hidden * scale,
            None if grad_weight is None else grad_weight * scale,
            None,
        )


def head_is_plain(model: Any) -> bool:
    """Whether the logits are ``hidden W^T`` and nothing else."""
    head = model.get_output_embeddings()
    changed = any(getattr(model.config, name, None) not in (None, 1, 1.0) for name in _LOGIT_CHANGES)
    return isinstance(head, torch.nn.Linear) and getattr(head, "bias", None) is None and not changed


def completion_cross_entropy(hidden: torch.Tensor, weight: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Sum of the cross-entropies of the next tokens.

    Args:
        hidden: ``[K, C]`` final hidden states at the predicting positions.
        weight: ``[V, C]`` of the head, without bias.
        targets: ``[K]`` next tokens.

    Returns:
        A scalar in nats, differentiable in ``hidden`` and ``weight``.
    """
    if not weight.requires_grad:
        return -token_log_probs(hidden, weight, targets).sum()
    total: torch.Tensor = _HeadCrossEntropy.apply(hidden, weight, targets)  # type: ignore[no-untyped-call]
    return total


class _HeadLogProbs(torch.autograd.Function):
    """Log-probabilities of targets under ``softmax(hidden W^T)``, for a W that is trained.

    What each token's gradient is multiplied with depends on all of them (a preference loss looks at whole answers), so
    the logits are formed again in the backward pass, tile by tile, instead of being kept.
    """

    @staticmethod
    def forward(ctx: Any, hidden: torch.Tensor, weight: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        log_probs, log_norms = hidden.new_empty(len(hidden)), hidden.new_empty(len(hidden))
        for start in range(0, len(hidden), _CHUNK):
            rows = slice(start, start + _CHUNK)
            logits = hidden[rows] @ weight.t()
            log_norms[rows] = logits.logsumexp(dim=1)
            log_probs[rows] = logits.gather(1, targets[rows, None])[:, 0] - log_norms[rows]
        ctx.save_for_backward(hidden, weight, targets, log_norms)
        return log_probs

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor | None, torch.Tensor | None, None]:
        hidden, weight, targets, log_norms = ctx.saved_tensors
        grad_hidden = torch.empty_like(hidden) if ctx.needs_input_grad[0] else None
        grad_weight = torch.zeros_like(weight) if ctx.needs_input_grad[1] else None
        for start in range(0, len(hidden), _CHUNK):
            rows = slice(start, start + _CHUNK)
            grad = grads[0][rows, None]
            # d log p(target) / d logits = onehot - softmax
            logits = (hidden[rows] @ weight.t()).sub_(log_norms[rows, None]).exp_().mul_(-grad)
            logits.scatter_add_(1, targets[rows, None], grad)
            if grad_hidden is not None:
                torch.mm(logits, weight, out=grad_hidden[rows])
            if grad_weight is not None:
                grad_weight.addmm_(logits.t(), hidden[rows])
        return grad_hidden, grad_weight, None


def token_log_probs(hidden: torch.Tensor, weight: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Log-probabilities of the next tokens.

    Args:
        hidden: ``[K, C]`` final hidden states at the predicting positions.
        weight: ``[V, C]`` of the head, without bias.
        targets: ``[K]`` next tokens.

    Returns:
        ``[K]`` in nats, differentiable in ``hidden`` and ``weight``; no logits are kept.
    """
    head = _HeadLogProbs if weight.requires_grad else _FrozenHead
    log_probs: torch.Tensor = head.apply(hidden, weight, targets)  # type: ignore[no-untyped-call]
    return log_probs
