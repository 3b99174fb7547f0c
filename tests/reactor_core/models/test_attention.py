from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from reactor_core.errors import ConfigError
from reactor_core.models.attention import attend, document_attention, lay_out
from reactor_core.models.rules import causal_attention


def naive(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """Softmax attention written out for one document, ``[L, H, D]``."""
    k, v = (tensor.repeat_interleave(q.shape[1] // k.shape[1], dim=1) for tensor in (k, v))
    scores = torch.einsum("qhd,khd->hqk", q, k) / q.shape[-1] ** 0.5
    future = torch.ones(len(q), len(q)).triu(1).bool()
    weights = scores.masked_fill(future, float("-inf")).softmax(-1)
    return torch.einsum("hqk,khd->qhd", weights, v)


# Each document is a path in a tree of tokens: it keeps the first `shared` tokens of the one before and adds `new`.
paths = st.lists(st.tuples(st.integers(0, 6), st.integers(1, 9)), min_size=1, max_size=6)


@settings(max_examples=40, deadline=None)
@given(paths)
def test_outputs_and_gradients_equal_one_document_at_a_time(shape: list[tuple[int, int]]) -> None:
    documents: list[list[int]] = []
    count = 0
    for shared, new in shape:
        head = documents[-1][:shared] if documents else []
        documents.append([*head, *range(count, count + new)])
        count += new
    generator = torch.Generator().manual_seed(count)
    q, k, v = (torch.randn(count, heads, 8, generator=generator, requires_grad=True) for heads in (4, 2, 2))
    out = attend(q, k, v, lay_out(documents, count))
    weights = torch.randn(count, 4, 8, generator=generator)
    grads = torch.autograd.grad((out * weights).sum(), (q, k, v))

    total = torch.zeros(())
    seen: set[int] = set()
    for document in documents:
        index = torch.tensor(document)
        own = naive(q[index], k[index], v[index])
        assert torch.allclose(out[index], own, atol=1e-5)
        first_time = torch.tensor([float(token not in seen) for token in document])
        seen.update(document)
        total = total + (own * weights[index] * first_time[:, None, None]).sum()
    for mine, reference in zip(grads, torch.autograd.grad(total, (q, k, v)), strict=True):
        assert torch.allclose(mine, reference, atol=1e-5)


@pytest.mark.parametrize(("window", "softcap"), [(3, None), (None, 0.8), (3, 0.8)])
def test_windows_and_capped_scores_stay_inside_each_document(window: int | None, softcap: float | None) -> None:
    documents = [[0, 1, 2, 3, 4, 5], [0, 1, 6, 7, 8], [9]]
    generator = torch.Generator().manual_seed(2)
    q, k, v = (torch.randn(1, 2, 10, 4, generator=generator) * 2 for _ in range(3))
    module = torch.nn.Module()
    out, _ = document_attention(
        module, q, k, v, None, document_layout=lay_out(documents, 10), sliding_window=window, softcap=softcap
    )
    for document in documents:
        alone = [tensor[:, :, document].contiguous() for tensor in (q, k, v)]
        expected = causal_attention(*alone, window=window, softcap=softcap)
        torch.testing.assert_close(out[:, document], expected.transpose(1, 2), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("option", "packed"), [("s_aux", True), ("s_aux", False), ("position_bias", True)])
def test_an_option_that_would_be_left_out_is_refused(option: str, packed: bool) -> None:
    states = torch.randn(1, 2, 3, 4)
    layout = lay_out([[0, 1, 2]], 3) if packed else None
    with pytest.raises(ConfigError, match=option):
        document_attention(torch.nn.Module(), states, states, states, None, document_layout=layout, **{option: 1})


def test_a_padded_batch_without_documents_is_answered_as_each_row_alone(model_folder: Callable[[str], Path]) -> None:
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(
        str(model_folder("llama")), attn_implementation="reactor_documents"
    ).eval()
    short, long = [5, 9, 40], [77, 8, 30, 12, 6]
    ids = torch.tensor([[0, 0, *short], long])
    mask = torch.tensor([[0, 0, 1, 1, 1], [1, 1, 1, 1, 1]])
    with torch.no_grad():
        both = model(ids, attention_mask=mask, position_ids=(mask.cumsum(1) - 1).clamp(min=0)).logits
        alone = model(torch.tensor([short])).logits
    torch.testing.assert_close(both[:1, 2:], alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("family", ["llama", "qwen2", "gpt2"])
def test_without_documents_a_model_answers_as_with_plain_sdpa(family: str, model_folder: Callable[[str], Path]) -> None:
    from transformers import AutoModelForCausalLM

    folder = str(model_folder(family))
    ids = torch.tensor([[5, 9, 40, 77, 8, 30]])
    ours = AutoModelForCausalLM.from_pretrained(folder, attn_implementation="reactor_documents")
    plain = AutoModelForCausalLM.from_pretrained(folder, attn_implementation="sdpa")
    assert torch.allclose(ours(ids).logits, plain(ids).logits, atol=1e-6)
