from __future__ import annotations

import pytest
import torch

from reactor_core.training.losses import completion_cross_entropy


@pytest.mark.parametrize("count", [1, 127, 128, 300])
def test_loss_and_gradients_equal_torchs_own(count: int) -> None:
    generator = torch.Generator().manual_seed(count)
    hidden = torch.randn(count, 16, generator=generator, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(50, 16, generator=generator, dtype=torch.float64, requires_grad=True)
    targets = torch.randint(50, (count,), generator=generator)
    ours = completion_cross_entropy(hidden, weight, targets) / 3
    reference = torch.nn.functional.cross_entropy(hidden @ weight.t(), targets, reduction="sum") / 3
    assert torch.allclose(ours, reference)
    for mine, theirs in zip(
        torch.autograd.grad(ours, (hidden, weight)), torch.autograd.grad(reference, (hidden, weight)), strict=True
    ):
        assert torch.allclose(mine, theirs)


def test_a_frozen_head_gets_no_gradient() -> None:
    hidden = torch.randn(4, 8, requires_grad=True)
    weight = torch.randn(10, 8)
    completion_cross_entropy(hidden, weight, torch.arange(4)).backward()
    assert weight.grad is None
    assert hidden.grad is not None
