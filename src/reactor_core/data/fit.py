"""Whether a model can read the tokens at all."""

from __future__ import annotations

import numpy as np

from reactor_core.data.records import Dataset
from reactor_core.data.tokens import TokenTable
from reactor_core.errors import DatasetError

__all__ = ["require_fit"]


def require_fit(table: TokenTable, dataset: Dataset, *, vocabulary: int, positions: int | None) -> None:
    """Refuse tokens that the model has no embedding or no position for.

    Args:
        table: The tokens of the dataset.
        dataset: For the message.
        vocabulary: Rows of the model's embedding.
        positions: Longest text that the model was made for; None if it has no such limit.

    Raises:
        DatasetError: A token id is outside the vocabulary, or a row is longer than the model's positions.
    """
    place = table.above(vocabulary)
    if place is not None:
        document = table[place]
        raise DatasetError(
            f"this row holds the token id {max(document.ids)}, and the model has {vocabulary} embeddings",
            path=dataset.path,
            line=dataset.rows[document.row].line,
            remedy="use the tokenizer that belongs to the model, or a template without tokens that were added later",
        )
    if positions is not None and len(table) and int(table.lengths.max()) > positions:
        document = table[int(np.argmax(table.lengths))]
        raise DatasetError(
            f"this row has {len(document.ids)} tokens, and the model was made for {positions}",
            path=dataset.path,
            line=dataset.rows[document.row].line,
            remedy=f"set max_length={positions}, or shorten the row",
        )
