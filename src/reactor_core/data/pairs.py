"""Two answers to one prompt, as tokens."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from reactor_core.data.chat import ChatFormat
from reactor_core.data.packing import Document
from reactor_core.data.records import Row
from reactor_core.errors import ConfigError

__all__ = ["Pair", "encode_pair", "prompt_groups"]


@dataclass(frozen=True)
class Pair:
    """A preference between two answers.

    Attributes:
        chosen: Prompt and the better answer; the answer's tokens are the trained ones.
        rejected: Prompt and the worse answer.
        row: Index of the row in its dataset.
    """

    chosen: Document
    rejected: Document
    row: int

    @property
    def documents(self) -> tuple[Document, Document]:
        """The two, the better one first."""
        return self.chosen, self.rejected


def encode_pair(chat: ChatFormat, row: Row, index: int, *, max_length: int | None = None) -> Pair:
    """Tokens and masks of a row that holds a preference.

    Args:
        chat: How conversations are written for the model.
        row: With ``rejected``.
        index: Its place in the dataset.
        max_length: Tokens beyond this are cut from the end of either; None keeps all.

    Raises:
        NothingToTrain: No token of an answer is left once it is cut.
        ConfigError: The two answers are the same tokens, so nothing is preferred; or as ``ChatFormat.encode``.
    """
    assert row.rejected is not None, "a row with a preference"
    chosen = chat.encode(row, index, max_length=max_length)
    rejected = chat.encode(row.rejected, index, max_length=max_length)
    if chosen.ids == rejected.ids:
        raise ConfigError(
            f"line {row.line}: chosen and rejected are the same tokens" + ("" if max_length is None else " once cut"),
            remedy="remove the row, or raise max_length",
        )
    return Pair(chosen, rejected, index)


def prompt_groups(pairs: Iterable[Pair]) -> tuple[int, ...] | None:
    """For each pair, in order, the first one with the same prompt; None if no two have the same.

    The prompt is what comes before the first trained token of the chosen answer.
    """
    first: dict[tuple[int, ...], int] = {}
    groups = []
    for number, pair in enumerate(pairs):
        document = pair.chosen
        groups.append(first.setdefault(document.ids[: document.trained.index(True)], number))
    return tuple(groups) if len(first) < len(groups) else None
