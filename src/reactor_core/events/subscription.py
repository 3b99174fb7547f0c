"""What waits for one reader of events: a few in memory, any number in the journal."""

from __future__ import annotations

import threading
from collections.abc import Callable

from reactor_core.events.event import Event
from reactor_core.events.lanes import LaneQueue

__all__ = ["CAPACITY", "Subscription"]

CAPACITY = 1024
"""Most events of lanes 2 to 4 that wait in memory for one reader."""


class Subscription:
    """The queue between the bus and one reader.

    Nothing is dropped when the reader is slow. What does not fit stays in the journal; once half of the queue is read,
    the bus reads on from there. Lane 1 always fits. So a reader's backlog costs bounded memory, and its order is the
    journal's within each lane.

    Args:
        types: Values of the event types that are wanted; None for all.
        after_seq: Position after which events are wanted.
        live_from: Position up to which the bus has already handed out events; those in between come from the journal.
        wake: Called, on the bus's thread, when there is something to read.
        refill: Called, on the reader's thread, when the bus should read on from the journal.
    """

    def __init__(
        self,
        types: frozenset[str] | None,
        *,
        after_seq: int,
        live_from: int,
        wake: Callable[[], None],
        refill: Callable[[Subscription], None],
        capacity: int = CAPACITY,
    ) -> None:
        self.types = types
        self.live_from = live_from
        self._capacity = capacity
        self._lock = threading.Lock()
        self._lanes = LaneQueue()
        self._behind: int | None = after_seq if after_seq < live_from else None
        self._after = self._done = after_seq
        self._wake = wake
        self._refill = refill
        self._asked = False

    def wants(self, event: Event) -> bool:
        """Whether the event is of a type and from a time that was asked for."""
        if self.types is not None and event.event_type not in self.types:
            return False
        return event.seq is None or event.seq > self._after

    def offer(self, event: Event) -> None:
        """Hand over an event (bus thread)."""
        with self._lock:
            if event.priority > 1:
                if self._behind is not None:
                    return
                if len(self._lanes) >= self._capacity:
                    assert event.seq is not None, "only lane 1 is handed out before its commit"
                    self._behind = event.seq - 1
                    return
            self._lanes.push(event)
        self._wake()

    def pop(self) -> Event | None:
        """Take the next event; None if none is there now."""
        with self._lock:
            event = self._lanes.pop()
            if event is not None and event.seq is not None:
                self._done = max(self._done, event.seq)
            ask = self._behind is not None and not self._asked and len(self._lanes) <= self._capacity // 2
            self._asked = self._asked or ask
        if ask:
            self._refill(self)
        return event

    def reading_from(self) -> tuple[int, int] | None:
        """Where the bus must read on from, and how many events fit; None if the reader keeps up."""
        with self._lock:
            if self._behind is None:
                return None
            return self._behind, max(1, self._capacity - len(self._lanes))

    def refilled(self, events: list[Event], *, reached: int | None) -> None:
        """Hand over what the bus read (bus thread).

        Args:
            reached: Position up to which all was read; None if the reader has caught up with the bus.
        """
        with self._lock:
            for event in events:
                self._lanes.push(event)
            self._behind = reached
            self._asked = False
        self._wake()

    def idle(self) -> bool:
        """Whether nothing waits, in memory or in the journal."""
        with self._lock:
            return self._behind is None and len(self._lanes) == 0

    def position(self) -> int:
        """A position such that all wanted events up to it were read; later ones may have been read too (lane 1)."""
        with self._lock:
            waiting = [seq - 1 for seq in (self._lanes.first_seq(),) if seq is not None]
            return min([self._done, *waiting] if self._behind is None else [self._done, self._behind, *waiting])
