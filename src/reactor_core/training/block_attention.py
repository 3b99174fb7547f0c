"""Attention of a packed row with a backward pass of its own, one block of queries at a time.

Shapes: T packed tokens, H query heads, G key/value heads, R = H / G query heads that share a key, D head width; in a
block n queries and N keys. Queries are held as ``[G, T * R, D]``, so that a block is one product for each key head.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from reactor_core.models.blocks import QueryBlock

__all__ = ["Heads", "attend", "attend_backward", "block_masks"]


@dataclass(frozen=True)
class Heads:
    """How the columns of a joined query/key/value projection divide.

    Attributes:
        query: H.
        key: G.
        scale: On the scores.
    """

    query: int
    key: int
    scale: float


def block_masks(blocks: Sequence[QueryBlock], repeats: int, like: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
    """What to add to the last columns of each block's scores: ``[n * R, N - M]``, None where all is seen."""
    masks: list[torch.Tensor | None] = []
    for block in blocks:
        if block.hidden.any():
            mask = torch.zeros(block.hidden.shape, dtype=like.dtype, device=like.device)
            masks.append(mask.masked_fill_(block.hidden, float("-inf")).repeat_interleave(repeats, dim=0))
        else:
            masks.append(None)
    return tuple(masks)


def attend(
    packed: torch.Tensor, heads: Heads, blocks: Sequence[QueryBlock], masks: Sequence[torch.Tensor | None]
) -> torch.Tensor:
    """Causal attention inside each document.

    Args:
        packed: ``[T, (H + 2 G) D]``, queries, keys and values side by side.
        heads: How they divide.
        blocks: Of the packed row.
        masks: From :func:`block_masks`.

    Returns:
        ``[T, H D]``.
    """
    repeats = heads.query // heads.key
    columns = packed.shape[1] * heads.query // (heads.query + 2 * heads.key)
    query = _by_key_head(packed[:, :columns], heads, heads.scale)
    out = torch.empty_like(query)
    for block, mask in zip(blocks, masks, strict=True):
        rows = slice(block.start * repeats, block.end * repeats)
        key, value = _keys(packed[:, columns:], block, heads)
        torch.bmm(_weights(query[:, rows], key, mask), value, out=out[:, rows])
    result = packed.new_empty(len(packed), columns)
    _undo(out, result, heads, 1.0)
    return result


def attend_backward(
    grad: torch.Tensor,
    delta: torch.Tensor,
    packed: torch.Tensor,
    heads: Heads,
    blocks: Sequence[QueryBlock],
    masks: Sequence[torch.Tensor | None],
) -> torch.Tensor:
    """Gradient of ``packed``; the weights are computed again.

    Args:
        grad: ``[T, H D]``, of the result.
        delta: ``[T, H]``, the product of each result with its gradient: what the softmax takes off
            (https://arxiv.org/abs/2205.14135, section B.2).
        packed: As for :func:`attend`, like the rest.
    """
    repeats = heads.query // heads.key
    columns = grad.shape[1]
    query, grad_out = _by_key_head(packed[:, :columns], heads, heads.scale), _by_key_head(grad, heads, 1.0)
    minus_delta = _by_key_head(delta, heads, -1.0)
    grad_query = torch.empty_like(query)
    result = torch.empty_like(packed)
    grad_keys = result[:, columns:].zero_()
    for block, mask in zip(blocks, masks, strict=True):
        rows = slice(block.start * repeats, block.end * repeats)
        key, value = _keys(packed[:, columns:], block, heads)
        weights = _weights(query[:, rows], key, mask)
        # Softmax: dS = P * (dP - sum(dP * P)).
        scores = torch.baddbmm(minus_delta[:, rows], grad_out[:, rows], value.transpose(1, 2)).mul_(weights)
        torch.bmm(scores, key, out=grad_query[:, rows])
        grad_key = scores.transpose(1, 2) @ query[:, rows]  # the queries carry the scale already
        grad_value = weights.transpose(1, 2) @ grad_out[:, rows]
        both = torch.cat([grad_key, grad_value]).transpose(0, 1).flatten(1)
        offset = 0
        for start, end in block.keys:
            grad_keys[start:end].add_(both[offset : offset + end - start])
            offset += end - start
    _undo(grad_query, result[:, :columns], heads, heads.scale)
    return result


def _by_key_head(rows: torch.Tensor, heads: Heads, factor: float) -> torch.Tensor:
    """``[T, H W]`` times a factor as ``[G, T * R, W]``."""
    apart = rows.view(len(rows), heads.key, heads.query // heads.key, -1).permute(1, 0, 2, 3)
    out = torch.empty(apart.shape, dtype=rows.dtype, device=rows.device)
    return torch.mul(apart, factor, out=out).flatten(1, 2)


def _undo(grouped: torch.Tensor, rows: torch.Tensor, heads: Heads, factor: float) -> None:
    """Write ``[G, T * R, W]`` times a factor into ``[T, H W]``."""
    apart = rows.view(len(rows), heads.key, heads.query // heads.key, -1).permute(1, 0, 2, 3)
    torch.mul(grouped.view(apart.shape), factor, out=apart)


def _keys(packed: torch.Tensor, block: QueryBlock, heads: Heads) -> tuple[torch.Tensor, torch.Tensor]:
    """Keys and values of a block, ``[G, N, D]`` each."""
    stretches = [packed[start:end] for start, end in block.keys]
    rows = stretches[0] if len(stretches) == 1 else torch.cat(stretches)
    key, value = rows.view(len(rows), 2, heads.key, -1).permute(1, 2, 0, 3)
    return key, value


def _weights(query: torch.Tensor, key: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
    """``[G, n * R, N]``."""
    scores = query @ key.transpose(1, 2)
    if mask is not None:
        scores[:, :, scores.shape[2] - mask.shape[1] :].add_(mask)
    return scores.softmax(dim=-1)
