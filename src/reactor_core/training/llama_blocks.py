"""The two halves of a Llama layer with hand-written backward passes, for frozen weights and low-rank additions.

Written out, a half needs fewer passes over memory than the graph that autograd would record: projections that read the
same input are one matrix product, the residual is added inside the last product, rotary embedding and SwiGLU work in
place on fresh buffers, attention scores and normalised inputs are recomputed instead of kept, and no gradient of a
frozen weight is ever formed.

Shapes: T packed tokens, C hidden width, O outputs of a (joined) projection, r rank, H query heads, G key/value heads,
D head width, I width of the MLP.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.functional import silu

from reactor_core.models.blocks import QueryBlock
from reactor_core.training.block_attention import Heads, attend, attend_backward

__all__ = ["AttentionHalf", "MlpHalf", "Projection", "Rows", "rms_norm", "rms_norm_backward"]


@dataclass(frozen=True)
class Projection:
    """One or several frozen linear layers that read the same input, joined, with their low-rank additions.

    Attributes:
        weight: ``[O, in]``, the layers' weights one below the other.
        parts: For each addition the rows ``[start, end)`` of the output that it goes to.
        scale: Factor on every addition.
    """

    weight: torch.Tensor
    parts: tuple[tuple[int, int], ...]
    scale: float

    def forward(
        self, x: torch.Tensor, low: Sequence[torch.Tensor], residual: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Project.

        Args:
            x: ``[T, in]``.
            low: All A joined ``[n * r, in]``, then one B ``[end - start, r]`` per part; empty without additions.
            residual: ``[T, O]`` to be added.

        Returns:
            ``[T, O]``, and ``x A^T`` for the backward pass.
        """
        out = x @ self.weight.t() if residual is None else torch.addmm(residual, x, self.weight.t())
        if not low:
            return out, None
        down = x @ low[0].t()
        for (start, end), (left, right), lora_b in zip(self.parts, self._columns(low), low[1:], strict=True):
            out[:, start:end].addmm_(down[:, left:right], lora_b.t(), alpha=self.scale)
        return out, down

    def backward(
        self, grad: torch.Tensor, x: torch.Tensor, low: Sequence[torch.Tensor], down: torch.Tensor | None
    ) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Gradients of x and of ``low`` from the output's, ``[T, O]``."""
        grad_x = grad @ self.weight
        if down is None:
            return grad_x, []
        up = torch.empty_like(down)
        grads = []
        for (start, end), (left, right), lora_b in zip(self.parts, self._columns(low), low[1:], strict=True):
            part = grad[:, start:end]
            torch.mm(part, lora_b, out=up[:, left:right])
            grads.append((part.t() @ down[:, left:right]).mul_(self.scale))
        up.mul_(self.scale)
        grad_x.addmm_(up, low[0])
        return grad_x, [up.t() @ x, *grads]

    def _columns(self, low: Sequence[torch.Tensor]) -> list[tuple[int, int]]:
        edges = [0]
        for lora_b in low[1:]:
            edges.append(edges[-1] + lora_b.shape[1])
        return list(itertools.pairwise(edges))


@dataclass(frozen=True)
class Rows:
    """What all layers need to know about a packed row.

    Attributes:
        blocks: Which keys its queries look at.
        masks: What hides some of them (:func:`~reactor_core.training.block_attention.block_masks`).
        cos: ``[T, 1, D / 2]`` of the rotary embedding.
        sin: ``[T, 1, D / 2]``.
    """

    blocks: tuple[QueryBlock, ...]
    masks: tuple[torch.Tensor | None, ...]
    cos: torch.Tensor
    sin: torch.Tensor


