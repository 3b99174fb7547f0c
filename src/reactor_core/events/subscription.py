"""What waits for one reader of events: a few in memory, any number in the journal."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from reactor_core.events.event import Event
from reactor_core.events.lanes import LaneQueue

__all__ = ["CAPACITY", "CAPACITY_BYTES", "LANES", "Reading", "Subscription"]

LANES = (1, 2, 3, 4)

CAPACITY = 1024
"""Most events of one lane that wait in memory for one reader."""
CAPACITY_BYTES = 4 << 20
"""Most bytes of payload that wait in memory for one reader; one event of each lane always fits."""

_WAITS = -1
_TAKEN = 0


class Reading(NamedTuple):
    """What the bus must read from the journal for a reader: a lane, behind a position, at most so much."""

    lane: int
    after: int
    events: int
    bytes: int


class _Lane:
    """How far one lane has come.

    ``behind`` is the position from which on it waits in the journal; None while the bus hands it over directly.
    """

    __slots__ = ("after", "behind", "done", "seen")

    def __init__(self, after: int, live: int) -> None:
        self.after = self.done = after
        self.seen = max(after, live)
        self.behind = after if after < live else None


class Subscription:
    """The queue between the bus and one reader.

    Nothing is dropped when the reader is slow: what does not fit stays in the journal, and the bus reads it from there
    as the reader goes on, each lane for itself. So an urgent event overtakes a backlog of any length, a backlog costs
    bounded memory, and the order within each lane is the journal's.

    Args:
        types: Values of the event types that are wanted; None for all.
        after: For each lane the position after which events are wanted.
        live: For each lane the position up to which the bus has handed out; what lies between comes from the journal.
        wake: Called, on the bus's thread, when there is something to read.
        refill: Called, on the reader's thread, when the bus should read on from the journal.
        not_from: Leave out what this relay or peer brought.
        early_again: Hand an event of lane 1 that came before its commit over once more when it is committed.
        everyone: Hand over events that are addressed to others, too.
        anywhere: ``wake`` may be called on any thread.
    """

    def __init__(
        self,
        types: frozenset[str] | None,
        *,
        after: Mapping[int, int],
        live: Mapping[int, int],
        wake: Callable[[], None],
        refill: Callable[[Subscription], None],
        not_from: str | None = None,
        early_again: bool = False,
        everyone: bool = False,
        anywhere: bool = False,
        capacity: int = CAPACITY,
        capacity_bytes: int = CAPACITY_BYTES,
    ) -> None:
        self.types = types
        self.everyone = everyone
        self.anywhere = anywhere
        self.wake = wake
        self._not_from = not_from
        self._early_again = early_again
        self._capacity = capacity
        self._capacity_bytes = capacity_bytes
        self._lock = threading.Lock()
        self._queue = LaneQueue()
        self._bytes = 0
        self._lanes = {lane: _Lane(after.get(lane, 0), live[lane]) for lane in LANES}
        # Events that came before their commit: whether each was taken, and its position once it is known.
        self._early: dict[str, int] = {}
        # Those that were not taken before their commit, which has not been offered yet.
        self._held: set[str] = set()
        self._refill = refill
        self._asked = False

    def offer(self, events: Sequence[Event], reached: Mapping[int, int]) -> None:
        """Hand over committed events in their order (bus thread).

        Args:
            reached: For each lane the position up to which all has been offered now.
        """
        woken = False
        with self._lock:
            for event in events:
                woken = self._offer(event) or woken
            for lane, seq in reached.items():
                self._lanes[lane].seen = max(self._lanes[lane].seen, seq)
        if woken:
            self.wake()

    def offer_early(self, event: Event) -> bool:
        """Hand over an event of lane 1 that is not committed yet; the caller wakes. False if it is not taken now.

        It is not taken if it is not wanted, is there already, or would overtake an earlier one that waits in the
        journal or did not fit; it comes with its commit then.
        """
        with self._lock:
            if not self._wants(event) or event.event_id in self._early:
                return False
            if self._held or self._lanes[1].behind is not None or self._full(event):
                self._held.add(event.event_id)
                return False
            self._early[event.event_id] = _WAITS
            self._push(event)
            return True

    def hold(self, event_ids: Iterable[str]) -> None:
        """These were handed out before their commit, and before this reader was there: none may overtake them."""
        with self._lock:
            self._held.update(event_ids)

    def forget_early(self, event_id: str) -> None:
        """An event that was handed over early will not be committed."""
        with self._lock:
            self._early.pop(event_id, None)
            self._held.discard(event_id)

    def skip_to(self, reached: Mapping[int, int]) -> None:
        """The bus leaves out what lies before these positions: it is to be read from the journal (bus thread)."""
        with self._lock:
            for lane, seq in reached.items():
                state = self._lanes[lane]
                if state.behind is None and state.seen < seq:
                    state.behind = max(state.seen, state.after)
                state.seen = max(state.seen, seq)
            ask, self._asked = not self._asked, True
        if ask:
            self._refill(self)

    def pop(self, *, urgent: bool = False) -> Event | None:
        """Take the next event; None if none is there now.

        Args:
            urgent: Take events of lane 1 only.
        """
        with self._lock:
            event = self._queue.pop(urgent=urgent)
            if event is not None:
                self._bytes -= len(event.payload())
                if event.seq is not None:
                    self._lanes[event.priority].done = event.seq
                elif event.event_id in self._early:
                    self._take_early(event.event_id)
            ask = self._should_ask(event)
            self._asked = self._asked or ask
        if ask:
            self._refill(self)
        return event

    def reading(self) -> Reading | None:
        """What the bus should read from the journal now; None if nothing, or if too much waits (bus thread)."""
        with self._lock:
            lane = self._to_read()
            if lane is None:
                self._asked = False
                return None
            after = self._lanes[lane].behind
            assert after is not None, "a lane that is to be read"
            return Reading(
                lane, after, self._capacity - self._queue.waiting(lane), max(1, self._capacity_bytes - self._bytes)
            )

    def refilled(self, lane: int, events: Sequence[Event], *, reached: int | None) -> None:
        """Hand over what the bus read (bus thread).

        Args:
            reached: Position up to which all was read; None if the lane has caught up with the bus.
        """
        with self._lock:
            self._lanes[lane].behind = None
            for event in events:
                self._accept(event)
            self._lanes[lane].behind = reached
        self.wake()

    def idle(self) -> bool:
        """Whether nothing waits, in memory or in the journal."""
        with self._lock:
            return len(self._queue) == 0 and all(lane.behind is None for lane in self._lanes.values())

    def positions(self) -> dict[int, int]:
        """For each lane a position such that everything wanted up to it was taken."""
        with self._lock:
            return {lane: self._position(lane) for lane in LANES}

    def position(self) -> int:
        """A position such that everything wanted up to it was taken; later ones may have been taken too."""
        return min(self.positions().values())

    def waiting(self) -> dict[int, tuple[int, int, datetime | None]]:
        """For each lane the events in memory, the rows of the journal behind them, and the oldest's timestamp."""
        with self._lock:
            answer = {}
            for lane, state in self._lanes.items():
                first = self._queue.first(lane)
                rows = 0 if state.behind is None else state.seen - state.behind
                answer[lane] = self._queue.waiting(lane), rows, None if first is None else first.timestamp
            return answer

    def _offer(self, event: Event) -> bool:
        if self._held:
            self._held.discard(event.event_id)
        state = self._lanes[event.priority]
        if state.behind is not None:
            return False
        comes = self._early_again or event.event_id not in self._early
        if comes and self._full(event) and self._wants(event):
            assert event.seq is not None, "offered events are committed"
            state.behind = event.seq - 1
            return False
        return self._accept(event)

    def _accept(self, event: Event) -> bool:
        """Take a committed event in, unless it was there before its commit."""
        if not self._wants(event):
            return False
        assert event.seq is not None, "committed events have a position"
        if event.event_id in self._early:
            if self._early[event.event_id] == _WAITS:
                self._early[event.event_id] = event.seq
            else:
                del self._early[event.event_id]
            if not self._early_again:
                return False
        self._push(event)
        return True

    def _push(self, event: Event) -> None:
        self._queue.push(event)
        self._bytes += len(event.payload())

    def _take_early(self, event_id: str) -> None:
        if self._early[event_id] == _WAITS:
            self._early[event_id] = _TAKEN
        elif self._early[event_id] != _TAKEN:  # not for a second copy, after the first one's commit had failed
            del self._early[event_id]  # its commit came while it waited

    def _wants(self, event: Event) -> bool:
        if self.types is not None and event.event_type not in self.types:
            return False
        if self._not_from is not None and event.origin == self._not_from:
            return False
        return event.seq is None or event.seq > self._lanes[event.priority].after

    def _full(self, event: Event) -> bool:
        waiting = self._queue.waiting(event.priority)
        return waiting >= self._capacity or (waiting > 0 and self._bytes >= self._capacity_bytes)

    def _should_ask(self, taken: Event | None) -> bool:
        """Whether taking this event made room for what waits in the journal. Asked for each event, so quick."""
        if self._asked or (taken is not None and self._queue.waiting(taken.priority) > self._capacity // 2):
            return False
        return self._to_read() is not None

    def _to_read(self) -> int | None:
        """The most urgent lane that waits in the journal and has room."""
        for lane, state in self._lanes.items():
            if state.behind is not None:
                waiting = self._queue.waiting(lane)
                if waiting == 0 or (waiting <= self._capacity // 2 and self._bytes <= self._capacity_bytes // 2):
                    return lane
        return None

    def _position(self, lane: int) -> int:
        state = self._lanes[lane]
        first = self._queue.first(lane)
        bounds = [state.seen]
        if state.behind is not None:
            bounds.append(state.behind)
        if first is not None:
            bounds.append(state.done if first.seq is None else first.seq - 1)
        if lane == 1:
            bounds += [seq - 1 for seq in self._early.values() if seq > 0]
        return min(bounds)
