from __future__ import annotations

import pytest
import torch

from reactor_core.models.rules import causal_attention, ordinary_attention, ordinary_mask, packed_call


def written_out(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, scale: float, window: int | None, softcap: float | None
) -> torch.Tensor:
    """Query by query, over the keys that it may see."""
    out = torch.zeros_like(q)
    for place in range(q.shape[2]):
        first = 0 if window is None else max(0, place - window + 1)
        keys, values = k[:, :, first : place + 1], v[:, :, first : place + 1]
        scores = (q[:, :, place, None] * keys).sum(-1) * scale
        if softcap is not None:
            scores = softcap * torch.tanh(scores / softcap)
        out[:, :, place] = (scores.softmax(-1)[..., None] * values).sum(2)
    return out


def some(heads: int = 2, length: int = 9) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(4)
    return [(torch.randn(3, heads, length, 4, generator=generator) * 2).requires_grad_() for _ in range(3)]


@pytest.mark.parametrize("window", [None, 1, 4, 9, 20])
@pytest.mark.parametrize("softcap", [None, 1.5])
def test_outputs_and_gradients_are_those_of_the_rule_written_out(window: int | None, softcap: float | None) -> None:
    tensors = some()
    expected = written_out(*tensors, scale=0.7, window=window, softcap=softcap)
    got = causal_attention(*tensors, scale=0.7, window=window, softcap=softcap)
    torch.testing.assert_close(got, expected, rtol=1e-5, atol=1e-5)
    weights = torch.randn(got.shape, generator=torch.Generator().manual_seed(1))
    for mine, reference in zip(
        torch.autograd.grad((got * weights).sum(), tensors),
        torch.autograd.grad((expected * weights).sum(), tensors),
        strict=True,
    ):
        torch.testing.assert_close(mine, reference, rtol=1e-4, atol=1e-5)


def test_an_ordinary_call_caps_scores_and_repeats_keys() -> None:
    q, k, v = some(heads=4)[0], *(tensor[:, :2] for tensor in some(heads=4)[1:])
    repeated = [tensor.repeat_interleave(2, dim=1) for tensor in (k, v)]
    out, _ = ordinary_attention(torch.nn.Module(), q, k, v, None, scaling=0.7, softcap=1.5)
    expected = written_out(q, *repeated, scale=0.7, window=None, softcap=1.5)
    torch.testing.assert_close(out, expected.transpose(1, 2), rtol=1e-5, atol=1e-5)
    # One query sees all keys, as when a text is continued.
    last, _ = ordinary_attention(torch.nn.Module(), q[:, :, -1:], k, v, None, scaling=0.7, softcap=1.5)
    torch.testing.assert_close(last, out[:, -1:], rtol=1e-5, atol=1e-5)


def test_padding_that_sees_nothing_gives_numbers() -> None:
    q, k, v = some()
    mask = torch.ones(9, 9, dtype=torch.bool).tril()
    mask[:2] = False
    out, _ = ordinary_attention(torch.nn.Module(), q, k, v, mask[None, None], scaling=0.7, softcap=1.5)
    assert out.isfinite().all()


def test_dropped_weights_change_the_result() -> None:
    tensors = some()
    plain = causal_attention(*tensors, softcap=1.5)
    assert not torch.equal(causal_attention(*tensors, softcap=1.5, dropout=0.5), plain)
    assert torch.equal(causal_attention(*tensors, softcap=1.5, dropout=0.0), plain)


def test_masks_are_made_for_ordinary_calls_alone() -> None:
    padded = torch.tensor([[False, True, True]])
    arguments = {"batch_size": 1, "q_length": 3, "kv_length": 3, "attention_mask": padded}
    mask = ordinary_mask(**arguments)
    assert mask is not None
    assert mask[0, 0].tolist() == [[False, False, False], [False, True, False], [False, True, True]]
    with packed_call():
        assert ordinary_mask(**arguments) is None
    assert ordinary_mask(**arguments) is not None
