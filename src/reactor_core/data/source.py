"""The lines of a data file, found again by position, so that a file may be larger than memory.

=============== =====================================================================================
``.jsonl``      read in place; any name without one of the endings below is read so, too
``.jsonl.gz``   unpacked once into a nameless temporary file
``.json``       a list of objects, decoded whole, so it must fit into memory; JSON Lines under that name are
                read as such
``.csv``        a header, then one row a record; all values are strings, empty ones count as absent
=============== =====================================================================================

A row of a list or a table is known by its number in it, instead of by its line. Parquet, Zstandard and other archives
are refused with the command that converts them.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import os
import tempfile
import weakref
import zlib
from array import array
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, BinaryIO, overload

from reactor_core.errors import DatasetError, StorageError
from reactor_core.utils.files import storage_errors

__all__ = ["Lines", "check_file", "open_lines"]

_REFUSED = {
    ".parquet": "pandas.read_parquet(FILE).to_json('rows.jsonl', orient='records', lines=True)",
    ".arrow": "datasets.load_from_disk(FOLDER).to_json('rows.jsonl')",
    ".zst": "zstd -d FILE",
    ".xz": "xz -d FILE",
    ".bz2": "bunzip2 FILE",
    ".zip": "unzip FILE",
}


class Lines(Sequence[tuple[int, bytes]]):
    """``(number, bytes)`` of each line that is not blank; numbers count from 1 and count blank lines.

    Only three integers a line are held in memory. Iterating and indexing read the file.

    Args:
        path: The file, for messages.
        descriptor: An open file that holds the lines; closed with this object.

    Raises:
        DatasetError: The file was changed since it was opened.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor
        weakref.finalize(self, os.close, descriptor)
        self._stamp = _look(descriptor)
        self._starts, self._sizes, self._numbers = array("q"), array("q"), array("q")
        place = 0
        with os.fdopen(os.dup(descriptor), "rb") as stream:
            stream.seek(0)
            for number, raw in enumerate(stream, start=1):
                if raw.strip():
                    self._starts.append(place)
                    self._sizes.append(len(raw))
                    self._numbers.append(number)
                place += len(raw)

    def __len__(self) -> int:
        return len(self._starts)

    @overload
    def __getitem__(self, index: int) -> tuple[int, bytes]: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[tuple[int, bytes]]: ...
    def __getitem__(self, index: int | slice) -> tuple[int, bytes] | Sequence[tuple[int, bytes]]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        raw = os.pread(self._descriptor, self._sizes[index], self._starts[index])
        if _look(self._descriptor) != self._stamp:
            raise DatasetError("was changed while it was being read", path=self.path, remedy="run again")
        return self._numbers[index], raw


def check_file(path: Path) -> None:
    """What can be said of a file of rows without opening it, and so before anything large is loaded.

    Raises:
        DatasetError: It is absent, a folder, or empty.
    """
    if path.is_dir():
        raise DatasetError("is a folder", path=path, remedy="name a JSON Lines file in it")
    if not path.is_file():
        raise DatasetError("no such file", path=path, remedy="give a JSON Lines file")
    if path.stat().st_size == 0:
        raise DatasetError("holds no rows", path=path, remedy="one JSON object a line")


def open_lines(path: Path) -> tuple[Lines, str]:
    """Open a data file.

    Args:
        path: The file; its ending says how it is written (see the table above).

    Returns:
        Its rows as lines of JSON, and the SHA-256 of the file's own bytes.

    Raises:
        DatasetError: The file is absent, cannot be read as what its name says, or is of a kind that is not read.
        StorageFull: There is no space for the unpacked lines.
    """
    if not path.is_file():
        check_file(path)
    name = path.name.lower()
    for ending, command in _REFUSED.items():
        if name.endswith(ending):
            raise DatasetError(f"{ending} is not read", path=path, remedy=f"convert it to JSON Lines: {command}")
    try:
        with path.open("rb") as stream:
            before = _look(stream.fileno())
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
            stream.seek(0)
            spell = _speller(name, stream)
            descriptor = os.dup(stream.fileno()) if spell is None else _unpacked(path, stream, spell)
            lines = Lines(path, descriptor)
            if _look(stream.fileno()) != before:
                raise DatasetError("was changed while it was being read", path=path, remedy="run again")
    except OSError as error:
        if isinstance(error, StorageError):
            raise
        raise DatasetError(f"cannot be read: {error.strerror or error}", path=path) from error
    return lines, digest


def _look(descriptor: int) -> tuple[int, int]:
    """What changes when somebody writes to an open file."""
    status = os.fstat(descriptor)
    return status.st_size, status.st_mtime_ns


_Spell = Callable[[Path, IO[bytes], IO[bytes]], None]


def _speller(name: str, stream: BinaryIO) -> _Spell | None:
    """What turns a file into JSON Lines; None if it is that already."""
    if name.endswith(".gz"):
        return _unzip
    if name.endswith(".csv"):
        return _spell_table
    if name.endswith(".json"):  # some name their JSON Lines so; no line of those begins a list
        start = stream.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip()
        stream.seek(0)
        return _spell_list if start.startswith(b"[") else None
    return None


def _unpacked(path: Path, stream: BinaryIO, spell: _Spell) -> int:
    with tempfile.TemporaryFile() as target:
        spell(path, stream, target)
        target.flush()
        return os.dup(target.fileno())


def _unzip(path: Path, source: IO[bytes], target: IO[bytes]) -> None:
    try:
        with gzip.open(source) as stream:
            while block := stream.read(1 << 20):
                with _space():
                    target.write(block)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DatasetError(f"is no whole gzip file: {error}", path=path, remedy="copy it again") from error


def _spell_list(path: Path, source: IO[bytes], target: IO[bytes]) -> None:
    try:
        rows = json.loads(source.read().decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"is no JSON: {error}", path=path, remedy="correct the file") from error
    for row in rows:
        _write(row, target)


def _spell_table(path: Path, source: IO[bytes], target: IO[bytes]) -> None:
    text = io.TextIOWrapper(source, "utf-8-sig", newline="")
    try:
        reader = csv.DictReader(text, strict=True)
        for row in reader:
            if None in row or None in row.values():
                raise DatasetError("has not as many values as the header", path=path, line=reader.line_num)
            _write({name: value for name, value in row.items() if value}, target)
    except (csv.Error, UnicodeDecodeError) as error:
        raise DatasetError(f"is no CSV in UTF-8: {error}", path=path, remedy="correct the file") from error
    finally:
        text.detach()


def _write(row: object, target: IO[bytes]) -> None:
    with _space():
        target.write(json.dumps(row).encode() + b"\n")


def _space() -> AbstractContextManager[None]:
    return storage_errors(Path(tempfile.gettempdir()))
