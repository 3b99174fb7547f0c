"""Checkpoints as objects of a Google Cloud Storage bucket: ``gs://bucket/prefix/<journal id>/<size>.json``.

Each object is created once and never replaced, so a bucket with a retention policy makes an anchor that nobody can
take back before its time, not even the holder of these credentials.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reactor_core.errors import ConfigError, StorageError
from reactor_core.events.anchors.sink import Record, read_record, record_line
from reactor_core.events.note import NoteError
from reactor_core.utils.extras import require

__all__ = ["READ_NEWEST", "GcsAnchor"]

READ_NEWEST = 16
"""Newest objects that are read; the newest one alone fixes every row before it, the others narrow damage down."""

_SECONDS = 20.0


class GcsAnchor:
    """A folder of a bucket.

    Args:
        url: ``gs://bucket`` or ``gs://bucket/prefix``.
        journal_id: Whose checkpoints it keeps.
        every: Seconds between two objects at least, unless a checkpoint is urgent: each is a paid request.

    Raises:
        ConfigError: The address names no bucket.
    """

    def __init__(self, url: str, journal_id: str, *, every: float = 60.0) -> None:
        bucket, _, prefix = url.removeprefix("gs://").partition("/")
        if not bucket:
            raise ConfigError(f"anchor {url!r} names no bucket", remedy="write gs://bucket/prefix")
        self.where = url
        self.every = every
        self._bucket_name = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._journal_id = journal_id
        self._client: Any = None

    def write(self, record: Record) -> None:
        """Create an object; one that is there already, from another process, stays.

        Raises:
            MissingExtra: google-cloud-storage is not installed.
            StorageError: The bucket cannot be reached or refuses.
        """
        from google.api_core.exceptions import PreconditionFailed

        def upload() -> None:
            blob = self._bucket().blob(f"{self._folder(self._journal_id)}{record.size:020d}.json")
            try:
                blob.upload_from_string(
                    record_line(record), content_type="application/json", if_generation_match=0, timeout=_SECONDS
                )
            except PreconditionFailed:
                return

        self._guarded(upload)

    def read(self, journal_id: str) -> Iterator[Record | str]:
        """The newest objects, in order; one that is damaged is a text that names it.

        Raises:
            MissingExtra: google-cloud-storage is not installed.
            StorageError: The bucket cannot be reached.
        """
        found: list[tuple[str, bytes]] = []

        def download() -> None:
            blobs = sorted(self._bucket().list_blobs(prefix=self._folder(journal_id)), key=lambda blob: blob.name)
            found.extend((blob.name, blob.download_as_bytes(timeout=_SECONDS)) for blob in blobs[-READ_NEWEST:])

        self._guarded(download)
        for name, line in found:
            try:
                yield read_record(line)[1]
            except NoteError as error:
                yield f"gs://{self._bucket_name}/{name}: {error}"

    def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _folder(self, journal_id: str) -> str:
        return f"{self._prefix}{journal_id}/"

    def _bucket(self) -> Any:
        if self._client is None:
            storage = require("google.cloud.storage", feature=f"the anchor {self.where}", extra="gcp")
            self._client = storage.Client()
        return self._client.bucket(self._bucket_name)

    def _guarded(self, call: Any) -> None:
        require("google.cloud.storage", feature=f"the anchor {self.where}", extra="gcp")
        from google.api_core.exceptions import GoogleAPIError
        from google.auth.exceptions import GoogleAuthError

        try:
            call()
        except (GoogleAPIError, GoogleAuthError, OSError) as error:  # requests' errors are OSErrors
            raise StorageError(f"anchor {self.where}: {error}") from error
