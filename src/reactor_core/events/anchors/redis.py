"""Checkpoints in a Redis (or Valkey) stream per journal, ``reactor:anchors:<journal id>``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import redis

from reactor_core.errors import ConfigError, StorageError
from reactor_core.events.anchors.sink import Record, read_record, record_line
from reactor_core.events.note import NoteError

__all__ = ["MAX_ENTRIES", "RedisAnchor"]

MAX_ENTRIES = 4096
"""About how many checkpoints the stream holds; older ones go."""

_SECONDS = 5.0
"""How long the server may take to answer."""


class RedisAnchor:
    """A stream on a server.

    Args:
        url: ``redis://``, ``rediss://`` or ``unix://``.
        journal_id: Whose checkpoints it keeps.

    Raises:
        ConfigError: The address cannot be used.
    """

    def __init__(self, url: str, journal_id: str, *, every: float = 1.0) -> None:
        parts = urlsplit(url)
        self.where = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
        self.every = every
        self._key = _stream(journal_id)
        try:
            # Connects at the first command.
            self._redis: Any = redis.Redis.from_url(url, socket_timeout=_SECONDS, socket_connect_timeout=_SECONDS)
        except ValueError as error:
            raise ConfigError(f"anchor {self.where}: {error}", remedy="write redis://host:port/number") from error

    def write(self, record: Record) -> None:
        """Add an entry. How safe it is there is a matter of the server's own persistence.

        Raises:
            StorageError: The server cannot be reached or refuses.
        """
        try:
            self._redis.xadd(self._key, {"record": record_line(record)}, maxlen=MAX_ENTRIES, approximate=True)
        except redis.RedisError as error:
            raise StorageError(f"anchor {self.where}: {error}") from error

    def read(self, journal_id: str) -> Iterator[Record | str]:
        """The stream's entries, in order; one that is damaged is a text that names it.

        Raises:
            StorageError: The server cannot be reached.
        """
        try:
            entries = self._redis.xrange(_stream(journal_id))
        except redis.RedisError as error:
            raise StorageError(f"anchor {self.where}: {error}") from error
        for number, fields in entries:
            try:
                yield read_record(fields.get(b"record", b""))[1]
            except NoteError as error:
                yield f"{self.where}, entry {number.decode()}: {error}"

    def close(self) -> None:
        """Close the connections."""
        self._redis.close()


def _stream(journal_id: str) -> str:
    return f"reactor:anchors:{journal_id}"
