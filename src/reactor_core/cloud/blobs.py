"""Named bytes in a bucket or a folder, with the one operation that lets two machines agree: compare and swap.

:func:`reactor_core.cloud.stores.open_store` opens one by its address.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import Protocol, runtime_checkable

from filelock import FileLock

from reactor_core.utils.files import atomic_write, storage_errors
from reactor_core.utils.ids import new_id

__all__ = ["ABSENT", "BlobStore", "FolderStore"]

ABSENT = ""
"""The version of a name under which nothing is stored."""


@runtime_checkable
class BlobStore(Protocol):
    """What checkpoints need of a bucket. Names are relative paths with ``/``.

    Every method may be called from any thread, and raises StorageError where the store cannot be reached or refuses.
    """

    where: str
    """Its address, without credentials."""
    fenced: bool
    """Whether :meth:`swap` is atomic between machines."""

    def read(self, name: str) -> tuple[bytes, str] | None:
        """Content and version, None where nothing is stored under the name."""
        ...

    def swap(self, name: str, data: bytes, *, expected: str) -> str | None:
        """Replace the content if its version is still ``expected`` (:data:`ABSENT` for nothing).

        Returns:
            The new version; None if somebody else was first, and nothing was changed.
        """
        ...

    def upload(self, name: str, file: Path) -> None:
        """Store a file under a name; readers meet all of it or nothing."""
        ...

    def download(self, name: str, file: Path) -> None:
        """Write what is stored under a name into a file, which may be a part of it if that fails."""
        ...

    def names(self, prefix: str) -> list[str]:
        """Everything stored under names with this beginning."""
        ...

    def delete(self, name: str) -> None:
        """Remove a name; no error where nothing is stored under it."""
        ...

    def close(self) -> None:
        """Give up connections; the next call makes new ones."""
        ...


class FolderStore:
    """A folder of this machine or of a shared disk.

    Versions are hashes of the content, so contents that are swapped must differ each time. Swapping is atomic among
    the machines that honour each other's file locks (not on every network file system).

    Args:
        folder: Made when it is needed.
    """

    fenced = True

    def __init__(self, folder: Path) -> None:
        self.where = str(folder)
        self._folder = folder

    def read(self, name: str) -> tuple[bytes, str] | None:
        """See :class:`BlobStore`."""
        with storage_errors(self._folder / name):
            try:
                data = (self._folder / name).read_bytes()
            except FileNotFoundError:
                return None
        return data, hashlib.sha256(data).hexdigest()

    def swap(self, name: str, data: bytes, *, expected: str) -> str | None:
        """See :class:`BlobStore`."""
        with storage_errors(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
            with FileLock(self._folder / ".lock"):
                found = self.read(name)
                if (ABSENT if found is None else found[1]) != expected:
                    return None
                atomic_write(self._folder / name, data)
        return hashlib.sha256(data).hexdigest()

    def upload(self, name: str, file: Path) -> None:
        """See :class:`BlobStore`."""
        place = self._folder / name
        temporary = place.parent / f".tmp-{new_id()}"
        with storage_errors(place):
            place.parent.mkdir(parents=True, exist_ok=True)
            try:
                shutil.copyfile(file, temporary)
                with temporary.open("rb") as stream:
                    os.fsync(stream.fileno())
                temporary.replace(place)
            finally:
                temporary.unlink(missing_ok=True)

    def download(self, name: str, file: Path) -> None:
        """See :class:`BlobStore`."""
        with storage_errors(file):
            shutil.copyfile(self._folder / name, file)

    def names(self, prefix: str) -> list[str]:
        """See :class:`BlobStore`."""
        with storage_errors(self._folder):
            # What a killed upload left is listed too, so that it can be removed.
            found = (path for path in self._folder.rglob("*") if path.is_file() and path.name != ".lock")
            names = sorted(path.relative_to(self._folder).as_posix() for path in found)
        return [name for name in names if name.startswith(prefix)]

    def delete(self, name: str) -> None:
        """See :class:`BlobStore`."""
        with storage_errors(self._folder / name):
            (self._folder / name).unlink(missing_ok=True)

    def close(self) -> None:
        """See :class:`BlobStore`."""
