"""Documents into one row without padding; what begins alike is held once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from reactor_core.models.attention import DocumentLayout, lay_out

__all__ = ["Document", "PackedBatch", "micro_batches", "pack", "shared_length"]


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


def shared_length(first: Sequence[int], second: Sequence[int]) -> int:
    """How many leading tokens two documents have in common."""
    limit = min(len(first), len(second))
    differs = np.asarray(first[:limit]) != np.asarray(second[:limit])
    return int(differs.argmax()) if differs.any() else limit


def micro_batches(
    documents: Sequence[Document], *, max_tokens: int, share_prefixes: bool = True
) -> list[list[Document]]:
    """Split the rows of one optimizer step so that each part packs into at most ``max_tokens`` tokens.

    The rows are first sorted by their tokens, so that equal beginnings meet in one part; the sum over a step does not
    depend on the order of its rows. A single document longer than ``max_tokens`` makes a part of its own.
    """
    parts: list[list[Document]] = []
    filled = 0
    previous: tuple[int, ...] = ()
    for document in sorted(documents, key=lambda item: (item.ids, item.row)):
        new = len(document.ids) - (shared_length(previous, document.ids) if share_prefixes else 0)
        if not parts or filled + new > max_tokens:
            parts.append([])
            filled, new = 0, len(document.ids)
        parts[-1].append(document)
        filled += new
        previous = document.ids
    return parts
