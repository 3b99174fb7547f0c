"""Any file system that fsspec knows as a blob store."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from reactor_core.cloud.blobs import ABSENT
from reactor_core.errors import ConfigError, ReactorError, StorageError
from reactor_core.utils.extras import require

__all__ = ["FsspecStore"]


class FsspecStore:
    """A folder of such a file system.

    fsspec has no compare-and-swap, so two machines that write at the same moment are not kept apart: the checks find
    out afterwards what was lost. Use a bucket of Google Cloud Storage where that matters.

    Args:
        url: Such as ``memory://checkpoints``, ``sftp://host/path`` or ``s3://bucket/prefix``.

    Raises:
        ConfigError: fsspec does not know the protocol.
        MissingExtra: fsspec is not installed.
    """

    fenced = False

    def __init__(self, url: str) -> None:
        fsspec = require("fsspec", feature=f"checkpoints in {url}", extra="train")
        try:
            self._system, root = fsspec.core.url_to_fs(url)
        except (ValueError, ImportError) as error:
            raise ConfigError(f"{url}: {error}", remedy="install the file system's package, or use gs://") from error
        self._root = str(root).rstrip("/")
        self.where = f"{url.partition('://')[0]}://{self._root.lstrip('/')}"  # as fsspec strips it: no credentials

    def read(self, name: str) -> tuple[bytes, str] | None:
        """See :class:`~reactor_core.cloud.blobs.BlobStore`; the version is the content's hash."""
        with self._errors(name):
            try:
                data: bytes = self._system.cat_file(self._path(name))
            except FileNotFoundError:
                return None
            return data, hashlib.sha256(data).hexdigest()

    def swap(self, name: str, data: bytes, *, expected: str) -> str | None:
        """See :class:`~reactor_core.cloud.blobs.BlobStore`; looks, then writes, which is not atomic."""
        found = self.read(name)
        if (ABSENT if found is None else found[1]) != expected:
            return None
        with self._errors(name):
            self._make_parent(name)
            self._system.pipe_file(self._path(name), data)
        return hashlib.sha256(data).hexdigest()

    def upload(self, name: str, file: Path) -> None:
        """See :class:`~reactor_core.cloud.blobs.BlobStore`."""
        with self._errors(name):
            self._make_parent(name)
            self._system.put_file(str(file), self._path(name))

    def download(self, name: str, file: Path) -> None:
        """See :class:`~reactor_core.cloud.blobs.BlobStore`."""
        with self._errors(name):
            self._system.get_file(self._path(name), str(file))

    def names(self, prefix: str) -> list[str]:
        """See :class:`~reactor_core.cloud.blobs.BlobStore`."""
        with self._errors(prefix):
            self._system.invalidate_cache()
            found: list[Any] = self._system.find(self._root) if self._system.exists(self._root) else []
        cut = len(self._root) + 1
        return sorted(path[cut:] for path in found if path[cut:].startswith(prefix))

    def delete(self, name: str) -> None:
        """See :class:`~reactor_core.cloud.blobs.BlobStore`."""
        with self._errors(name):
            try:
                self._system.rm_file(self._path(name))
            except FileNotFoundError:
                return

    def close(self) -> None:
        """See :class:`~reactor_core.cloud.blobs.BlobStore`; fsspec keeps its own connections."""

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _make_parent(self, name: str) -> None:
        self._system.makedirs(self._path(name).rpartition("/")[0], exist_ok=True)

    @contextmanager
    def _errors(self, name: str) -> Iterator[None]:
        try:
            yield
        except ReactorError:
            raise
        except Exception as error:  # each file system has errors of its own
            raise StorageError(f"{self.where}/{name}: {type(error).__name__}: {error}") from error
