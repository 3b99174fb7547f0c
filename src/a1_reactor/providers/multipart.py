"""Bodies of several parts (RFC 2046): written whole, read one part at a time without trust."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from typing import IO

from reactor_core.errors import ProviderError

__all__ = ["Part", "boundary_of", "join_parts", "read_parts"]

_MAX_HEADER_BYTES = 4096
_CHUNK = 1 << 16
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=?-]{1,70}")  # RFC 2046, without the blank


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a body."""

    headers: Mapping[str, str]
    """By name in small letters."""
    data: bytes


def boundary_of(content_type: str) -> str | None:
    """The boundary that a ``Content-Type`` names, or None if there is none that can be used."""
    message = Message()
    message["Content-Type"] = content_type
    found = message.get_param("boundary")
    return found if isinstance(found, str) and _BOUNDARY.fullmatch(found) else None


def join_parts(parts: Iterable[Part]) -> tuple[bytes, str]:
    """A body and the boundary between its parts; the boundary is random, so no part holds it."""
    boundary = secrets.token_hex(16)
    pieces = []
    for part in parts:
        head = "".join(f"{name}: {value}\r\n" for name, value in part.headers.items())
        pieces += [f"--{boundary}\r\n{head}\r\n".encode(), part.data, b"\r\n"]
    return b"".join([*pieces, f"--{boundary}--\r\n".encode()]), boundary


def read_parts(stream: IO[bytes], boundary: str, *, max_part_bytes: int) -> Iterator[Part]:
    """The parts in order; one is in memory at a time.

    Args:
        max_part_bytes: Longest part.

    Raises:
        ProviderError: The body is torn, a part is too long, or its head is no list of headers.
    """
    reader = _Reader(stream)
    mark = b"--" + boundary.encode()
    if reader.take(len(mark)) != mark:
        raise ProviderError("the body does not begin with its boundary")
    while True:
        end = reader.take(2)
        if end == b"--":
            return
        if end != b"\r\n":
            raise ProviderError("a boundary of the body is not followed by a line end")
        head = reader.until(b"\r\n\r\n", _MAX_HEADER_BYTES)
        yield Part(_headers(head), reader.until(b"\r\n" + mark, max_part_bytes))


def _headers(head: bytes) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in head.decode("latin-1").split("\r\n"):
        name, colon, value = line.partition(":")
        if not colon or not name.strip() or name.strip().lower() in headers:
            raise ProviderError(f"a part of the body has the header {line[:80]!r}")
        headers[name.strip().lower()] = value.strip()
    return headers


class _Reader:
    """Reads up to a mark, with a limit on how far that may be."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._held = bytearray()

    def _more(self) -> None:
        chunk = self._stream.read(_CHUNK)
        if not chunk:
            raise ProviderError("the body ends in the middle of a part", retryable=True)
        self._held += chunk

    def take(self, count: int) -> bytes:
        while len(self._held) < count:
            self._more()
        taken = bytes(self._held[:count])
        del self._held[:count]
        return taken

    def until(self, mark: bytes, limit: int) -> bytes:
        """All before the mark; the mark is passed over."""
        seen = 0
        while (found := self._held.find(mark, max(0, seen - len(mark)))) < 0:
            seen = len(self._held)
            if seen > limit + len(mark):
                break
            self._more()
        if found < 0 or found > limit:
            raise ProviderError(f"a part of the body is longer than {limit} bytes")
        taken = bytes(self._held[:found])
        del self._held[: found + len(mark)]
        return taken
