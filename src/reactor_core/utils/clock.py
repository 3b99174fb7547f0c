"""Time, as a value that tests can pass in."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol

__all__ = ["Clock", "SystemClock", "parse_timestamp", "to_iso"]


class Clock(Protocol):
    """What a caller needs to know about time."""

    def utc_now(self) -> datetime:
        """The current time, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds from an arbitrary start that never go back."""
        ...


class SystemClock:
    """The machine's own clock."""

    def utc_now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


def to_iso(moment: datetime) -> str:
    """ISO 8601 in UTC with microseconds and ``Z``, so that text order is time order.

    Args:
        moment: An aware datetime.
    """
    assert moment.tzinfo is not None, "to_iso() takes aware datetimes only"
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def parse_timestamp(text: str) -> datetime:
    """Read an ISO 8601 timestamp as an aware UTC datetime.

    A timestamp without a zone is local time: the services of the JARVIS family write such ones.

    Raises:
        ValueError: The text is no ISO 8601 timestamp.
    """
    return datetime.fromisoformat(text).astimezone(UTC)
