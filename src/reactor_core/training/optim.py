"""Optimizer, learning-rate schedule, clipping."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Literal

import torch
from torch.distributed.tensor import DTensor

from reactor_core.errors import NonFiniteLoss
from reactor_core.training.config import TrainingConfig

__all__ = ["Schedule", "build_optimizer", "clip_gradients", "learning_rate", "learning_rate_factor"]

Schedule = Literal["constant", "linear", "cosine", "polynomial", "inverse_sqrt", "wsd"]
"""How the learning rate falls after the warm-up."""


def learning_rate_factor(
    schedule: Schedule,
    progress: float,
    *,
    warmup: float,
    increment: float,
    floor: float = 0.0,
    power: float = 1.0,
    decay: float = 0.1,
) -> float:
    """Factor on the peak learning rate.

    With p the share of the way from the end of the warm-up to the end of the run, and f the floor:

    ============ ===================================================================================================
    constant     ``1``
    linear       ``f + (1 - f) (1 - p)``
    cosine       ``f + (1 - f) (1 + cos(pi p)) / 2`` (https://arxiv.org/abs/1608.03983)
    polynomial   ``f + (1 - f) (1 - p)^power``
    inverse_sqrt ``sqrt(warmup / progress)`` (https://arxiv.org/abs/1706.03762, section 5.3)
    wsd          ``1`` up to the last ``decay`` of the run, then ``f + (1 - f) (1 - sqrt(q))`` with q the share of
                 that part which is behind (warm-up, stable, decay; https://arxiv.org/abs/2405.18392)
    ============ ===================================================================================================

    From the end of the warm-up on, the factors are those of ``transformers``' schedules of these names at the same
    step. Inside the warm-up they are one step ahead: the first step trains at ``1 / n`` of the peak where theirs has a
    rate of 0 and moves nothing.

    Args:
        schedule: As above.
        progress: Share of the run that is behind, in ``[0, 1]``.
        warmup: Share of the run in which the factor rises linearly.
        increment: Share of the run that this step is expected to take, so that the first step does not train at 0.
        floor: Factor at the end of the run; ``constant`` and ``inverse_sqrt`` have none.
        power: Of ``polynomial``.
        decay: Share of the run in which ``wsd`` falls.
    """
    if progress < warmup:
        return min(1.0, (progress + increment) / warmup)
    if schedule == "constant":
        return 1.0
    if schedule == "inverse_sqrt":
        return math.sqrt(warmup / progress) if progress else 1.0
    begin = max(warmup, 1 - decay) if schedule == "wsd" else warmup
    share = min(1.0, max(0.0, (progress - begin) / (1 - begin)))
    if schedule == "wsd":
        falling = 1 - math.sqrt(share)
    elif schedule == "cosine":
        falling = 0.5 * (1 + math.cos(math.pi * share))
    else:
        falling = (1 - share) ** (power if schedule == "polynomial" else 1.0)
    return floor + (1 - floor) * falling


def learning_rate(config: TrainingConfig, progress: float, increment: float) -> float:
    """Learning rate of the next step of a run.

    Args:
        config: Peak, schedule and the schedule's options.
        progress: Share of the run that is behind.
        increment: See :func:`learning_rate_factor`.
    """
    factor = learning_rate_factor(
        config.lr_schedule,
        progress,
        warmup=config.warmup_ratio,
        increment=increment,
        floor=config.lr_min_ratio,
        power=config.lr_power,
        decay=config.lr_decay_ratio,
    )
    return config.learning_rate * factor


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
    """Scale gradients to ``max_norm`` and return their norm before that, over all processes if they are shared out.

    As ``torch.nn.utils.clip_grad_norm_``, whose factor ``max_norm / (norm + 1e-6)`` is smaller by up to that much.

    Raises:
        NonFiniteLoss: Loss or gradient is not finite; nothing has been changed.
    """
    grads = [parameter.grad for parameter in parameters if parameter.grad is not None]
    total = torch.nn.utils.get_total_norm(grads)
    norm = float(total.full_tensor() if isinstance(total, DTensor) else total)
    if not (math.isfinite(loss) and math.isfinite(norm)):
        raise NonFiniteLoss(
            f"step {step}: loss {loss}, gradient norm {norm}; the optimizer has not moved",
            remedy="lower learning_rate, or look at the rows of this step; the last checkpoint is intact",
        )
    if max_norm is not None and norm > max_norm:
        torch._foreach_mul_(grads, max_norm / norm)
    return norm
