"""Identifiers that sort by the time they were made."""

from __future__ import annotations

import uuid_utils

__all__ = ["new_id", "new_run_id"]


def new_id() -> str:
    """A UUIDv7 (RFC 9562) in its usual 36-character form; later ids sort after earlier ones."""
    return str(uuid_utils.uuid7())


def new_run_id(kind: str) -> str:
    """A UUIDv7 behind a readable prefix, for folders of runs: ``train-0197...``."""
    return f"{kind}-{new_id()}"
