"""Rows that a model has already been trained on say nothing about how good it is."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from reactor_core.data.records import Row
from reactor_core.utils.canonical import content_hash

__all__ = ["Overlap", "find_overlaps"]

By = Literal["row", "prompt"]
"""What makes two rows the same: prompt and answer, or the prompt alone."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """A row that was seen in training.

    Attributes:
        line: Its line in the file that is evaluated on.
        seen_line: The line of the training file that holds it.
    """

    line: int
    seen_line: int


def find_overlaps(rows: Sequence[Row], seen: Iterable[Row], *, by: By = "row") -> list[Overlap]:
    """Find the rows to evaluate on that were trained on.

    Every assistant's turn of a conversation counts as an answer of its own, so a longer conversation that begins with
    the evaluated one is found. Case, white space and the form of letters (Unicode NFKC) are ignored, and so are system
    prompts. Rows that say the same in other words are not found (:mod:`reactor_core.data.dedup` finds near ones).

    Args:
        rows: To evaluate on.
        seen: That were trained on, or that chose among checkpoints.
        by: ``row`` compares prompt and answer; both answers of a preference count. ``prompt`` compares the prompt
            alone: right where the answer is a judgement on it, or where models answer themselves.
    """
    known = {key: row.line for row in seen for key in _keys(row, by)}
    found = []
    for row in rows:
        line = next((known[key] for key in _keys(row, by) if key in known), None)
        if line is not None:
            found.append(Overlap(row.line, line))
    return found


def _keys(row: Row, by: By) -> Iterator[str]:
    if row.rejected is not None:
        yield from _keys(row.rejected, by)
    if row.completion_text is not None:
        # A plain text has no prompt: it is asked for by itself.
        parts = [row.prompt_text] if by == "prompt" and row.prompt_text else [row.prompt_text, row.completion_text]
        yield content_hash(["text", *(_plain(part) for part in parts if part)])
        return
    turns: list[list[str]] = []
    for number, turn in enumerate(row.messages):
        text = [turn.role, _plain(turn.content)]
        if turn.role == "assistant" and number >= row.prompt_turns:
            yield content_hash(turns if by == "prompt" and turns else [*turns, text])
        if turn.role != "system":
            turns.append(text)


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
