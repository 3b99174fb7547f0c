from __future__ import annotations

import math

import pytest
import torch

from reactor_core.errors import NonFiniteLoss
from reactor_core.training.optim import build_optimizer, clip_gradients, learning_rate_factor


def test_the_rate_rises_over_the_warm_up_and_starts_above_zero() -> None:
    factors = [learning_rate_factor("linear", step / 10, warmup=0.4, increment=0.1) for step in range(4)]
    assert factors == pytest.approx([0.25, 0.5, 0.75, 1.0])


@pytest.mark.parametrize(
    ("schedule", "expected"), [("constant", 1.0), ("linear", 0.5), ("cosine", 0.5 * (1 + math.cos(math.pi / 2)))]
)
def test_half_way_after_the_warm_up(schedule: str, expected: float) -> None:
    assert learning_rate_factor(schedule, 0.6, warmup=0.2, increment=0.1) == pytest.approx(expected)


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
def test_the_rate_ends_at_zero(schedule: str) -> None:
    assert learning_rate_factor(schedule, 1.0, warmup=0.1, increment=0.1) == pytest.approx(0, abs=1e-12)


def test_gradients_are_scaled_to_the_limit() -> None:
    parameter = torch.nn.Parameter(torch.zeros(2))
    parameter.grad = torch.tensor([3.0, 4.0])
    assert clip_gradients([parameter], 1.0, loss=0.5, step=1) == pytest.approx(5.0)
    assert parameter.grad.tolist() == pytest.approx([0.6, 0.8])


@pytest.mark.parametrize(("loss", "grad"), [(math.nan, 1.0), (1.0, math.inf), (math.inf, 1.0), (1.0, math.nan)])
def test_a_broken_loss_or_gradient_stops_before_the_optimizer_moves(loss: float, grad: float) -> None:
    parameter = torch.nn.Parameter(torch.ones(1))
    parameter.grad = torch.tensor([grad])
    with pytest.raises(NonFiniteLoss, match="step 7"):
        clip_gradients([parameter], 1.0, loss=loss, step=7)
    assert parameter.item() == 1.0


def test_only_matrices_decay() -> None:
    matrix, vector = torch.nn.Parameter(torch.ones(2, 2)), torch.nn.Parameter(torch.ones(2))
    optimizer = build_optimizer([vector, matrix], learning_rate=0.1, weight_decay=0.5, beta2=0.99)
    for parameter in (matrix, vector):
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    assert torch.allclose(matrix, torch.full((2, 2), 1 - 0.1 * 0.5))
    assert torch.equal(vector, torch.ones(2))
