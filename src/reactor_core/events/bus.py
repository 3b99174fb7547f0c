"""From the journal to the readers in this process, in order, including what other processes of the workspace wrote."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future

from reactor_core.events.event import Event
from reactor_core.events.journal import Journal
from reactor_core.events.loop_thread import LoopThread
from reactor_core.events.query import event_filter
from reactor_core.events.reader import JournalReader
from reactor_core.events.subscription import Subscription

__all__ = ["Bus"]

_log = logging.getLogger(__name__)

POLL_SECONDS = 0.02
"""How often the file is asked whether another process wrote; the question takes microseconds."""

_CHUNK = 512
_INBOX = 256


class Bus:
    """Hands every committed event to the subscriptions that want it.

    Events of this process come from memory, straight from the commit; those of other processes, and what did not fit
    into memory, are read from the file. All hand-outs happen on the loop thread.

    Args:
        journal: Where the events are.
        thread: The bridge's loop thread, running.
        target: This bridge's source: an event that names other targets only is not handed out.
    """

    def __init__(self, journal: Journal, thread: LoopThread, *, target: str) -> None:
        self._journal = journal
        self._thread = thread
        self._target = target
        self._reader: JournalReader = journal.open_reader()
        self._lock = threading.Lock()
        self._cursor = self._reader.head().seq
        self._subscriptions: tuple[Subscription, ...] = ()
        self._early: dict[str, tuple[Subscription, ...]] = {}
        self._bells: tuple[asyncio.Event, ...] = ()
        self._inbox: deque[list[Event]] = deque()
        self._draining = False
        journal.listen(self._announce)
        self._watching = thread.submit(self._watch())
        self._watching.add_done_callback(_log_fault)

    def attach(
        self, types: frozenset[str] | None, *, wake: Callable[[], None], after_seq: int | None = None
    ) -> Subscription:
        """Start a subscription.

        Args:
            types: Values of the wanted types; None for all.
            wake: Called on the bus's thread when there is something to read.
            after_seq: Begin behind this position; None begins behind the last event that is stored now.
        """
        head = self._reader.head().seq
        with self._lock:
            subscription = Subscription(
                types,
                after_seq=head if after_seq is None else after_seq,
                live_from=self._cursor,
                wake=wake,
                refill=lambda subscription: self._thread.post(self._refill, subscription),
            )
            self._subscriptions = (*self._subscriptions, subscription)
        return subscription

    def detach(self, subscription: Subscription) -> None:
        """End a subscription."""
        with self._lock:
            self._subscriptions = tuple(other for other in self._subscriptions if other is not subscription)

    def add_bell(self, bell: asyncio.Event) -> None:
        """Set ``bell`` whenever events were committed (loop thread)."""
        self._bells = (*self._bells, bell)

    def remove_bell(self, bell: asyncio.Event) -> None:
        """Undo :meth:`add_bell` (loop thread)."""
        self._bells = tuple(other for other in self._bells if other is not bell)

    def hand_out_early(self, event: Event) -> None:
        """Hand out an event of lane 1 that is about to be committed; its commit will not hand it out again."""
        self._thread.post(self._offer_early, event)

    def forget_early(self, event: Event) -> None:
        """The commit of an early event failed: it will not come."""
        self._thread.post(self._early.pop, event.event_id, None)

    async def flush(self) -> None:
        """Hand out all that is committed now."""
        self._drain()
        self._read_on(self._reader.head().seq)

    async def close(self) -> None:
        """Stop handing out."""
        self._journal.unlisten(self._announce)
        self._watching.cancel()
        self._reader.close()

    def _announce(self, events: list[Event]) -> None:
        """On the writer's thread. What the inbox does not take is read from the file later."""
        if len(self._inbox) < _INBOX:
            self._inbox.append(events)
        if not self._draining:
            self._draining = True
            self._thread.post(self._drain)

    def _drain(self) -> None:
        self._draining = False
        while self._inbox:
            events = self._inbox.popleft()
            first = events[0].seq
            assert first is not None, "announced events are committed"
            self._read_on(first - 1)
            self._hand_out(events)

    async def _watch(self) -> None:
        seen = -1
        while True:
            version = self._reader.data_version()
            if version != seen:
                seen = version
                await self.flush()
            await asyncio.sleep(POLL_SECONDS)

    def _read_on(self, until: int) -> None:
        """Hand out what others wrote up to a position."""
        while self._cursor < until:
            wanted = event_filter(after_seq=self._cursor, before_seq=until + 1)
            events = self._reader.read(wanted, limit=_CHUNK)
            if not events:
                return
            self._hand_out(events)

    def _hand_out(self, events: list[Event]) -> None:
        with self._lock:
            for event in events:
                assert event.seq is not None, "only committed events are handed out here"
                if event.seq <= self._cursor:
                    continue
                self._cursor = event.seq
                had = self._early.pop(event.event_id, ()) if self._early else ()
                for subscription in self._subscriptions:
                    if subscription not in had and self._wanted(subscription, event):
                        subscription.offer(event)
        for bell in self._bells:
            bell.set()

    def _offer_early(self, event: Event) -> None:
        with self._lock:
            had = tuple(reader for reader in self._subscriptions if self._wanted(reader, event))
            self._early[event.event_id] = had
            for subscription in had:
                subscription.offer(event)

    def _refill(self, subscription: Subscription) -> None:
        place = subscription.reading_from()
        if place is None:
            return
        after, room = place
        until = self._cursor
        wanted = event_filter(subscription.types, after_seq=after, before_seq=until + 1)
        read = self._reader.read(wanted, limit=room)
        fit = [
            event
            for event in read
            # Lane 1 never waits in the journal: what came since the subscription began was handed over then.
            if self._wanted(subscription, event) and (event.priority > 1 or (event.seq or 0) <= subscription.live_from)
        ]
        subscription.refilled(fit, reached=None if len(read) < room else read[-1].seq)

    def _wanted(self, subscription: Subscription, event: Event) -> bool:
        targets = event.metadata.get("target_sources")
        return subscription.wants(event) and (not targets or self._target in targets)


def _log_fault(watching: Future[None]) -> None:
    if not watching.cancelled() and (error := watching.exception()) is not None:
        _log.error("events of other processes are no longer heard", exc_info=error)
