"""From the journal to the readers in this process, in order, including what other processes of the workspace wrote."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping

from reactor_core.errors import ReactorError
from reactor_core.events.doorbell import Ear
from reactor_core.events.event import Event
from reactor_core.events.journal import Journal
from reactor_core.events.lane_reader import LaneReader
from reactor_core.events.loop_thread import LoopThread
from reactor_core.events.subscription import CAPACITY_BYTES, LANES, Subscription

__all__ = ["Bus"]

_log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""How often the file is asked for events of other processes although nobody rang."""

_FEW = 64
"""So many events at most are read without asking first whether any is urgent."""
_CHUNK = 256
"""Events that are read in one go, so that the loop is not held up for long."""
_BEHIND = 1024
"""From so many rows on each reader reads them for itself, as fast as it needs them."""
_INBOX = 4096
"""Events of this process that wait to be handed out; more are read from the file."""

_REMEMBERED = 1024

Tap = Callable[[Event], object]


class Bus:
    """Hands every committed event to the subscriptions that want it.

    Events of this process come from memory, straight from the commit; those of other processes, and what did not fit
    into memory, are read from the file, those of lane 1 first. All hand-outs happen on the loop thread.

    Args:
        journal: Where the events are.
        thread: The bridge's loop thread, running.
        target: This bridge's source: an event that names other targets only is not handed out.
        first: Called with each event of lane 1 before any reader gets it, on the thread that brings it.
    """

    def __init__(self, journal: Journal, thread: LoopThread, *, target: str, first: Tap | None = None) -> None:
        self._journal = journal
        self._thread = thread
        self._target = target
        self._first = first
        self._reader = journal.open_reader(LaneReader)
        self._lock = threading.Lock()
        # Up to where was handed out: lane 1 may be ahead of the others, never behind.
        self._urgent = self._cursor = self._offered = self._reader.head().seq
        self._subscriptions: tuple[Subscription, ...] = ()
        self._taps: tuple[Tap, ...] = ()
        self._bells: tuple[asyncio.Event, ...] = ()
        # Not committed yet; 0 if it was handed out, else until when later ones must wait behind it.
        self._early: dict[str, float] = {}
        self._urgent_ids: deque[str] = deque(maxlen=_REMEMBERED)  # of the last committed events of lane 1
        self._inbox: deque[list[Event]] = deque()
        self._inbox_events = 0
        self._at_hand: list[Event] = []  # taken from the inbox, being handed out
        self._spilled = False  # the inbox was full: events of this process wait in the file
        self._draining = False
        self._closed = False
        self._ear: Ear | None = None
        self._timer: asyncio.TimerHandle | None = None
        journal.listen(self._announce)
        thread.post(self._start)

    def attach(
        self,
        types: frozenset[str] | None,
        *,
        wake: Callable[[], None],
        after_seq: int | None = None,
        after: Mapping[int, int] | None = None,
        not_from: str | None = None,
        early_again: bool = False,
        everyone: bool = False,
        anywhere: bool = False,
    ) -> Subscription:
        """Start a subscription.

        Args:
            types: Values of the wanted types; None for all.
            wake: Called on the bus's thread when there is something to read.
            after_seq: Begin behind this position; None begins behind the last event that is stored now.
            after: The same for each lane; what it does not name takes ``after_seq``.
            not_from: Leave out what this relay or peer brought.
            early_again: Hand out an event of lane 1 that came before its commit once more when it is committed.
            everyone: Hand out events that name other targets, too.
            anywhere: ``wake`` may be called on any thread, which spares urgent events the way over the bus's.
        """
        start = self._reader.head().seq if after_seq is None else after_seq
        begin = dict.fromkeys(LANES, start) | dict(after or {})
        with self._lock:
            subscription = Subscription(
                types,
                after=begin,
                live={lane: self._urgent if lane == 1 else self._cursor for lane in LANES},
                wake=wake,
                refill=lambda subscription: self._thread.post(self._refill, subscription),
                not_from=not_from,
                early_again=early_again,
                everyone=everyone,
                anywhere=anywhere,
            )
            self._subscriptions = (*self._subscriptions, subscription)
            if everyone:
                subscription.hold(self._early)
        return subscription

    def detach(self, subscription: Subscription) -> None:
        """End a subscription."""
        with self._lock:
            self._subscriptions = tuple(other for other in self._subscriptions if other is not subscription)

    def position(self) -> int:
        """A position such that everything up to it was offered to the subscriptions that existed then."""
        return self._offered

    def add_bell(self, bell: asyncio.Event) -> None:
        """Set ``bell`` whenever events were committed (loop thread)."""
        self._bells = (*self._bells, bell)

    def remove_bell(self, bell: asyncio.Event) -> None:
        """Undo :meth:`add_bell` (loop thread)."""
        self._bells = tuple(other for other in self._bells if other is not bell)

    def add_early_tap(self, tap: Tap) -> None:
        """Call ``tap(event)`` for each event of lane 1 that is handed out before its commit (loop thread)."""
        self._taps = (*self._taps, tap)

    def remove_early_tap(self, tap: Tap) -> None:
        """Undo :meth:`add_early_tap` (loop thread)."""
        self._taps = tuple(other for other in self._taps if other != tap)

    def hand_out_early(self, event: Event) -> None:
        """Hand out an event of lane 1 that is about to be committed, once, however many relays bring it.

        Call it on any thread before the event is given to the journal. Its commit hands it out to those only who did
        not get it. It does not overtake an event of lane 1 that is committed and still on its way.
        """
        with self._lock:
            if event.event_id in self._early or event.event_id in self._urgent_ids:
                return  # another relay brought it a moment before
            now = time.monotonic()
            given = max(self._early.values(), default=0.0) < now and not self._elders_wait()
            self._early[event.event_id] = 0.0 if given else now + LOOK_SECONDS
            if len(self._early) > _REMEMBERED:
                del self._early[next(iter(self._early))]
            subscriptions = self._subscriptions
        if self._first is not None:
            self._first(event)
        if given:
            here = self._thread.is_current()
            ours = self._is_ours(event)
            for subscription in subscriptions:
                if (ours or subscription.everyone) and subscription.offer_early(event):
                    if here or subscription.anywhere:
                        subscription.wake()
                    else:
                        self._thread.post(subscription.wake)
        self._thread.post(self._tell_taps, event)

    def forget_early(self, event: Event) -> None:
        """The commit of an early event failed, or it was stored before: it will not come."""
        with self._lock:
            self._early.pop(event.event_id, None)
            subscriptions = self._subscriptions
        for subscription in subscriptions:
            subscription.forget_early(event.event_id)

    async def flush(self) -> None:
        """Hand out all that is committed now."""
        self._drain()
        self._catch_up()

    async def close(self) -> None:
        """Stop handing out."""
        self._closed = True
        self._journal.unlisten(self._announce)
        if self._ear is not None:
            self._ear.close()
        if self._timer is not None:
            self._timer.cancel()
        self._reader.close()

    def _start(self) -> None:
        if not self._closed:
            self._ear = self._journal.doorbell.listen(self._thread.loop, self._heard)
            self._tick()

    def _tick(self) -> None:
        self._timer = self._thread.loop.call_later(LOOK_SECONDS, self._tick)
        self._heard()

    def _heard(self) -> None:
        """Somebody committed, or may have."""
        try:
            if not self._look():
                self._look_first()
                self._drain()
                self._catch_up()
        except ReactorError as error:
            _log.error("events of other processes cannot be read now: %s", error)

    def _announce(self, events: list[Event]) -> None:
        """On the writer's thread. What the inbox does not take is read from the file later."""
        with self._lock:
            if self._inbox_events < _INBOX:
                self._inbox_events += len(events)
                self._inbox.append(events)
            else:
                self._spilled = True
            if self._draining:
                return
            self._draining = True
        self._thread.post(self._drain)

    def _drain(self) -> None:
        if self._closed:
            return
        while True:
            with self._lock:
                if not self._inbox:
                    self._draining = False
                    self._at_hand = []
                    break
                events = self._at_hand = self._inbox.popleft()
                self._inbox_events -= len(events)
            first, last = events[0].seq, events[-1].seq
            assert first is not None, "announced events are committed"
            assert last is not None, "announced events are committed"
            self._catch_up(first - 1)
            if last > self._cursor:
                fresh = [event for event in events if self._is_fresh(event)]
                self._hand_out(fresh, urgent=max(last, self._urgent), cursor=last)

    def _is_fresh(self, event: Event) -> bool:
        assert event.seq is not None, "announced events are committed"
        return event.seq > (self._urgent if event.priority == 1 else self._cursor)

    def _look(self) -> bool:
        """Hand out what is new with one question to the file, lane 1 of it first; False if there is more."""
        if self._closed or self._inbox or self._spilled:
            return False
        events = self._reader.read_next(after=self._cursor, events=_FEW)
        if events:
            fresh = [event for event in events if self._is_fresh(event)]
            last = events[-1].seq or 0
            self._hand_out(fresh, urgent=max(last, self._urgent), cursor=last)
        return len(events) < _FEW

    def _look_first(self) -> None:
        """Hand out what is urgent with one question to the file: with threads that compute each one can take long."""
        if not self._closed and (events := self._reader.read_urgent(after=self._urgent, events=_CHUNK)):
            self._hand_out(events, urgent=events[-1].seq or 0, cursor=self._cursor)

    def _catch_up(self, until: int | None = None) -> None:
        """Hand out what others wrote up to a position, or all: lane 1 of it before anything else."""
        if self._closed:
            return
        if until is None:
            until = self._reader.head().seq
        while self._urgent < until:
            events, reached = self._reader.read_lane(
                1, after=self._urgent, until=until, types=None, events=_CHUNK, size=CAPACITY_BYTES
            )
            self._hand_out(events, urgent=reached, cursor=self._cursor)
        types = self._wanted_types()
        if until - self._cursor > _BEHIND or (until > self._cursor and not self._subscriptions):
            self._skip(until)
        while self._cursor < until:
            events, reached = self._reader.read_rest(
                after=self._cursor, until=until, types=types, events=_CHUNK, size=CAPACITY_BYTES
            )
            self._hand_out(events, urgent=self._urgent, cursor=reached)
        with self._lock:
            self._spilled = self._spilled and self._reader.head().seq > self._urgent

    def _wanted_types(self) -> frozenset[str] | None:
        """What any subscription wants; None for everything."""
        wanted: set[str] = set()
        for subscription in self._subscriptions:
            if subscription.types is None:
                return None
            wanted |= subscription.types
        return frozenset(wanted)

    def _skip(self, until: int) -> None:
        """So much came at once that each reader reads it for itself."""
        with self._lock:
            self._cursor = until
            subscriptions = self._subscriptions
        for subscription in subscriptions:
            subscription.skip_to({2: until, 3: until, 4: until})
        self._handed_out(until)

    def _hand_out(self, events: list[Event], *, urgent: int, cursor: int) -> None:
        for event in events:
            if event.priority == 1:
                with self._lock:
                    self._early.pop(event.event_id, None)
                    self._urgent_ids.append(event.event_id)
                if self._first is not None:
                    self._first(event)
        with self._lock:
            self._urgent, self._cursor = urgent, cursor
            subscriptions = self._subscriptions
        reached = {1: urgent, 2: cursor, 3: cursor, 4: cursor}
        ours = [event for event in events if self._is_ours(event)]
        for subscription in subscriptions:
            subscription.offer(events if subscription.everyone else ours, reached)
        self._handed_out(cursor)

    def _handed_out(self, until: int) -> None:
        self._offered = until
        for bell in self._bells:
            bell.set()

    def _elders_wait(self) -> bool:
        """Whether lane 1 of this process has committed events that no reader has got; the caller holds the lock."""
        waiting = (*self._inbox, self._at_hand)
        return self._spilled or any(
            event.priority == 1 and event.event_id not in self._early and event.event_id not in self._urgent_ids
            for events in waiting
            for event in events
        )

    def _tell_taps(self, event: Event) -> None:
        for tap in self._taps:
            tap(event)

    def _refill(self, subscription: Subscription) -> None:
        if self._closed:
            return
        reading = subscription.reading()
        if reading is None:
            return
        until = self._urgent if reading.lane == 1 else self._cursor
        try:
            events, reached = self._reader.read_lane(
                reading.lane,
                after=reading.after,
                until=until,
                types=subscription.types,
                events=min(_CHUNK, reading.events),
                size=reading.bytes,
            )
        except ReactorError as error:
            _log.error("a backlog cannot be read now: %s", error)
            self._thread.loop.call_later(LOOK_SECONDS, self._refill, subscription)
            return
        ours = [event for event in events if subscription.everyone or self._is_ours(event)]
        subscription.refilled(reading.lane, ours, reached=None if reached >= until else reached)
        self._thread.post(self._refill, subscription)  # after what else waits on the loop

    def _is_ours(self, event: Event) -> bool:
        # Asking the bytes first leaves the payload unread unless somebody needs it.
        if b'"target_sources"' not in event.payload():
            return True
        targets = event.metadata.get("target_sources")
        return not targets or self._target in targets
