"""Which events are the same event: a window of keys, with time passed in."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from reactor_core.errors import ConfigError
from reactor_core.events.vocabulary import DEDUP_WINDOW_SECONDS
from reactor_core.utils.canonical import content_hash

__all__ = ["DedupWindow", "content_key", "named_key"]


def content_key(source: str, event_type: str, data: Mapping[str, Any]) -> str:
    """The key under which equal readings of one source meet. Metadata does not count."""
    return content_hash([str(source), str(event_type), dict(data)])


def named_key(source: str, event_type: str, dedup_key: str) -> str:
    """The key for a ``dedup_key`` that the publisher chose: the same name under another source or type is another.

    Raises:
        ConfigError: The name is empty.
    """
    if not dedup_key:
        raise ConfigError("dedup_key is empty", remedy="pass a text that names the event, or None")
    return content_hash(["named", str(source), str(event_type), dedup_key])


class DedupWindow:
    """Keys of the last minute and the positions where they were first stored.

    The window starts at the event that was stored: a reading repeated every second is stored once a minute, not once
    for ever. Times are wall-clock seconds, because several processes share them; a clock that was set back by more
    than the window forgets, it does not suppress.

    Args:
        seconds: Length of the window.
        capacity: Most keys that are kept; above it the oldest are forgotten, so memory is bounded and the worst case
            is an event stored twice.
    """

    def __init__(self, seconds: float = DEDUP_WINDOW_SECONDS, *, capacity: int = 65_536) -> None:
        self._seconds = seconds
        self._capacity = capacity
        self._first: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._first)

    def find(self, key: str, at: float) -> int | None:
        """Position of the event with this key if it was stored less than the window before ``at``."""
        first = self._first.get(key)
        if first is None or abs(at - first[0]) >= self._seconds:
            return None
        return first[1]

    def remember(self, key: str, at: float, seq: int) -> None:
        """Note that an event with this key was stored at position ``seq``."""
        self._first[key] = (at, seq)
        self._first.move_to_end(key)
        while self._first:
            oldest = next(iter(self._first.values()))
            if len(self._first) <= self._capacity and at - oldest[0] < self._seconds:
                break
            self._first.popitem(last=False)
