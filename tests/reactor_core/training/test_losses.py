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


@pytest.mark.parametrize(("count", "words"), [(1, 7), (600, 50), (20, 9000)])  # one tile, more rows, more words
def test_a_frozen_head_gives_the_log_probabilities_and_gradients_of_log_softmax(count: int, words: int) -> None:
    draw = torch.Generator().manual_seed(count)
    hidden = 3 * torch.randn(count, 6, generator=draw, dtype=torch.float64)
    hidden.requires_grad_()
    weight = torch.randn(words, 6, generator=draw, dtype=torch.float64)
    targets = torch.randint(words, (count,), generator=draw)
    scale = torch.randn(count, generator=draw, dtype=torch.float64)
    expected = torch.log_softmax(hidden @ weight.t(), dim=1).gather(1, targets[:, None])[:, 0]
    found = token_log_probs(hidden, weight, targets)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(
        torch.autograd.grad((found * scale).sum(), hidden), torch.autograd.grad((expected * scale).sum(), hidden)
    )
    with torch.no_grad():
        assert torch.equal(token_log_probs(hidden, weight, targets), found)
    torch.testing.assert_close(completion_cross_entropy(hidden, weight, targets), -expected.sum())


def test_improbable_words_and_very_high_logits_lose_nothing() -> None:
    """exp(800) is no number, and neither is log(exp(-800))."""
    hidden = torch.tensor([[400.0]], requires_grad=True)
    weight = torch.tensor([[1.0], [-1.0]])
    found = token_log_probs(hidden, weight, torch.tensor([1]))
    assert found.tolist() == [-800.0]
    assert torch.autograd.grad(found, hidden)[0].tolist() == [[-2.0]]


def test_what_is_not_finite_is_not_hidden() -> None:
    hidden = torch.tensor([[float("nan")], [1.0]], requires_grad=True)
    found = token_log_probs(hidden, torch.tensor([[1.0], [-1.0]]), torch.tensor([1, 0]))
    assert found.isnan().tolist() == [True, False]
