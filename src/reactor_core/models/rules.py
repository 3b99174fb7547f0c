"""Attention that is more than causal: sliding windows, capped scores, and the masks of calls without packed documents.

Shapes: B documents, H heads, S queries, K keys, D head width.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
from torch.nn.functional import dropout as drop
from torch.nn.functional import scaled_dot_product_attention
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

__all__ = ["causal_attention", "ordinary_attention", "ordinary_mask", "packed_call"]

_PACKED: ContextVar[bool] = ContextVar("packed", default=False)


@contextmanager
def packed_call() -> Iterator[None]:
    """Inside the block models are called with packed documents, whose attention wants no mask: none is made."""
    token = _PACKED.set(True)
    try:
        yield
    finally:
        _PACKED.reset(token)


def ordinary_mask(*args: Any, **kwargs: Any) -> torch.Tensor | None:
    """The mask that ``transformers`` makes for SDPA (windows and padding in it), or None inside :func:`packed_call`."""
    if _PACKED.get():
        return None
    mask: torch.Tensor | None = sdpa_mask(*args, **kwargs)
    return mask


def causal_attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    *,
    scale: float | None = None,
    dropout: float = 0.0,
    window: int | None = None,
    softcap: float | None = None,
) -> torch.Tensor:
    """Causal attention, ``[B, H, S, D]``.

    Args:
        query: ``[B, H, S, D]``; key and value have the same shape.
        scale: Factor on the scores; None is ``D ** -0.5``.
        dropout: Share of attention weights dropped.
        window: A token sees so many tokens, itself among them; None sees all before it.
        softcap: c of ``c tanh(score / c)`` (Gemma 2, https://arxiv.org/abs/2408.00118, section 2); None leaves scores.
    """
    length = query.shape[-2]
    if softcap is None and (window is None or length <= window):
        return scaled_dot_product_attention(query, key, value, is_causal=True, scale=scale, dropout_p=dropout)
    visible = torch.ones(length, length, dtype=torch.bool, device=query.device).tril()
    if window is not None and length > window:
        visible = visible.triu(1 - window)
    if softcap is None:
        return scaled_dot_product_attention(query, key, value, attn_mask=visible, scale=scale, dropout_p=dropout)
    return _capped(query, key, value, visible, scale, dropout, softcap)


def ordinary_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    scaling: float | None = None,
    dropout: float = 0.0,
    softcap: float | None = None,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """Attention of a call without packed documents: ``transformers``' SDPA, and capped scores, which that one refuses.

    Args:
        module: The attention layer.
        query: ``[B, H, S, D]``.
        key: ``[B, Hkv, K, D]`` with H a multiple of Hkv.
        value: ``[B, Hkv, K, D]``.
        attention_mask: From :func:`ordinary_mask`; None is causal, or a single query that sees every key.
        scaling: As ``scale`` of :func:`causal_attention`.
        dropout: Likewise.
        softcap: Likewise.

    Returns:
        ``[B, S, H, D]``, and None in the place of weights.
    """
    if softcap is None:
        result: tuple[torch.Tensor, None] = sdpa_attention_forward(
            module, query, key, value, attention_mask, scaling=scaling, dropout=dropout, **kwargs
        )
        return result
    groups = query.shape[1] // key.shape[1]
    key, value = (tensor.repeat_interleave(groups, dim=1) for tensor in (key, value))
    visible = attention_mask
    if visible is None:
        visible = torch.ones(query.shape[-2], key.shape[-2], dtype=torch.bool, device=query.device)
        if query.shape[-2] > 1:
            visible = visible.tril()
    return _capped(query, key, value, visible, scaling, dropout, softcap).transpose(1, 2), None


def _capped(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    visible: torch.Tensor,
    scale: float | None,
    dropout: float,
    softcap: float,
) -> torch.Tensor:
    scores = (query @ key.transpose(-1, -2)) * ((query.shape[-1] ** -0.5 if scale is None else scale) / softcap)
    # Not -inf: a row of padding sees nothing, and would become NaN.
    weights = scores.tanh().mul(softcap).masked_fill(~visible, torch.finfo(scores.dtype).min).softmax(dim=-1)
    return drop(weights, dropout) @ value
