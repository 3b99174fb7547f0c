"""Which keys a stretch of a packed row's tokens looks at.

A packed row is a prefix tree: each token belongs to at least one document and sees the tokens before it there. The row
is cut into stretches of queries that lie side by side. Each looks at the tokens that any of its queries sees, and a
mask hides those that some of them do not. So every token is a query once, however many documents share it, nothing is
padded, and most of what causality hides is never computed.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

__all__ = ["QueryBlock", "query_blocks"]

_QUERIES = 128
"""Most queries of a block: long enough for the matrix products, short enough to skip most hidden places."""

_COST = 4096
"""A block costs as much as so many places of scores: the launches of some ten small operations."""


@dataclass(frozen=True)
class QueryBlock:
    """Some queries and the keys they look at.

    Attributes:
        start: Packed position of the first query.
        end: One past the last.
        keys: Stretches ``[start, end)`` of packed positions, in order; together N keys.
        hidden: ``[end - start, N - M]``, true where a query must not look; the first M keys are seen by all.
    """

    start: int
    end: int
    keys: tuple[tuple[int, int], ...]
    hidden: torch.Tensor

    def to(self, device: torch.device | str) -> QueryBlock:
        """The same block on another device."""
        return QueryBlock(self.start, self.end, self.keys, self.hidden.to(device))


@dataclass(frozen=True)
class _Piece:
    """Queries of one document, and the path that leads to the last of them."""

    start: int
    end: int
    path: np.ndarray


def query_blocks(documents: Sequence[Sequence[int]], num_tokens: int) -> tuple[QueryBlock, ...]:
    """Cut a packed row into blocks.

    Args:
        documents: For each document the packed positions of its tokens, in order. Documents may share leading ones.
        num_tokens: Length of the packed row; each position occurs in at least one document.
    """
    blocks: list[list[_Piece]] = []
    keys = np.empty(0, dtype=np.int64)
    for piece in _pieces([np.asarray(path, dtype=np.int64) for path in documents], num_tokens):
        if blocks:
            start = blocks[-1][0].start
            joined = np.union1d(keys, piece.path)
            together = (piece.end - start) * len(joined)
            apart = (piece.start - start) * len(keys) + (piece.end - piece.start) * len(piece.path)
            if piece.end - start <= _QUERIES and together <= apart + _COST:
                blocks[-1].append(piece)
                keys = joined
                continue
        blocks.append([piece])
        keys = piece.path
    return tuple(_block(pieces) for pieces in blocks)


def _pieces(documents: Sequence[np.ndarray], num_tokens: int) -> list[_Piece]:
    """The row cut where the document changes and where a piece would be too long."""
    home = np.full(num_tokens, -1, dtype=np.int64)
    depth = np.zeros(num_tokens, dtype=np.int64)
    for number, path in enumerate(documents):
        new = np.flatnonzero(home[path] < 0)
        home[path[new]], depth[path[new]] = number, new
    assert num_tokens == 0 or home.min() >= 0, "every packed position belongs to a document"
    breaks = np.flatnonzero((np.diff(home) != 0) | (np.diff(depth) != 1)) + 1
    pieces = []
    for start, end in itertools.pairwise([0, *breaks.tolist(), num_tokens]):
        count = -(-(end - start) // _QUERIES)
        edges = [start + (end - start) * number // count for number in range(count + 1)]
        for left, right in itertools.pairwise(edges):
            pieces.append(_Piece(left, right, documents[home[left]][: depth[right - 1] + 1]))
    return pieces


def _block(pieces: Sequence[_Piece]) -> QueryBlock:
    start, end = pieces[0].start, pieces[-1].end
    keys = np.unique(np.concatenate([piece.path for piece in pieces]))
    seen = np.zeros((end - start, len(keys)), dtype=bool)
    for piece in pieces:
        count = piece.end - piece.start
        rows = slice(piece.start - start, piece.end - start)
        seen[rows, np.searchsorted(keys, piece.path)] = np.tri(
            count, len(piece.path), len(piece.path) - count, dtype=bool
        )
    by_all = seen.all(axis=0)
    first = len(keys) if by_all.all() else int(by_all.argmin())
    edges = [0, *(np.flatnonzero(np.diff(keys) != 1) + 1).tolist(), len(keys)]
    stretches = tuple((int(keys[left]), int(keys[right - 1]) + 1) for left, right in itertools.pairwise(edges))
    return QueryBlock(start, end, stretches, torch.from_numpy(~seen[:, first:]))
