"""Causal attention over a packed row of documents, without a mask and without cross-talk.

A packed row holds the tokens of several documents one after another, no padding. Here each document attends to itself
only: its tokens are gathered into a rectangle ``[documents, length]``, plain causal attention runs there, and the
results are gathered back. Places to the right of a shorter document are filled with any token: they come after every
real token, so causality alone keeps them out.

Documents that begin with the same tokens may share them in the packed row (a prefix tree). The hidden state of a token
depends on the tokens before it and on nothing else, so this is exact; the gradients of all the documents that use a
shared token are summed by the gather's backward pass.

Shapes: T packed tokens, B documents, S longest document, H heads, D head width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from transformers import AttentionInterface, AttentionMaskInterface

from reactor_core.errors import ConfigError
from reactor_core.models.blocks import QueryBlock, query_blocks
from reactor_core.models.rules import causal_attention, ordinary_attention, ordinary_mask

__all__ = ["DOCUMENT_ATTENTION", "DocumentLayout", "document_attention", "lay_out"]

DOCUMENT_ATTENTION = "reactor_documents"
"""Name under which the function is registered with transformers."""


@dataclass
class DocumentLayout:
    """Where the tokens of a packed row stand in their documents.

    Attributes:
        gather: One index tensor per bucket of documents of similar length; flattened ``B * S``, values in ``[0, T)``.
        shapes: ``(B, S)`` of each bucket.
        scatter: ``[T]``, where each packed token's result lies in the buckets laid end to end.
        extra_from: Further places, beside ``scatter``, that hold a shared token; indices into the buckets end to end.
        extra_to: The packed token of each of those places.
        blocks: The same row cut into stretches of queries, for attention that needs no rectangles.
        uses: How often attention has run with this layout; a model that never did so ignores it.
    """

    gather: tuple[torch.Tensor, ...]
    shapes: tuple[tuple[int, int], ...]
    scatter: torch.Tensor
    extra_from: torch.Tensor
    extra_to: torch.Tensor
    blocks: tuple[QueryBlock, ...]
    uses: int = field(default=0, compare=False)

    @property
    def longest(self) -> int:
        """Tokens in the longest document."""
        return max(length for _, length in self.shapes)

    def to(self, device: torch.device | str) -> DocumentLayout:
        """The same layout on another device."""
        return DocumentLayout(
            tuple(index.to(device) for index in self.gather),
            self.shapes,
            self.scatter.to(device),
            self.extra_from.to(device),
            self.extra_to.to(device),
            tuple(block.to(device) for block in self.blocks),
        )


def lay_out(documents: Sequence[Sequence[int]], num_tokens: int) -> DocumentLayout:
    """Make the layout of a packed row.

    Args:
        documents: For each document the packed positions of its tokens, in order. Documents may share leading ones.
        num_tokens: Length of the packed row; each position occurs in at least one document.
    """
    order = sorted(range(len(documents)), key=lambda index: len(documents[index]))
    buckets: list[list[int]] = []
    for index in order:
        # A bucket costs a few kernel launches a layer, a padded place a little attention: up to twice the length pays.
        if not buckets or len(documents[index]) > 2 * len(documents[buckets[-1][0]]):
            buckets.append([])
        buckets[-1].append(index)
    gather, shapes, offset = [], [], 0
    scatter = [-1] * num_tokens
    extra_from, extra_to = [], []
    for bucket in buckets:
        width = len(documents[bucket[-1]])
        flat: list[int] = []
        for row, index in enumerate(bucket):
            tokens = documents[index]
            for column, token in enumerate(tokens):
                place = offset + row * width + column
                if scatter[token] < 0:
                    scatter[token] = place
                else:
                    extra_from.append(place)
                    extra_to.append(token)
            flat.extend(tokens)
            flat.extend([tokens[-1]] * (width - len(tokens)))
        gather.append(torch.tensor(flat, dtype=torch.long))
        shapes.append((len(bucket), width))
        offset += len(flat)
    assert min(scatter) >= 0, "every packed position belongs to a document"
    return DocumentLayout(
        tuple(gather),
        tuple(shapes),
        torch.tensor(scatter, dtype=torch.long),
        torch.tensor(extra_from, dtype=torch.long),
        torch.tensor(extra_to, dtype=torch.long),
        query_blocks(documents, num_tokens),
    )


class _ToRectangles(torch.autograd.Function):
    """``[T, C]`` to the buckets end to end, ``[sum B*S, C]``.

    The backward pass reads each token's first place and adds the further ones of shared tokens; filled-up places carry
    no gradient and are never read.
    """

    @staticmethod
    def forward(ctx: Any, packed: torch.Tensor, layout: DocumentLayout) -> torch.Tensor:
        ctx.layout = layout
        index = layout.gather[0] if len(layout.gather) == 1 else torch.cat(layout.gather)
        return packed.index_select(0, index)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor, None]:
        layout: DocumentLayout = ctx.layout
        grad = grads[0]
        packed = grad.index_select(0, layout.scatter)
        if layout.extra_to.numel():
            source = grad.index_select(0, layout.extra_from)
            packed.scatter_add_(0, layout.extra_to[:, None].expand_as(source), source)
        return packed, None


class _ToPacked(torch.autograd.Function):
    """The buckets end to end, ``[sum B*S, C]``, back to ``[T, C]``: one place per token is read."""

    @staticmethod
    def forward(ctx: Any, places: torch.Tensor, layout: DocumentLayout) -> torch.Tensor:
        ctx.layout, ctx.shape = layout, places.shape
        return places.index_select(0, layout.scatter)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor, None]:
        places = grads[0].new_zeros(ctx.shape)
        places[ctx.layout.scatter] = grads[0]
        return places, None


def attend(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    layout: DocumentLayout,
    *,
    scale: float | None = None,
    dropout: float = 0.0,
    window: int | None = None,
    softcap: float | None = None,
) -> torch.Tensor:
    """Causal attention inside each document.

    Args:
        query: ``[T, H, D]``.
        key: ``[T, Hkv, D]`` with H a multiple of Hkv.
        value: ``[T, Hkv, D]``.
        layout: The documents.
        scale: Factor on the scores; None is ``D ** -0.5``.
        dropout: Share of attention weights dropped.
        window: A token sees so many tokens of its document, itself among them; None sees all before it.
        softcap: See :func:`~reactor_core.models.rules.causal_attention`.

    Returns:
        ``[T, H, D]``.
    """
    heads, kv_heads, width = query.shape[1], key.shape[1], query.shape[2]
    # One gather for the three: rows [q | k | v].
    joined = torch.cat([query.flatten(1), key.flatten(1), value.flatten(1)], dim=1)
    places = _ToRectangles.apply(joined, layout)  # type: ignore[no-untyped-call]
    results, offset = [], 0
    for count, length in layout.shapes:
        part = places[offset : offset + count * length].view(count, length, heads + 2 * kv_heads, width)
        q, k, v = part.transpose(1, 2).split([heads, kv_heads, kv_heads], dim=1)
        if kv_heads != heads:
            k = k.repeat_interleave(heads // kv_heads, dim=1)
            v = v.repeat_interleave(heads // kv_heads, dim=1)
        out = causal_attention(q, k, v, scale=scale, dropout=dropout, window=window, softcap=softcap)
        results.append(out.transpose(1, 2).reshape(count * length, heads * width))
        offset += count * length
    joined_out = results[0] if len(results) == 1 else torch.cat(results)
    packed: torch.Tensor = _ToPacked.apply(joined_out, layout)  # type: ignore[no-untyped-call]
    return packed.view(-1, heads, width)


def document_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    scaling: float | None = None,
    dropout: float = 0.0,
    softcap: float | None = None,
    document_layout: DocumentLayout | None = None,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """Attention for ``transformers`` models: per document where a layout is passed, ordinary SDPA otherwise.

    Raises:
        ConfigError: The model asks for something that this function would silently leave out.
    """
    # A plain call's position bias is SDPA's to add.
    unknown = ("s_aux",) if document_layout is None else ("s_aux", "position_bias")
    for option in unknown:
        if kwargs.get(option) is not None:
            raise ConfigError(f"models with attention option {option!r} are not supported")
    if document_layout is None:
        return ordinary_attention(
            module, query, key, value, attention_mask, scaling=scaling, dropout=dropout, softcap=softcap, **kwargs
        )
    document_layout.uses += 1
    q, k, v = (tensor[0].transpose(0, 1) for tensor in (query, key, value))  # [1, H, T, D] -> [T, H, D]
    out = attend(
        q, k, v, document_layout, scale=scaling, dropout=dropout, window=kwargs.get("sliding_window"), softcap=softcap
    )
    return out.unsqueeze(0), None


AttentionInterface.register(DOCUMENT_ATTENTION, document_attention)
AttentionMaskInterface.register(DOCUMENT_ATTENTION, ordinary_mask)
