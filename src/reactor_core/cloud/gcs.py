"""A Google Cloud Storage bucket as a blob store."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from reactor_core.cloud.blobs import ABSENT
from reactor_core.errors import ConfigError, StorageError
from reactor_core.utils.extras import require

__all__ = ["GcsStore"]

_REQUEST_SECONDS = 10.0
"""How long one request may be silent."""
_RETRY_SECONDS = 20.0
"""How long a request is tried again after 408, 429, 5xx or a broken connection, with growing pauses: within the thirty
seconds that a spot machine has."""


class GcsStore:
    """A bucket, or a folder of one. Versions are the objects' generations.

    Args:
        url: ``gs://bucket`` or ``gs://bucket/prefix``.
        project: Google Cloud project that is billed; None takes the credentials' own.
        retry_seconds: How long a failing request is repeated.

    Raises:
        ConfigError: The address names no bucket.
        MissingExtra: google-cloud-storage is not installed.
    """

    fenced = True

    def __init__(self, url: str, *, project: str | None = None, retry_seconds: float = _RETRY_SECONDS) -> None:
        bucket, _, prefix = url.removeprefix("gs://").partition("/")
        if not bucket:
            raise ConfigError(f"{url!r} names no bucket", remedy="write gs://bucket/prefix")
        require("google.cloud.storage", feature=f"the bucket {url}", extra="gcp")
        self.where = url
        self._bucket_name, self._project, self._retry_seconds = bucket, project, retry_seconds
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._lock = threading.Lock()
        self._client: Any = None

    def read(self, name: str) -> tuple[bytes, str] | None:
        """See :class:`~reactor_core.cloud.blobs.BlobStore`."""
        from google.api_core.exceptions import NotFound

        with self._errors(name):
            blob = self._blob(name)
            try:
                data = blob.download_as_bytes(**self._patience())
            except NotFound as error:
                if _bucket_is_missing(error):
                    raise
                return None
            # The download's answer names the generation that was read.
            return data, str(blob.generation)

    def swap(self, name: str, data: bytes, *, expected: str) -> str | None:
        """See :class:`~reactor_core.cloud.blobs.BlobStore`.

        A request whose answer was lost is repeated and then refused, since it had succeeded; what is stored says so.
        """
        from google.api_core.exceptions import PreconditionFailed

        with self._errors(name):
            blob = self._blob(name)
            try:
                blob.upload_from_string(
                    data,
                    content_type="application/json",
                    if_generation_match=0 if expected == ABSENT else int(expected),
                    checksum="crc32c",
                    **self._patience(),
                )
            except PreconditionFailed:
                found = self.read(name)
                return found[1] if found is not None and found[0] == data else None
            return str(blob.generation)

    def upload(self, name: str, file: Path) -> None:
        """See :class:`~reactor_core.cloud.blobs.BlobStore`. The bucket checks the sum of what arrived."""
        with self._errors(name):
            self._blob(name).upload_from_filename(str(file), checksum="crc32c", **self._patience())

    def download(self, name: str, file: Path) -> None:
        """See :class:`~reactor_core.cloud.blobs.BlobStore`."""
        with self._errors(name):
            self._blob(name).download_to_filename(str(file), checksum="crc32c", **self._patience())

    def names(self, prefix: str) -> list[str]:
        """See :class:`~reactor_core.cloud.blobs.BlobStore`."""
        with self._errors(prefix):
            found = self._bucket().list_blobs(prefix=self._prefix + prefix, **self._patience())
            return sorted(blob.name.removeprefix(self._prefix) for blob in found)

    def delete(self, name: str) -> None:
        """See :class:`~reactor_core.cloud.blobs.BlobStore`."""
        from google.api_core.exceptions import NotFound

        with self._errors(name):
            try:
                self._blob(name).delete(**self._patience())
            except NotFound:
                return

    def close(self) -> None:
        """See :class:`~reactor_core.cloud.blobs.BlobStore`."""
        with self._lock:
            if self._client is not None:
                self._client.close()
                self._client = None

    def _blob(self, name: str) -> Any:
        return self._bucket().blob(self._prefix + name)

    def _bucket(self) -> Any:
        with self._lock:
            if self._client is None:
                from google.cloud import storage

                self._client = storage.Client(project=self._project)
            return self._client.bucket(self._bucket_name)

    def _patience(self) -> dict[str, Any]:
        from google.cloud.storage.retry import DEFAULT_RETRY

        retry: Callable[..., Any] = DEFAULT_RETRY.with_timeout(self._retry_seconds)
        return {"timeout": _REQUEST_SECONDS, "retry": retry}

    @contextmanager
    def _errors(self, name: str) -> Iterator[None]:
        from google.api_core.exceptions import Forbidden, GoogleAPIError, Unauthorized
        from google.auth.exceptions import GoogleAuthError
        from google.cloud.storage.exceptions import DataCorruption, InvalidResponse

        try:
            yield
        except StorageError:
            raise
        except (Forbidden, Unauthorized, GoogleAuthError) as error:
            raise StorageError(
                f"{self.where}/{name}: {error}",
                remedy="give this machine's service account the role Storage Object User on the bucket",
            ) from error
        except (GoogleAPIError, InvalidResponse, DataCorruption, OSError) as error:  # requests' errors are OSErrors
            raise StorageError(f"{self.where}/{name}: {error}") from error


def _bucket_is_missing(error: Exception) -> bool:
    """Whether 404 is said of the bucket; Google's words differ from those about an object."""
    return "bucket does not exist" in str(error)