def rms_norm(x: torch.Tensor, weight: torch.Tensor, eps: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Root-mean-square normalisation (https://arxiv.org/abs/1910.07467): the result and ``1 / rms``, ``[T, 1]``."""
    norm = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
    inverse = norm.square_().div_(x.shape[-1]).add_(eps).rsqrt_()
    return torch.mul(x, inverse).mul_(weight), inverse


def rms_norm_backward(grad: torch.Tensor, x: torch.Tensor, weight: torch.Tensor, inverse: torch.Tensor) -> torch.Tensor:
    grad_x = grad * weight
    dot = torch.linalg.vecdot(grad_x, x).unsqueeze(-1)
    return grad_x.mul_(inverse).addcmul_(x, dot.mul_(inverse.pow(3)).div_(x.shape[-1]), value=-1)


def _rotate(heads: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor, sign: int) -> None:
    """Turn the halves of each head by their position's angle, in place; heads ``[T, n, D]``, sign -1 turns back."""
    half = heads.shape[-1] // 2
    first, second = heads[..., :half], heads[..., half:]
    turned = torch.mul(first, cos).addcmul_(second, sin, value=-sign)
    second.mul_(cos).addcmul_(first, sin, value=sign)
    first.copy_(turned)


@dataclass(frozen=True)
class AttentionHalf:
    """``x + o_proj(attention(norm(x)))``."""

    norm: torch.Tensor
    """``[C]``."""
    eps: float
    """Of the norm."""
    qkv: Projection
    """O = (H + 2 G) D."""
    out: Projection
    """``[C, H D]``."""
    heads: Heads
    """How the joined projection divides."""

    def __call__(
        self,
        x: torch.Tensor,
        rows: Rows,
        low_qkv: Sequence[torch.Tensor],
        low_out: Sequence[torch.Tensor],
        select: torch.Tensor | None,
    ) -> torch.Tensor:
        """Apply to ``[T, C]``; ``select`` keeps only those packed positions of the result."""
        result: torch.Tensor = _Attention.apply(x, self, rows, select, len(low_qkv), *low_qkv, *low_out)  # type: ignore[no-untyped-call]
        return result


class _Attention(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: torch.Tensor,
        half: AttentionHalf,
        rows: Rows,
        select: torch.Tensor | None,
        num_qkv: int,
        *low: torch.Tensor,
    ) -> torch.Tensor:
        normed, inverse = rms_norm(x, half.norm, half.eps)
        qkv, down_qkv = half.qkv.forward(normed, low[:num_qkv])
        _rotate(_turning(qkv, half.heads), rows.cos, rows.sin, 1)
        attended, kept = attend(qkv, half.heads, rows.blocks, rows.masks), x
        if select is not None:
            attended, kept = attended.index_select(0, select), x.index_select(0, select)
        out, down_out = half.out.forward(attended, low[num_qkv:], kept)
        ctx.save_for_backward(x, inverse, qkv, down_qkv, attended, down_out, *low)
        ctx.half, ctx.rows, ctx.select, ctx.num_qkv = half, rows, select, num_qkv
        return out

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        x, inverse, qkv, down_qkv, attended, down_out, *low = ctx.saved_tensors
        half, rows, select = ctx.half, ctx.rows, ctx.select
        grad_attended, grads_out = half.out.backward(grads[0], attended, low[ctx.num_qkv :], down_out)
        residual = grads[0]
        per_head = (len(attended), half.heads.query, -1)
        delta = torch.linalg.vecdot(grad_attended.view(per_head), attended.view(per_head))
        if select is not None:
            # Positions may repeat in `select`: one prompt can have several answers.
            grad_attended, delta = _spread(grad_attended, select, len(x)), _spread(delta, select, len(x))
            residual = _spread(residual, select, len(x))
        grad_qkv = attend_backward(grad_attended, delta, qkv, half.heads, rows.blocks, rows.masks)
        _rotate(_turning(grad_qkv, half.heads), rows.cos, rows.sin, -1)
        normed = torch.mul(x, inverse).mul_(half.norm)
        grad_normed, grads_qkv = half.qkv.backward(grad_qkv, normed, low[: ctx.num_qkv], down_qkv)
        grad_x = None
        if ctx.needs_input_grad[0]:
            grad_x = rms_norm_backward(grad_normed, x, half.norm, inverse).add_(residual)
        return (grad_x, None, None, None, None, *grads_qkv, *grads_out)


def _turning(packed: torch.Tensor, heads: Heads) -> torch.Tensor:
    """The queries and keys of ``[T, (H + 2 G) D]`` as ``[T, H + G, D]``: what the rotary embedding turns."""
    return packed.view(len(packed), heads.query + 2 * heads.key, -1)[:, : heads.query + heads.key]


def _spread(rows: torch.Tensor, select: torch.Tensor, count: int) -> torch.Tensor:
    return rows.new_zeros(count, rows.shape[1]).index_add_(0, select, rows)


@dataclass(frozen=True)
class MlpHalf:
    """``x + down_proj(silu(gate) * up)`` of ``norm(x)``."""

    norm: torch.Tensor
    """``[C]``."""
    eps: float
    """Of the norm."""
    gate_up: Projection
    """O = 2 I."""
    down: Projection
    """``[C, I]``."""

    def __call__(
        self, x: torch.Tensor, low_gate_up: Sequence[torch.Tensor], low_down: Sequence[torch.Tensor]
    ) -> torch.Tensor:
        """Apply to ``[T, C]``."""
        result: torch.Tensor = _Mlp.apply(x, self, len(low_gate_up), *low_gate_up, *low_down)  # type: ignore[no-untyped-call]
        return result


class _Mlp(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, half: MlpHalf, num_gate_up: int, *low: torch.Tensor) -> torch.Tensor:
        normed, inverse = rms_norm(x, half.norm, half.eps)
        both, down_both = half.gate_up.forward(normed, low[:num_gate_up])
        gate, up = both.chunk(2, dim=1)
        out, down_out = half.down.forward(silu(gate).mul_(up), low[num_gate_up:], x)
        ctx.save_for_backward(x, inverse, both, down_both, down_out, *low)
        ctx.half, ctx.num_gate_up = half, num_gate_up
        return out

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        x, inverse, both, down_both, down_out, *low = ctx.saved_tensors
        half, count = ctx.half, ctx.num_gate_up
        gate, up = both.chunk(2, dim=1)
        active = silu(gate)
        grad_hidden, grads_down = half.down.backward(grads[0], active * up, low[count:], down_out)
        grad_both = torch.empty_like(both)
        grad_gate, grad_up = grad_both.chunk(2, dim=1)
        torch.mul(grad_hidden, active, out=grad_up)
        torch.ops.aten.silu_backward.grad_input(grad_hidden.mul_(up), gate, grad_input=grad_gate)
        normed = torch.mul(x, inverse).mul_(half.norm)
        grad_normed, grads_both = half.gate_up.backward(grad_both, normed, low[:count], down_both)
        grad_x = None
        if ctx.needs_input_grad[0]:
            grad_x = rms_norm_backward(grad_normed, x, half.norm, inverse).add_(grads[0])
        return (grad_x, None, None, *grads_both, *grads_down)
