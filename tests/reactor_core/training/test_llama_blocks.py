from __future__ import annotations

from typing import Any

import pytest
import torch

from reactor_core.models.blocks import query_blocks
from reactor_core.training.block_attention import Heads, block_masks
from reactor_core.training.llama_blocks import (
    AttentionHalf,
    MlpHalf,
    Projection,
    Rows,
    rms_norm,
    rms_norm_backward,
)

WIDTH, HEADS, GROUPS, HEAD = 6, 4, 2, 4
# Two documents that share their first two tokens, and a short one: 0 1 2 3, 0 1 4, 5.
DOCUMENTS = [[0, 1, 2, 3], [0, 1, 4], [5]]


def random(*shape: int, grad: bool = True) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, requires_grad=grad)


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(11)


def low(inputs: int, outputs: list[int], rank: int = 2) -> list[torch.Tensor]:
    return [random(rank * len(outputs), inputs), *(random(size, rank) for size in outputs)]


def rows() -> Rows:
    angle = torch.tensor([0, 1, 2, 3, 2, 0], dtype=torch.float64)[:, None, None] * torch.tensor([1.0, 0.1])
    blocks = query_blocks(DOCUMENTS, 6)
    return Rows(blocks, block_masks(blocks, HEADS // GROUPS, angle), angle.cos(), angle.sin())


def test_the_norm_and_its_gradient_equal_torchs() -> None:
    x, weight, grad = random(5, WIDTH), random(WIDTH, grad=False), random(5, WIDTH, grad=False)
    reference = torch.nn.functional.rms_norm(x, (WIDTH,), weight, 1e-5)
    ours, inverse = rms_norm(x.detach(), weight, 1e-5)
    assert torch.allclose(ours, reference)
    expected = torch.autograd.grad(reference, x, grad)[0]
    assert torch.allclose(rms_norm_backward(grad, x.detach(), weight, inverse), expected)


def test_a_joined_projection_equals_its_layers_one_by_one() -> None:
    x, weight = random(5, WIDTH, grad=False), random(9, WIDTH, grad=False)
    a, first, second = (tensor.detach() for tensor in low(WIDTH, [4, 3]))
    joined = Projection(weight, ((0, 4), (6, 9)), 0.5)
    out, _ = joined.forward(x, [a, first, second])
    plain = x @ weight.t()
    assert torch.allclose(out[:, :4], plain[:, :4] + 0.5 * x @ a[:2].t() @ first.t())
    assert torch.allclose(out[:, 4:6], plain[:, 4:6])
    assert torch.allclose(out[:, 6:], plain[:, 6:] + 0.5 * x @ a[2:].t() @ second.t())


@pytest.mark.parametrize("select", [None, [3, 4, 4, 5]])
@pytest.mark.parametrize("adapted", [True, False])
def test_the_attention_half_has_the_gradient_of_its_output(select: list[int] | None, adapted: bool) -> None:
    total = (HEADS + 2 * GROUPS) * HEAD
    edges = ((0, HEADS * HEAD), (HEADS * HEAD, total)) if adapted else ()
    half = AttentionHalf(
        random(WIDTH, grad=False), 1e-5,
        Projection(random(total, WIDTH, grad=False), edges, 0.7),
        Projection(random(WIDTH, HEADS * HEAD, grad=False), ((0, WIDTH),) if adapted else (), 0.7),
        Heads(HEADS, GROUPS, HEAD**-0.5),
    )  # fmt: skip
    qkv = low(WIDTH, [HEADS * HEAD, 2 * GROUPS * HEAD]) if adapted else []
    out = low(HEADS * HEAD, [WIDTH]) if adapted else []
    chosen = None if select is None else torch.tensor(select)

    def apply(x: torch.Tensor, *additions: torch.Tensor) -> torch.Tensor:
        return half(x, rows(), additions[: len(qkv)], additions[len(qkv) :], chosen)

    assert torch.autograd.gradcheck(apply, (random(6, WIDTH), *qkv, *out))


def test_the_mlp_half_has_the_gradient_of_its_output() -> None:
    half = MlpHalf(
        random(WIDTH, grad=False), 1e-5,
        Projection(random(16, WIDTH, grad=False), ((0, 8), (8, 16)), 0.7),
        Projection(random(WIDTH, 8, grad=False), ((0, WIDTH),), 0.7),
    )  # fmt: skip
    both, down = low(WIDTH, [8, 8]), low(8, [WIDTH])

    def apply(x: Any, *additions: torch.Tensor) -> torch.Tensor:
        return half(x, additions[:3], additions[3:])

    assert torch.autograd.gradcheck(apply, (random(5, WIDTH), *both, *down))
