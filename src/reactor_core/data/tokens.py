"""Tokenized rows as two arrays on disk, read back a row at a time; a second run finds them again.

=================  ============================================================================================
``tokens.i32``     all documents end to end, little-endian int32; a trained token ``t`` is stored as ``-1 - t``
``index.i64``      int64 ``[D, 2]``: end of each document in ``tokens.i32``, and how many trained tokens were cut off
``manifest.json``  what the tokens were made from, and the hashes of both files; written last
=================  ============================================================================================
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, overload

import numpy as np
import numpy.typing as npt
from filelock import FileLock

from reactor_core.data.packing import Document
from reactor_core.data.pairs import Pair
from reactor_core.utils.canonical import content_hash
from reactor_core.utils.files import sha256_file, storage_errors
from reactor_core.utils.ids import new_id

__all__ = ["UNUSED_DAYS", "PairTable", "TokenTable", "stored_tokens"]

UNUSED_DAYS = 30
"""Stored tokens that no run has asked for in this time are removed when others are stored."""

_TOKENS, _INDEX, _MANIFEST = "tokens.i32", "index.i64", "manifest.json"
_FORMAT = 1  # raise it when the same row gives other tokens or another mask

Tokens = npt.NDArray[np.int32]
Index = npt.NDArray[np.int64]


class TokenTable(Sequence[Document]):
    """Documents that are made when they are asked for.

    Args:
        tokens: ``[T]`` all documents end to end, trained ones as their complement.
        index: ``[D, 2]`` end of each document, and its trained tokens that were cut off.
        per_row: Documents of one row: 1, or 2 where a row holds a chosen and a rejected answer.
    """

    def __init__(self, tokens: Tokens, index: Index, *, per_row: int = 1) -> None:
        self._tokens, self._index, self._per_row = tokens, index, per_row

    def __len__(self) -> int:
        return len(self._index)

    @overload
    def __getitem__(self, index: int) -> Document: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Document]: ...
    def __getitem__(self, index: int | slice) -> Document | Sequence[Document]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        place = range(len(self))[index]
        start = int(self._index[place - 1, 0]) if place else 0
        end, cut = self._index[place].tolist()
        spelled = np.asarray(self._tokens[start:end])
        trained = spelled < 0
        ids = np.where(trained, ~spelled, spelled)
        return Document(tuple(ids.tolist()), tuple(trained.tolist()), place // self._per_row, cut)

    @property
    def lengths(self) -> Index:
        """Tokens of each document, ``[D]``."""
        return np.diff(self._index[:, 0], prepend=0)

    @property
    def cut(self) -> Index:
        """Trained tokens that each document lost to the greatest length, ``[D]``."""
        return self._index[:, 1]

    def above(self, vocabulary: int) -> int | None:
        """Place of a document with a token id that is not below ``vocabulary``; None if there is none."""
        for start in range(0, len(self._tokens), 1 << 22):
            part = self._tokens[start : start + (1 << 22)]
            wrong = (part >= vocabulary) | (part < -vocabulary)
            if wrong.any():
                return int(np.searchsorted(self._index[:, 0], start + int(wrong.argmax()), side="right"))
        return None


class PairTable(Sequence[Pair]):
    """Pairs over a table that holds two documents a row, the better one first."""

    def __init__(self, table: TokenTable) -> None:
        self._table = table

    def __len__(self) -> int:
        return len(self._table) // 2

    @overload
    def __getitem__(self, index: int) -> Pair: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Pair]: ...
    def __getitem__(self, index: int | slice) -> Pair | Sequence[Pair]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        row = range(len(self))[index]
        return Pair(self._table[2 * row], self._table[2 * row + 1], row)


def stored_tokens(
    folder: Path, made_from: Mapping[str, Any], encode: Callable[[], Iterable[Document]], *, per_row: int = 1
) -> TokenTable:
    """The tokens of a dataset: those that an earlier run has stored, or else encoded now and stored.

    Args:
        folder: Where tokens are stored; each set in a folder of its own.
        made_from: All that decides the tokens, as JSON: hashes of dataset, tokenizer and template, options.
        encode: Gives the documents in order, all of them, if nothing is stored. What it raises is passed on, and
            nothing is stored then.
        per_row: Documents of one row.

    Raises:
        StorageFull: No space is left.
    """
    key = content_hash({"format": _FORMAT, **made_from})
    place = folder / key[:32]
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / f"{place.name}.lock"):  # a second run that starts meanwhile waits, and encodes nothing
        if _whole(place):
            os.utime(place / _MANIFEST)
        else:
            shutil.rmtree(place, ignore_errors=True)
            _store(place, key, made_from, encode())
            _sweep(folder, keep=place)
        return TokenTable(
            _mapped(place / _TOKENS, "<i4"), _mapped(place / _INDEX, "<i8").reshape(-1, 2), per_row=per_row
        )


def _mapped(file: Path, kind: str) -> npt.NDArray[Any]:
    return np.memmap(file, dtype=kind, mode="r") if file.stat().st_size else np.empty(0, kind)


def _store(place: Path, key: str, made_from: Mapping[str, Any], documents: Iterable[Document]) -> None:
    """Write a set of tokens. Nothing is synced: after a power failure the hashes tell, and they are made again."""
    temporary = place.with_name(f".tmp-{new_id()}")
    with storage_errors(place):
        try:
            temporary.mkdir()
            end = 0
            with (temporary / _TOKENS).open("wb") as tokens, (temporary / _INDEX).open("wb") as index:
                for document in documents:
                    ids, trained = np.array(document.ids, "<i4"), np.array(document.trained, bool)
                    tokens.write(np.where(trained, ~ids, ids).astype("<i4").tobytes())
                    end += len(ids)
                    index.write(np.array([end, document.cut], "<i8").tobytes())
            manifest = {
                "key": key,
                "made_from": dict(made_from),
                "sha256": {name: sha256_file(temporary / name) for name in (_TOKENS, _INDEX)},
            }
            (temporary / _MANIFEST).write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n", encoding="utf-8")
            temporary.replace(place)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def _whole(place: Path) -> bool:
    """Whether there are tokens that are as they were written; what cannot be read is made again."""
    try:
        expected = json.loads((place / _MANIFEST).read_text(encoding="utf-8"))["sha256"]
        return all(sha256_file(place / name) == expected[name] for name in (_TOKENS, _INDEX))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _sweep(folder: Path, *, keep: Path) -> None:
    """Remove what a killed process left, and tokens that were not asked for in a long time.

    A run that still reads some of them goes on: removed files stay readable while they are open.
    """
    now = time.time()
    for entry in folder.iterdir():
        with contextlib.suppress(OSError):  # another process sweeps as well
            asked = entry / _MANIFEST if (entry / _MANIFEST).exists() else entry
            if entry.is_dir() and entry != keep and now - asked.stat().st_mtime > UNUSED_DAYS * 86_400:
                shutil.rmtree(entry)
