"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reactor_core.errors import StorageError, StorageFull
from reactor_core.utils.failpoints import reach
from reactor_core.utils.ids import new_id

__all__ = [
    "atomic_dir",
    "atomic_write",
    "fsync_dir",
    "put_back_replaced",
    "sha256_file",
    "storage_errors",
    "sweep_unfinished",
]

_PREFIX = ".tmp-"
_REPLACED = f"{_PREFIX}was-"
"""Before the name of a folder that is being replaced."""
_NO_SPACE = {errno.ENOSPC, errno.EDQUOT}


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn an OSError inside the block into StorageFull or StorageError that names ``path``."""
    try:
        yield
    except StorageError:
        raise
    except OSError as error:
        if error.errno in _NO_SPACE:
            raise StorageFull(f"no space left while writing {path}", remedy="free space, then run again") from error
        raise StorageError(f"cannot write {path}: {error.strerror or error}") from error


def fsync_dir(path: Path) -> None:
    """Make a rename inside ``path`` durable (a no-op where folders cannot be opened, as on Windows)."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except PermissionError:
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def atomic_write(path: Path, data: bytes | str) -> None:
    """Write a file so that a reader, or a crash, meets the old content or the new, never a part.

    Raises:
        StorageFull: No space is left; the old file, if any, is unchanged.
        StorageError: Any other failure of the file system.
    """
    payload = data.encode() if isinstance(data, str) else data
    temporary = path.parent / f"{_PREFIX}{new_id()}"
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("wb") as stream:
                stream.write(payload)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(temporary, path)
            fsync_dir(path.parent)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def atomic_dir(path: Path) -> Iterator[Path]:
    """Fill a temporary sibling folder and rename it to ``path`` at the end.

    The folder is thrown away if the block raises, Ctrl-C included. An existing ``path`` is replaced only by a complete
    one. That takes two renames; a process that is killed between them leaves the old one under another name, from which
    :func:`put_back_replaced` brings it back.

    Raises:
        StorageFull: No space is left; ``path`` is as it was.
        StorageError: Any other failure of the file system.
    """
    temporary, old = path.parent / f"{_PREFIX}{new_id()}", path.parent / f"{_REPLACED}{path.name}"
    with storage_errors(path):
        temporary.mkdir(parents=True)
        try:
            yield temporary
            for file in temporary.rglob("*"):
                if file.is_file():
                    with file.open("rb") as stream:
                        os.fsync(stream.fileno())
            _put_back(old)
            if path.exists():
                os.replace(path, old)
                reach("files.replaced")
            os.replace(temporary, path)
            fsync_dir(path.parent)
        finally:
            _put_back(old)
            for entry in (temporary, old):
                if entry.exists():
                    shutil.rmtree(entry)


def put_back_replaced(folder: Path) -> int:
    """Bring back the folders inside ``folder`` that a killed process was replacing and whose successors are not there;
    returns how many. Call it where nobody else writes."""
    return sum(_put_back(old) for old in sorted(folder.glob(f"{_REPLACED}*")))


def _put_back(old: Path) -> bool:
    """Bring a folder that was being replaced back to its place; False where there is none, or a successor is there."""
    place = old.with_name(old.name.removeprefix(_REPLACED))
    if not old.exists() or place.exists():
        return False
    os.replace(old, place)
    return True


def sweep_unfinished(folder: Path) -> int:
    """Remove what a killed process left behind in ``folder``; returns how many entries were removed. What it was
    replacing is brought back."""
    put_back_replaced(folder)
    count = 0
    for entry in folder.glob(f"{_PREFIX}*"):
        if entry.is_dir():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)
        count += 1
    return count


def sha256_file(path: Path) -> str:
    """SHA-256 of a file's bytes, as 64 hex digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
