"""Checkpoints in a file: one line of JSON each, appended and synced.

Several journals, and several processes, may share the file. When it has grown to :data:`MAX_BYTES`, a journal's older
lines are thinned as in its own table: the newest stay, of the others the last of each hour.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock

from reactor_core.errors import StorageError
from reactor_core.events.anchors.sink import Record, read_record, record_line
from reactor_core.events.checkpoints import KEEP
from reactor_core.events.note import NoteError, read_checkpoint
from reactor_core.utils.failpoints import reach
from reactor_core.utils.files import atomic_write, fsync_dir, storage_errors

__all__ = ["MAX_BYTES", "FileAnchor"]

MAX_BYTES = 1 << 20
"""Size at which the file is thinned."""

_LOCK_SECONDS = 10.0
_TORN = b" (torn by a crash)\n"
_HOUR_US = 3_600_000_000
_log = logging.getLogger(__name__)


class FileAnchor:
    """A file, best on another disk than the journal.

    Args:
        path: The file; made with its folder, readable by its owner only.
        every: Seconds between two checkpoints at least, unless one is urgent.
    """

    def __init__(self, path: Path, *, every: float = 1.0) -> None:
        self.path = path
        self.where = str(path)
        self.every = every
        self._limit = MAX_BYTES

    def write(self, record: Record) -> None:
        """Append a line and sync it.

        Raises:
            StorageError: The file cannot be written.
        """
        with storage_errors(self.path):
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with FileLock(f"{self.path}.lock", timeout=_LOCK_SECONDS):
                size = self._append(record_line(record) + b"\n")
                reach("anchor.written")
                if size > self._limit:
                    self._thin()

    def read(self, journal_id: str) -> Iterator[Record | str]:
        """The journal's lines; one that is damaged is a text that names it.

        A last line without its end was torn by a crash while it was written: it was never kept, and is left out.

        Raises:
            StorageError: The file cannot be read.
        """
        with storage_errors(self.path), self.path.open("rb") as stream:
            for number, line in enumerate(stream, start=1):
                if not line.endswith(b"\n") or line.endswith(_TORN):
                    continue
                try:
                    owner, record = read_record(line)
                except NoteError as error:
                    yield f"{self.path}, line {number}: {error}"
                else:
                    if owner == journal_id:
                        yield record

    def close(self) -> None:
        """Nothing is held open."""

    def _append(self, line: bytes) -> int:
        """Write a line and sync it; returns the size that the file had before."""
        made = not self.path.exists()
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "rb+", buffering=0) as stream:
            size = os.fstat(descriptor).st_size
            if size > 0 and os.pread(descriptor, 1, size - 1) != b"\n":
                line = _TORN + line
            stream.write(line)
            os.fsync(descriptor)
        if made:
            fsync_dir(self.path.parent)
        return size

    def _thin(self) -> None:
        """Rewrite the file without the lines that need not be kept; damaged ones stay, for verification to see."""
        lines = self.path.read_bytes().splitlines(keepends=True)
        places: dict[str, list[tuple[int, int]]] = {}
        for number, line in enumerate(lines):
            try:
                owner, record = read_record(line)
            except NoteError:
                continue
            made_us = read_checkpoint(record.note.rpartition("\n\n")[0] + "\n").made_us
            places.setdefault(owner, []).append((number, made_us))
        drop: set[int] = set()
        for kept in places.values():
            last_of_hour = {made_us // _HOUR_US: number for number, made_us in kept}
            keep = {*last_of_hour.values(), *(number for number, _ in kept[-KEEP:])}
            drop.update(number for number, _ in kept if number not in keep)
        # Lines that stay can be more than the limit: then wait until as much again has come.
        self._limit = max(MAX_BYTES, 2 * sum(len(line) for number, line in enumerate(lines) if number not in drop))
        try:
            atomic_write(self.path, b"".join(line for number, line in enumerate(lines) if number not in drop))
            self.path.chmod(0o600)
        except StorageError as error:  # the file may be one that can only grow; what had to be kept is kept
            _log.warning("%s is not thinned: %s", self.path, error)
            self._limit = 2 * sum(len(line) for line in lines)
