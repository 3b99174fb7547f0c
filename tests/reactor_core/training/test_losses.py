from __future__ import annotations

import pytest
import torch

from reactor_core.training.losses import completion_cross_entropy, token_log_probs


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


def test_log_probabilities_and_their_gradients_are_those_of_log_softmax() -> None:
    draw = torch.Generator().manual_seed(2)
    hidden = torch.randn(300, 7, generator=draw, requires_grad=True)  # more than two tiles
    weight = torch.randn(11, 7, generator=draw, requires_grad=True)
    targets = torch.randint(11, (300,), generator=draw)
    scale = torch.randn(300, generator=draw)
    expected = torch.log_softmax(hidden @ weight.t(), dim=1).gather(1, targets[:, None])[:, 0]
    expected_grads = torch.autograd.grad((expected * scale).sum(), (hidden, weight))
    found = token_log_probs(hidden, weight, targets)
    grads = torch.autograd.grad((found * scale).sum(), (hidden, weight))
    torch.testing.assert_close(found, expected)
    for grad, expected_grad in zip(grads, expected_grads, strict=True):
        torch.testing.assert_close(grad, expected_grad, rtol=1e-4, atol=1e-5)
