"""Documents into one row without padding; what begins alike is held once."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch

from reactor_core.models.attention import DocumentLayout, lay_out

__all__ = ["Document", "PackedBatch", "micro_batches", "pack", "split_evenly"]

_MANY = 16
"""Parts from which their last one, which may be small, no longer matters."""

_SLACK = 1.02
"""Even parts may cut through a shared beginning and compute it twice, up to so many times the work."""

_SEARCHED = 64
"""Groups up to which more than one way is tried: the time it takes grows with their square."""


@dataclass(frozen=True)
class Document:
    """One tokenized row.

    Attributes:
        ids: Token ids, ``[L]``.
        trained: Which tokens are to be predicted, bool ``[L]``; the first is never so, as nothing comes before it.
        row: Index of the row in its dataset.
        cut: Trained tokens that were left out at the end, the stop token among them.
    """

    ids: tuple[int, ...]
    trained: tuple[bool, ...]
    row: int
    cut: int = 0

    @property
    def num_trained(self) -> int:
        """Tokens that carry loss."""
        return sum(self.trained[1:])


@dataclass(frozen=True)
class PackedBatch:
    """One forward pass.

    Attributes:
        input_ids: ``[T]`` packed tokens.
        position_ids: ``[T]`` place of each inside its document.
        layout: Which tokens see which.
        predict: ``[K]`` packed positions whose next token carries loss.
        targets: ``[K]`` those next tokens.
        owner: ``[K]`` index (into the packed documents) of the document that each of them belongs to.
        num_tokens: Tokens of all documents, counting shared ones once per document.
        rows: Dataset rows, in packed order.
    """

    input_ids: torch.Tensor
    position_ids: torch.Tensor
    layout: DocumentLayout
    predict: torch.Tensor
    targets: torch.Tensor
    owner: torch.Tensor
    num_tokens: int
    rows: tuple[int, ...]

    def to(self, device: torch.device | str) -> PackedBatch:
        """The same batch on another device."""
        return PackedBatch(
            self.input_ids.to(device),
            self.position_ids.to(device),
            self.layout.to(device),
            self.predict.to(device),
            self.targets.to(device),
            self.owner.to(device),
            self.num_tokens,
            self.rows,
        )


def pack(documents: Sequence[Document], *, share_prefixes: bool = True) -> PackedBatch:
    """Pack documents into one row.

    Args:
        documents: At least one, none empty.
        share_prefixes: Hold equal beginnings once. Exact for a causal model without dropout; with dropout each
            document wants masks of its own, so pass False.
    """
    ids: list[int] = []
    positions: list[int] = []
    predict: list[int] = []
    targets: list[int] = []
    owner: list[int] = []
    paths: list[list[int]] = []
    children: dict[tuple[int, int], int] = {}
    for number, document in enumerate(documents):
        path: list[int] = []
        parent = -1
        # The last trained token is only ever a target: nothing is predicted from it, so it need not be computed.
        used = max((depth for depth, flag in enumerate(document.trained) if flag), default=len(document.ids))
        for depth, token in enumerate(document.ids):
            if depth and document.trained[depth]:
                predict.append(parent)
                targets.append(token)
                owner.append(number)
            if depth >= max(used, 1):
                break
            node = children.get((parent, token)) if share_prefixes else None
            if node is None:
                node = len(ids)
                ids.append(token)
                positions.append(depth)
                if share_prefixes:
                    children[parent, token] = node
            path.append(node)
            parent = node
        paths.append(path)
    return PackedBatch(
        input_ids=torch.tensor(ids, dtype=torch.long),
        position_ids=torch.tensor(positions, dtype=torch.long),
        layout=lay_out(paths, len(ids)),
        predict=torch.tensor(predict, dtype=torch.long),
        targets=torch.tensor(targets, dtype=torch.long),
        owner=torch.tensor(owner, dtype=torch.long),
        num_tokens=sum(len(document.ids) for document in documents),
        rows=tuple(document.row for document in documents),
    )


def micro_batches(
    documents: Sequence[Document], *, max_tokens: int, share_prefixes: bool = True, among: int = 1
) -> list[list[Document]]:
    """Split the rows of one optimizer step so that each part packs into at most ``max_tokens`` tokens.

    The rows are first sorted by their tokens, so that equal beginnings meet in one part; the sum over a step does not
    depend on the order of its rows. A single document longer than ``max_tokens`` makes a part of its own.

    Args:
        documents: The rows.
        max_tokens: Of a part.
        share_prefixes: See :func:`pack`.
        among: See :func:`split_evenly`.
    """
    ordered = sorted(documents, key=lambda item: (item.ids, item.row))
    groups = [[item] for item in ordered]
    parts = split_evenly(groups, max_tokens=max_tokens, share_prefixes=share_prefixes, among=among)
    return [[ordered[place] for place in part] for part in parts]


def split_evenly(
    groups: Sequence[Sequence[Document]], *, max_tokens: int, share_prefixes: bool = True, among: int = 1
) -> list[list[int]]:
    """Cut a step into parts that compute as few tokens as can be, and make these as even as can be.

    Two ways are tried: in the order given, in which equal beginnings meet, and best fit decreasing, which leaves the
    least room. The one that computes fewer tokens is taken, then the one with fewer parts. Even parts need the least
    memory, and none is too small for the processor to work well on.

    Args:
        groups: Documents that stay together, sorted so that those that begin alike follow each other.
        max_tokens: Of a part; a group that is longer makes a part of its own.
        share_prefixes: Whether documents of a part hold equal beginnings once.
        among: Processes that each take one part at a time, so that the largest of every so many parts sets the pace:
            the parts are then as many as it takes to give each process as many as the others, where there are groups
            enough, and as even as can be.

    Returns:
        The places of each part's groups.
    """
    roots = itertools.repeat(0) if share_prefixes else itertools.count()
    tokens = [_nodes(group, roots) for group in groups]
    ways = [_fill] if len(groups) > _SEARCHED else [_fill, _best_fit]

    way, parts = min(((way, way(tokens, max_tokens)) for way in ways), key=lambda one: _cost(tokens, one[1]))
    most, count = _cost(tokens, parts)
    slack = _SLACK
    if among > 1:
        count, slack = -(-count // among) * among, float("inf")  # two that compute a beginning twice wait for nobody
    if not 1 < count < _MANY * among:
        return parts
    low, high = 1, max_tokens
    while low < high:
        limit = (low + high) // 2
        tried = way(tokens, limit)
        computed, needed = _cost(tokens, tried)
        if needed > count or computed > slack * most:
            low = limit + 1
        else:
            parts, high = tried, limit
    return parts


_Way = Callable[[Sequence[set[int]], int], list[list[int]]]


def _cost(groups: Sequence[set[int]], parts: Sequence[Sequence[int]]) -> tuple[int, int]:
    """Tokens that are computed, and the number of parts."""
    return sum(len(set().union(*(groups[place] for place in part))) for part in parts), len(parts)


def _fill(groups: Sequence[set[int]], limit: int) -> list[list[int]]:
    """Close a part when the next group would not fit."""
    parts: list[list[int]] = []
    held: set[int] = set()
    for place, group in enumerate(groups):
        if not parts or len(held) + len(group - held) > limit:
            parts.append([])
            held = set()
        parts[-1].append(place)
        held |= group
    return parts


def _best_fit(groups: Sequence[set[int]], limit: int) -> list[list[int]]:
    """Give each group, longest first, to the part that it leaves the least room in."""
    parts: list[list[int]] = []
    held: list[set[int]] = []
    for place in sorted(range(len(groups)), key=lambda place: (-len(groups[place]), place)):
        group = groups[place]
        rooms = [(limit - len(there) - len(group - there), number) for number, there in enumerate(held)]
        room, number = min((found for found in rooms if found[0] >= 0), default=(-1, len(parts)))
        if room < 0:
            parts.append([])
            held.append(set())
        parts[number].append(place)
        held[number] |= group
    return [sorted(part) for part in parts]


def _nodes(documents: Sequence[Document], roots: Iterator[int]) -> set[int]:
    """A number for each packed token that a group needs; documents of one root share those of equal beginnings."""
    nodes: set[int] = set()
    for document, root in zip(documents, roots, strict=False):
        node = root
        for depth, token in enumerate(document.ids):
            node = hash((node, depth, token))
            nodes.add(node)
    return nodes
