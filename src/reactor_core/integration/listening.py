"""Listening: handlers, durable handlers, inboxes, and loops over what comes."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from reactor_core.errors import ConfigError
from reactor_core.events.event import Event
from reactor_core.events.failures import Failure, Failures
from reactor_core.events.handlers import Handler, HandlerRun
from reactor_core.events.inbox import Effect, InboxRun
from reactor_core.events.progress import Progress
from reactor_core.events.subscription import Subscription
from reactor_core.events.vocabulary import EventSource, EventType, as_event_type
from reactor_core.integration.spine import Spine
from reactor_core.utils.settings import Settings

__all__ = ["Listening"]

H = TypeVar("H", bound=Handler)
E = TypeVar("E", bound=Effect)

STOP_SECONDS = 5.0
"""How long removing a handler waits for it to finish the event that it has."""


class Listening(Spine):
    """The part of a bridge that listens."""

    def __init__(self, source: EventSource | str, workspace: Path, settings: Settings) -> None:
        super().__init__(source, workspace, settings)
        self._runs: list[HandlerRun | InboxRun] = []
        self._failures = Failures(self.journal, self.source)
        self._idle = threading.Condition()
        self._listeners: dict[int, Callable[[], None]] = {}
        self._heard_types: set[str] | None = None
        self._heard_after: dict[int, int] | None = None

    async def subscribe(self, types: Iterable[EventType | str] | EventType | str) -> None:
        """Choose what :meth:`listen` yields, from now on; further calls add types."""
        self.subscribe_sync(types)

    def subscribe_sync(self, types: Iterable[EventType | str] | EventType | str) -> None:
        """:meth:`subscribe` for code without a loop."""
        names = _names([types] if isinstance(types, str) else types)
        head = self.journal.head().seq
        with self._lock:
            self._heard_types = (self._heard_types or set()) | (names or set())
            if self._heard_after is None:
                self._heard_after = dict.fromkeys((1, 2, 3, 4), head)

    async def listen(self, *types: EventType | str, after_seq: int | None = None) -> AsyncIterator[Event]:
        """Events as they come, this bridge's own included, until the bridge is closed.

        Urgent lanes come first; within a lane the order is the journal's. Nothing is dropped when the reader is slow:
        1,024 events of each lane wait in memory, at most 4 MiB, the rest in the journal. An event of lane 1 can come
        before it is stored; its ``seq`` is None then.

        Args:
            types: What to yield, from now on; none takes what :meth:`subscribe` chose, or else everything.
            after_seq: Begin behind this position instead. Without it and without types, ``listen()`` begins where the
                last such one of this bridge ended, else at the first :meth:`subscribe`, else now.
        """
        loop = asyncio.get_running_loop()
        ready = asyncio.Event()

        def wake() -> None:
            try:
                loop.call_soon_threadsafe(ready.set)
            except RuntimeError:  # the reader's loop was closed without closing the iterator
                self._end_listener(subscription, goes_on)

        subscription, goes_on = self._begin_listener(types, after_seq, wake)
        try:
            while True:
                ready.clear()
                while event := subscription.pop():
                    yield event
                if self._closed:
                    return
                await ready.wait()
        finally:
            self._end_listener(subscription, goes_on)

    def listen_sync(
        self, *types: EventType | str, after_seq: int | None = None, timeout: float | None = None
    ) -> Iterator[Event]:
        """:meth:`listen` for code without a loop; blocks until the next event comes.

        Args:
            types: As for :meth:`listen`.
            after_seq: As for :meth:`listen`.
            timeout: End when nothing has come for so many seconds; None waits as long as it takes.
        """
        ready = threading.Event()
        subscription, goes_on = self._begin_listener(types, after_seq, ready.set)
        try:
            while True:
                ready.clear()
                while event := subscription.pop():
                    yield event
                if self._closed or not ready.wait(timeout):
                    return
        finally:
            self._end_listener(subscription, goes_on)

    def on_event(self, *types: EventType | str, durable: str | None = None) -> Callable[[H], H]:
        """Decorator: call the function for each event of these types, or of all if none is given, from now on.

        A coroutine function runs on the bridge's loop and must not block it; a plain function has a thread of its
        own. Either gets one event at a time. What it raises is published as an ERROR event, kept in :meth:`failures`,
        and stops nobody.

        Args:
            types: What it wants.
            durable: Name under which the journal keeps how far the function has come. It goes on there after a
                restart, so it gets each event at least once: one whose handling a crash cut short comes again, under
                the same ``event_id``. A new name begins now.

        Raises:
            ConfigError: The name cannot be used, or is in use here.
        """

        def register(handler: H) -> H:
            bus, thread = self._started()
            progress = None if durable is None else self._progress("handler", durable)
            run = HandlerRun(
                handler,
                _wanted(types),
                bus=bus,
                thread=thread,
                on_failure=self._failures.tell,
                on_idle=self._notify_idle,
                progress=progress,
            )
            with self._lock:
                self._runs.append(run)
            return handler

        return register

    def consume(
        self, name: str, *types: EventType | str, attempts: int = 3, after_seq: int | None = None
    ) -> Callable[[E], E]:
        """Decorator: apply ``effect(event, db)`` to each event of these types, or of all, exactly once.

        ``db`` is the connection of the transaction that also stores how far the inbox has come: what the effect writes
        there, into tables of its own, happens once, whatever crashes. What it does elsewhere does not have that
        promise. It runs on the journal's writing thread, so it must be short, must not wait and must not publish.
        Only events that are on disk come. Processes that consume under one name share the work.

        An effect that raises is undone and tried again; after its last attempt the event is passed over, with an
        ERROR event and an entry in :meth:`failures`.

        Args:
            name: Of the inbox: letters, digits, ``_``, ``.`` and ``-``.
            types: What it wants.
            attempts: How often an effect is tried.
            after_seq: Where a new inbox begins: behind this position; None: now. A known one goes on where it was.

        Raises:
            ConfigError: The name cannot be used or is in use here, or the effect is a coroutine function.
        """

        def register(effect: E) -> E:
            bus, _ = self._started()
            run = InboxRun(
                effect,
                self._progress("inbox", name, after_seq),
                _wanted(types),
                journal=self.journal,
                bus=bus,
                attempts=attempts,
                on_failure=self._failures.tell_first,
                on_idle=self._notify_idle,
            )
            with self._lock:
                self._runs.append(run)
            return effect

        return register

    def remove_handler(self, handler: Handler | Effect) -> None:
        """Undo :meth:`on_event` or :meth:`consume`; what waits for the function is not delivered."""
        with self._lock:
            gone = [run for run in self._runs if run.handler == handler]
            self._runs = [run for run in self._runs if run.handler != handler]
        for run in gone:
            run.stop(time.monotonic() + STOP_SECONDS)

    def failures(self) -> list[Failure]:
        """What handlers of this bridge raised: the last hundred, oldest first."""
        return self._failures.last()

    def _begin_listener(
        self, types: tuple[EventType | str, ...], after_seq: int | None, wake: Callable[[], None]
    ) -> tuple[Subscription, bool]:
        """The subscription, and whether the next listener goes on where this one ends."""
        bus, _ = self._started()
        with self._lock:
            wanted = frozenset(_names(types) or self._heard_types or ()) or None
            goes_on = not types and after_seq is None
            start = self._heard_after if goes_on else None
        subscription = bus.attach(wanted, wake=wake, after_seq=after_seq, after=start, anywhere=True)
        self._listeners[id(subscription)] = wake
        return subscription, goes_on

    def _end_listener(self, subscription: Subscription, goes_on: bool) -> None:
        if self._bus is not None:
            self._bus.detach(subscription)
        if self._listeners.pop(id(subscription), None) is not None and goes_on:
            self._heard_after = subscription.positions()

    def _progress(self, kind: str, name: str, after_seq: int | None = None) -> Progress:
        with self._lock:
            taken = {run.progress.key for run in self._runs if run.progress is not None}
        if f"{kind}:{name}" in taken:
            raise ConfigError(f"the name {name!r} is in use in this bridge", remedy="give each handler its own")
        return Progress(self.journal, kind, name, after_seq=after_seq)

    def _notify_idle(self) -> None:
        with self._idle:
            self._idle.notify_all()


def _wanted(types: Iterable[EventType | str]) -> frozenset[str] | None:
    return frozenset(_names(types)) or None


def _names(types: Iterable[EventType | str]) -> set[str]:
    return {str(as_event_type(name)) for name in types}
