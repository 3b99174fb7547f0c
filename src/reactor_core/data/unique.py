"""Rows that say nearly the same as an earlier one.

Two rows are near-duplicates if their prompts are alike and their answers are alike: each pair of texts, without
differences of case and white space, has a Jaccard similarity of at least :data:`THRESHOLD` over character 5-shingles
(:mod:`reactor_core.data.dedup`). The same question with another answer is none: it may be a contradiction, and is not
for a program to settle.

The first of the rows that are alike stays. A row goes only because of one that stays, so a chain of small differences
does not collapse into its first link. Candidates come from MinHash, and each is compared exactly: a row that is dropped
is always a near-duplicate, and one is overlooked with a probability of at most ``dedup.MISS_PROBABILITY``.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, overload

import numpy as np
import numpy.typing as npt

from reactor_core.data.dedup import banding, jaccard, minhash, shingles
from reactor_core.data.records import Dataset, Row
from reactor_core.utils.canonical import canonical_json
from reactor_core.utils.files import atomic_write

__all__ = ["REPEATS", "THRESHOLD", "ChosenRows", "Repeat", "drop_repeats", "near_repeats", "write_repeats"]

REPEATS = "near-duplicates.jsonl"
"""File of a run that lists the rows it left out."""

THRESHOLD = 0.9
"""Least similarity of two prompts and of two answers that count as the same."""

_CHUNK = 256


class Repeat(NamedTuple):
    """A row that says nearly the same as an earlier one.

    Attributes:
        place: Of the row among the rows.
        of: Place of the earlier row, which is itself no near-duplicate of one before it.
        similarity: Of prompts or answers, whichever is less.
    """

    place: int
    of: int
    similarity: float


class ChosenRows(Sequence[Row]):
    """Some of the rows of a dataset, in its order.

    Args:
        rows: All rows.
        places: Which of them.
    """

    def __init__(self, rows: Sequence[Row], places: Sequence[int]) -> None:
        self._rows, self._places = rows, places

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | Sequence[Row]:
        if isinstance(index, slice):
            return tuple(self._rows[place] for place in self._places[index])
        return self._rows[self._places[index]]


def near_repeats(rows: Sequence[Row], threshold: float = THRESHOLD) -> list[Repeat]:
    """Rows that repeat an earlier one that stays, in order.

    Memory does not hold the texts: a row costs a few hundred bytes, and is read again where it has a candidate.

    Raises:
        ValueError: The threshold is not in (0, 1].
    """
    bands, per_band = banding(threshold)
    # Sets with a mark for their part are disjoint, so the similarity of the union lies between those of the parts: two
    # near-duplicates reach the threshold together, and banding finds them.
    keys = np.concatenate([np.empty((0, bands), np.uint64), *_keys(rows, bands, per_band)])
    shared = np.zeros(keys.shape, bool)
    for band in range(bands):
        _, inverse, counts = np.unique(keys[:, band], return_inverse=True, return_counts=True)
        shared[:, band] = counts[inverse] > 1

    @lru_cache(maxsize=1024)
    def parts(index: int) -> tuple[frozenset[str], frozenset[str]]:
        return _parts(rows[index])

    standing: dict[tuple[int, int], list[int]] = defaultdict(list)
    found = []
    for index in np.flatnonzero(shared.any(axis=1)).tolist():
        mine = [(band, int(keys[index, band])) for band in np.flatnonzero(shared[index]).tolist()]
        best: Repeat | None = None
        for other in sorted({place for key in mine for place in standing[key]}):
            similarity = min(map(jaccard, parts(index), parts(other)))
            if similarity >= threshold and (best is None or similarity > best.similarity):
                best = Repeat(index, other, similarity)
        if best is not None:
            found.append(best)
            continue
        for key in mine:
            standing[key].append(index)
    return found


def drop_repeats(dataset: Dataset) -> tuple[Dataset, list[Repeat]]:
    """The dataset without near-duplicates, and what was left out.

    Returns:
        The same file and hash with fewer rows, and the repeats with line numbers of the file in place of places.
    """
    rows = dataset.rows
    repeats = near_repeats(rows)
    gone = {repeat.place for repeat in repeats}
    places = array("q", (place for place in range(len(rows)) if place not in gone))
    lines = [Repeat(rows[place].line, rows[of].line, similarity) for place, of, similarity in repeats]
    return replace(dataset, rows=ChosenRows(rows, places)), lines


def write_repeats(repeats: Sequence[Repeat], path: Path) -> None:
    """Write one JSON object for each row that was left out: its line, the line that it repeats, the similarity.

    Raises:
        StorageFull: No space is left.
    """
    lines = [{"line": line, "repeats": of, "similarity": round(similarity, 4)} for line, of, similarity in repeats]
    atomic_write(path, b"".join(canonical_json(line) + b"\n" for line in lines))


def _keys(rows: Sequence[Row], bands: int, per_band: int) -> Iterator[npt.NDArray[np.uint64]]:
    """A number for each band of each row, ``[N, bands]`` in chunks; rows that are alike have one in common."""
    for start in range(0, len(rows), _CHUNK):
        chunk = map(_parts, rows[start : start + _CHUNK])
        sets = [frozenset("p" + s for s in prompt) | {"a" + s for s in answer} for prompt, answer in chunk]
        signatures = minhash(sets, bands * per_band).reshape(len(sets), bands, per_band)
        # A polynomial modulo 2^64; two different bands that meet cost a comparison, nothing else.
        mixed = np.zeros((len(sets), bands), np.uint64)
        for column in range(per_band):
            mixed = mixed * np.uint64(0x9E3779B97F4A7C15) + signatures[:, :, column]
        yield mixed


def _parts(row: Row) -> tuple[frozenset[str], frozenset[str]]:
    """Shingles of what is asked and of what is answered; of two answers, of both."""
    if row.completion_text is not None:
        prompt, answer = row.prompt_text, row.completion_text
    else:
        # A conversation whose turns are all trained is asked and answered in turns: what the assistant says is answer.
        said = [number >= row.prompt_turns and m.role == "assistant" for number, m in enumerate(row.messages)]
        texts = [f"{message.role}: {message.content}" for message in row.messages]
        prompt = "\n".join(text for text, trained in zip(texts, said, strict=True) if not trained)
        answer = "\n".join(text for text, trained in zip(texts, said, strict=True) if trained)
    asked, answered = shingles(_plain(prompt)), shingles(_plain(answer))
    if row.rejected is not None:
        answered |= {"r" + shingle for shingle in _parts(row.rejected)[1]}
    return asked, answered


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
