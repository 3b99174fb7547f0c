"""Optimizer, learning-rate schedule, clipping."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch

from reactor_core.errors import NonFiniteLoss

__all__ = ["build_optimizer", "clip_gradients", "learning_rate_factor"]


def learning_rate_factor(schedule: str, progress: float, *, warmup: float, increment: float) -> float:
    """Factor on the peak learning rate.

    Args:
        schedule: ``constant``, ``linear`` or ``cosine``.
        progress: Share of the run that is behind, in ``[0, 1]``.
        warmup: Share of the run in which the factor rises linearly.
        increment: Share of the run that this step is expected to take, so that the first step does not train at 0.
    """
    if progress < warmup:
        return min(1.0, (progress + increment) / warmup)
    rest = min(1.0, (progress - warmup) / (1 - warmup))
    if schedule == "linear":
        return 1 - rest
    if schedule == "cosine":
        return 0.5 * (1 + math.cos(math.pi * rest))
    return 1.0


def build_optimizer(
    parameters: Iterable[torch.nn.Parameter], *, learning_rate: float, weight_decay: float, beta2: float
) -> torch.optim.AdamW:
    """AdamW (https://arxiv.org/abs/1711.05101) with decay on matrices only, in one fused pass."""
    matrices: list[torch.nn.Parameter] = []
    vectors: list[torch.nn.Parameter] = []
    for parameter in parameters:
        (matrices if parameter.ndim >= 2 else vectors).append(parameter)
    groups = [{"params": matrices, "weight_decay": weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW(
        [group for group in groups if group["params"]], lr=learning_rate, betas=(0.9, beta2), eps=1e-8, fused=True
    )


def clip_gradients(parameters: list[torch.nn.Parameter], max_norm: float | None, *, loss: float, step: int) -> float:
    """Scale gradients to ``max_norm`` and return their norm before that.

    Raises:
        NonFiniteLoss: Loss or gradient is not finite; nothing has been changed.
    """
    grads = [parameter.grad for parameter in parameters if parameter.grad is not None]
    norm = float(torch.nn.utils.get_total_norm(grads))
    if not (math.isfinite(loss) and math.isfinite(norm)):
        raise NonFiniteLoss(
            f"step {step}: loss {loss}, gradient norm {norm}; the optimizer has not moved",
            remedy="lower learning_rate, or look at the rows of this step; the last checkpoint is intact",
        )
    if max_norm is not None and norm > max_norm:
        torch._foreach_mul_(grads, max_norm / norm)
    return norm
