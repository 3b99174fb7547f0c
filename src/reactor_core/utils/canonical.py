"""One spelling of a JSON value, so that equal values have equal hashes."""

from __future__ import annotations

import hashlib
import json
from typing import Any

__all__ = ["canonical_json", "content_hash"]


def canonical_json(value: Any) -> bytes:
    """Encode with sorted keys, no spaces and UTF-8.

    Floats take Python's shortest round-trip form. This is not RFC 8785 (which sorts keys by UTF-16 units and prints
    numbers as ECMAScript does); both ends of every comparison in this project use this function.

    Raises:
        ValueError: The value holds NaN or an infinity, which JSON cannot carry.
        TypeError: The value holds something that JSON has no form for.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def content_hash(value: Any) -> str:
    """SHA-256 of :func:`canonical_json`, as 64 hex digits."""
    return hashlib.sha256(canonical_json(value)).hexdigest()
