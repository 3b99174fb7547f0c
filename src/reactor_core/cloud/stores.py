"""Blob stores by their address."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from reactor_core.cloud.blobs import BlobStore, FolderStore
from reactor_core.cloud.fsspec_store import FsspecStore
from reactor_core.cloud.gcs import GcsStore
from reactor_core.errors import ConfigError

__all__ = ["open_store"]


def open_store(url: str, *, project: str | None = None) -> BlobStore:
    """The store at an address. Nothing is connected to before it is used.

    Args:
        url: ``gs://bucket/prefix``; a path or ``file://`` of a folder, which is made when it is needed; any other
            ``protocol://`` that fsspec knows.
        project: Google Cloud project that is billed; None takes the credentials' own.

    Raises:
        ConfigError: The address names no bucket, or fsspec does not know its protocol.
        MissingExtra: The library for it is not installed.
    """
    scheme = urlsplit(url).scheme if "://" in url else ""
    if scheme == "gs":
        return GcsStore(url, project=project)
    if scheme in ("", "file"):
        path = unquote(urlsplit(url).path) if scheme else url
        if not path:
            raise ConfigError(f"{url!r} names no folder", remedy="write a path, or gs://bucket/prefix")
        return FolderStore(Path(path).expanduser())
    return FsspecStore(url)
