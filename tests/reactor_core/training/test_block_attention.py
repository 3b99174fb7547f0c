from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from reactor_core.models.blocks import query_blocks
from reactor_core.training.block_attention import Heads, attend, attend_backward, block_masks

WIDTH = 4


def naive(packed: torch.Tensor, heads: Heads) -> torch.Tensor:
    """Softmax attention written out for one document."""
    rows = packed.view(len(packed), -1, WIDTH)
    q, k, v = rows.split([heads.query, heads.key, heads.key], dim=1)
    k, v = (tensor.repeat_interleave(heads.query // heads.key, dim=1) for tensor in (k, v))
    scores = torch.einsum("qhd,khd->hqk", q, k) * heads.scale
    future = torch.ones(len(q), len(q)).triu(1).bool()
    return torch.einsum("hqk,khd->qhd", scores.masked_fill(future, float("-inf")).softmax(-1), v).flatten(1)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(1, 80)), min_size=1, max_size=5),
    st.sampled_from([(4, 2), (3, 3), (3, 1)]),
)
def test_values_and_gradients_are_those_of_each_document_alone(
    shape: list[tuple[int, int]], counts: tuple[int, int]
) -> None:
    heads = Heads(*counts, scale=0.6)
    documents: list[list[int]] = []
    count = 0
    for shared, new in shape:
        head = documents[-1][:shared] if documents else []
        documents.append([*head, *range(count, count + new)])
        count += new
    draw = torch.Generator().manual_seed(count)
    columns = (heads.query + 2 * heads.key) * WIDTH
    packed = torch.randn(count, columns, generator=draw, dtype=torch.float64, requires_grad=True)
    grad = torch.randn(count, heads.query * WIDTH, generator=draw, dtype=torch.float64)

    expected = torch.zeros_like(grad)
    for document in documents:
        expected[document] = naive(packed[document], heads)
    (expected_grad,) = torch.autograd.grad(expected, packed, grad)

    blocks = query_blocks(documents, count)
    masks = block_masks(blocks, heads.query // heads.key, packed)
    out = attend(packed.detach(), heads, blocks, masks)
    delta = torch.linalg.vecdot(grad.unflatten(1, (heads.query, -1)), out.unflatten(1, (heads.query, -1)))
    found = attend_backward(grad, delta, packed.detach(), heads, blocks, masks)
    torch.testing.assert_close(out, expected.detach())
    torch.testing.assert_close(found, expected_grad)


def test_a_block_that_hides_nothing_has_no_mask() -> None:
    assert block_masks(query_blocks([[0]], 1), 2, torch.zeros(1)) == (None,)


@pytest.mark.parametrize("token", [0, 5, 70])
def test_no_document_feels_another(token: int) -> None:
    """Two documents side by side: a change in one leaves the other's results as they are, to the bit."""
    heads = Heads(2, 1, 0.5)
    documents = [list(range(50)), list(range(50, 120))]
    blocks = query_blocks(documents, 120)
    masks = block_masks(blocks, 2, torch.zeros(1))
    packed = torch.randn(120, 4 * WIDTH, generator=torch.Generator().manual_seed(0))
    changed = packed.clone()
    changed[token] += 100
    before, after = attend(packed, heads, blocks, masks), attend(changed, heads, blocks, masks)
    other = slice(50, 120) if token < 50 else slice(0, 50)
    assert torch.equal(before[other], after[other])
    assert not torch.equal(before, after)
