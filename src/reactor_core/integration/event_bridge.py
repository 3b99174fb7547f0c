"""The event bridge: publish durably, listen, look back, prove."""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from reactor_core.errors import JournalClosed, ReactorError
from reactor_core.events import transports
from reactor_core.events.bus import Bus
from reactor_core.events.dedup import content_key, named_key
from reactor_core.events.event import Event, new_event
from reactor_core.events.handlers import Handler, HandlerRun, failure_data
from reactor_core.events.journal import JOURNAL_NAME, Journal
from reactor_core.events.loop_thread import LoopThread
from reactor_core.events.vocabulary import (
    EventSource,
    EventType,
    Priority,
    as_event_type,
    as_source,
    deduplicates_by_content,
)
from reactor_core.integration.history import History
from reactor_core.integration.safety_emitters import SafetyEmitters
from reactor_core.utils.clock import SystemClock
from reactor_core.utils.settings import Settings, load_settings

if TYPE_CHECKING:
    from reactor_core.events.transports import RelayGroup, RelayStatus

__all__ = ["EventBridge"]

H = TypeVar("H", bound=Handler)

_log = logging.getLogger(__name__)
_clock = SystemClock()

CLOSE_SECONDS = 5.0
"""How long :meth:`EventBridge.close` waits for handlers to finish what was published before."""


class EventBridge(SafetyEmitters, History):
    """One program's connection to the events of its workspace.

    Every method may be called from any thread; coroutines from any loop. Handlers run on the bridge's own thread and
    loop (plain functions on a thread each), so a program that blocks its main thread is still heard. That thread
    starts with the first handler or listener.

    Processes of one workspace share its journal and hear each other without any of the transports. Those are for other
    hosts: each sends what this workspace publishes and stores what the other side says. A transport that is down is
    lag, never loss: publishing does not wait for it, and what was published meanwhile goes out in order later. Of
    several processes with the same address one holds the connection, for all of them.

    Args:
        source: Who publishes.
        websocket_url: Hub to exchange events with, such as ``ws://localhost:8000/ws/events``; None takes
            ``settings.event_bridge_ws_url``.
        fallback_to_file: While none of the given hubs is up, append what they miss to
            ``settings.event_bridge_fallback_file`` too, and read there what neighbours append. Without a hub nothing
            is written outside the workspace, whatever this says.
        redis_url: Redis (or Valkey) to exchange events through; None takes ``settings.event_bridge_redis_url``.
        workspace: Folder of the journal; None takes ``settings.workspace``.
        settings: What the environment says; None reads it.

    Raises:
        ConfigError: An address or an environment variable has a value that cannot be used.
        JournalError: The journal cannot be opened.
    """

    def __init__(
        self,
        source: EventSource | str = EventSource.REACTOR_CORE,
        websocket_url: str | None = None,
        fallback_to_file: bool = True,
        redis_url: str | None = None,
        *,
        workspace: Path | None = None,
        settings: Settings | None = None,
    ) -> None:
        self.settings = settings or load_settings()
        self.source = as_source(source)
        self.workspace = Path(workspace or self.settings.workspace)
        self.journal = Journal.shared(self.workspace / JOURNAL_NAME)
        self._lock = threading.Lock()
        self._pid = os.getpid()
        self._closing = False
        self._closed = False
        self._thread: LoopThread | None = None
        self._bus: Bus | None = None
        self._handlers: list[HandlerRun] = []
        self._idle = threading.Condition()
        self._listeners: dict[int, Callable[[], None]] = {}
        self._heard_types: set[str] | None = None
        self._heard_after: dict[int, int] | None = None
        self._relays: RelayGroup | None = None
        atexit.register(self.close)
        try:
            self._connect(
                websocket_url or self.settings.event_bridge_ws_url,
                redis_url or self.settings.event_bridge_redis_url,
                self.settings.event_bridge_fallback_file if fallback_to_file else None,
            )
        except ReactorError:
            self.close()
            raise

    async def publish(
        self,
        event_type: EventType | str,
        data: Mapping[str, Any],
        priority: int | None = None,
        *,
        metadata: Mapping[str, Any] | None = None,
        dedup_key: str | None = None,
    ) -> Event:
        """Store an event and hand it to everybody who listens.

        Returns after the event is on disk. An event of lane 1 reaches the handlers of this process before that.
        Cancelling the call leaves open whether the event is stored.

        Args:
            event_type: A member of :class:`EventType`, or a name of your own.
            data: JSON values. An equal reading of the same source within 60 s (such as ``COST_UPDATE {"total": 15.4}``)
                is the same event and not stored again, also if another value lay between; a payload with ``amount``
                and every safety event always is stored.
            priority: Lane, 1 (most urgent) to 4; None takes the type's own.
            metadata: About the event rather than in it.
            dedup_key: Names the event: within 60 s the same name under the same source and type is the same event,
                whatever the data, and another name is another event.

        Returns:
            The event with its position; for one that was there before, the earlier one.

        Raises:
            ConfigError: A name, the priority or a value cannot be used.
            StorageFull: The event is not stored, as no space is left.
            JournalError: The event is not stored.
        """
        event, payload, key, bus = self._prepare(event_type, data, priority, metadata, dedup_key)
        try:
            return (await self.journal.append_async(event, payload=payload, dedup_key=key)).event
        except ReactorError:
            if bus is not None:
                bus.forget_early(event)
            raise

    def publish_sync(
        self,
        event_type: EventType | str,
        data: Mapping[str, Any],
        priority: int | None = None,
        *,
        metadata: Mapping[str, Any] | None = None,
        dedup_key: str | None = None,
    ) -> Event:
        """:meth:`publish` for code without a loop; blocks until the event is on disk."""
        event, payload, key, bus = self._prepare(event_type, data, priority, metadata, dedup_key)
        try:
            return self.journal.append(event, payload=payload, dedup_key=key).result().event
        except ReactorError:
            if bus is not None:
                bus.forget_early(event)
            raise

    async def subscribe(self, types: Iterable[EventType | str] | EventType | str) -> None:
        """Choose what :meth:`listen` yields, from now on; further calls add types."""
        names = _names([types] if isinstance(types, str) else types)
        head = self.journal.head().seq
        with self._lock:
            self._heard_types = (self._heard_types or set()) | (names or set())
            if self._heard_after is None:
                self._heard_after = dict.fromkeys((1, 2, 3, 4), head)

    async def listen(self, *types: EventType | str, after_seq: int | None = None) -> AsyncIterator[Event]:
        """Events as they come, this bridge's own included, until the bridge is closed.

        Urgent lanes come first; within a lane the order is the journal's. Nothing is dropped when the reader is slow:
        1,024 events wait in memory, the rest in the journal. An event of lane 1 can come before it is stored; its
        ``seq`` is None then.

        Args:
            types: What to yield, from now on; none takes what :meth:`subscribe` chose, or else everything.
            after_seq: Begin behind this position instead. Without it and without types, ``listen()`` begins where the
                last such one of this bridge ended, else at the first :meth:`subscribe`, else now. Where the last one
                ended inside a backlog, urgent events that overtook it come again.
        """
        loop = asyncio.get_running_loop()
        ready = asyncio.Event()

        def wake() -> None:
            try:
                loop.call_soon_threadsafe(ready.set)
            except RuntimeError:  # the reader's loop was closed without closing the iterator
                bus.detach(subscription)

        bus, _ = self._started()
        with self._lock:
            wanted = frozenset(_names(types) or self._heard_types or ()) or None
            goes_on = not types and after_seq is None
            start = self._heard_after if goes_on else None
        subscription = bus.attach(wanted, wake=wake, after_seq=after_seq, after=start)
        self._listeners[id(subscription)] = wake
        try:
            while True:
                ready.clear()
                while event := subscription.pop():
                    yield event
                if self._closed:
                    return
                await ready.wait()
        finally:
            bus.detach(subscription)
            self._listeners.pop(id(subscription), None)
            if goes_on:
                self._heard_after = subscription.positions()

    def on_event(self, *types: EventType | str) -> Callable[[H], H]:
        """Decorator: call the function for each event of these types, or of all if none is given, from now on.

        A coroutine function runs on the bridge's loop and must not block it; a plain function has a thread of its
        own. Either gets one event at a time. What it raises is published as an ERROR event and stops nobody.
        """

        def register(handler: H) -> H:
            bus, thread = self._started()
            run = HandlerRun(
                handler,
                None if not types else frozenset(_names(types) or ()),
                bus=bus,
                thread=thread,
                on_failure=self._handler_failed,
                on_idle=self._notify_idle,
            )
            with self._lock:
                self._handlers.append(run)
            return handler

        return register

    def remove_handler(self, handler: Handler) -> None:
        """Undo :meth:`on_event`; what waits for the function is not delivered."""
        with self._lock:
            gone = [run for run in self._handlers if run.handler == handler]
            self._handlers = [run for run in self._handlers if run.handler != handler]
        for run in gone:
            run.stop(time.monotonic() + CLOSE_SECONDS)

    def relays(self) -> list[RelayStatus]:
        """How each transport stands; empty if none is configured."""
        return [] if self._relays is None else self._relays.status()

    def close(self, timeout: float = CLOSE_SECONDS) -> None:
        """Let handlers finish what was published before, end all threads, close the journal.

        Listeners end. Calling it again does nothing; a program that forgets it closes at its exit.

        Args:
            timeout: Seconds to wait for handlers; afterwards coroutines are cancelled, and what was not handled yet
                stays in the journal.
        """
        with self._lock:
            # A forked child has none of the threads; its parent closes.
            if self._closing or os.getpid() != self._pid:
                return
            self._closing = True
            thread, bus = self._thread, self._bus
        assert thread is None or not thread.is_current(), "close() from one of the bridge's own handlers"
        atexit.unregister(self.close)
        with ExitStack() as ending:  # each step is taken even if one before it fails
            ending.callback(self.journal.release)
            if thread is not None and bus is not None:
                ending.callback(thread.stop)
                ending.callback(lambda: thread.submit(bus.close()).result())
                ending.callback(self._end_listeners)
                deadline = time.monotonic() + timeout
                if self._relays is not None:
                    relays = self._relays
                    ending.callback(lambda: thread.submit(relays.close(_left(deadline))).result())
                for run in self._handlers:
                    ending.callback(run.stop, deadline)
                thread.submit(bus.flush()).result()
                with self._idle:
                    self._idle.wait_for(lambda: all(run.idle() for run in self._handlers), _left(deadline))
        self._closed = True

    async def aclose(self) -> None:
        """:meth:`close` without blocking the caller's loop."""
        await asyncio.to_thread(self.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def _prepare(
        self,
        event_type: EventType | str,
        data: Mapping[str, Any],
        priority: int | None,
        metadata: Mapping[str, Any] | None,
        dedup_key: str | None,
    ) -> tuple[Event, bytes, str | None, Bus | None]:
        """The event, its payload and key, and the bus if it has handed the event out already."""
        if self._closed:
            raise JournalClosed("the bridge is closed")
        event, payload = new_event(self.source, event_type, data, priority=priority, metadata=metadata, clock=_clock)
        key: str | None = None
        if dedup_key is not None:
            key = named_key(event.source, event.event_type, dedup_key)
        elif deduplicates_by_content(event.event_type, event.data):
            key = content_key(event.source, event.event_type, event.data)
        if self._bus is None or event.priority != Priority.CRITICAL or key is not None:
            return event, payload, key, None
        self._bus.hand_out_early(event)
        return event, payload, key, self._bus

    def _started(self) -> tuple[Bus, LoopThread]:
        with self._lock:
            if self._closing:
                raise JournalClosed("the bridge is closed")
            if self._bus is None or self._thread is None:
                self._thread = LoopThread(f"reactor-bridge {self.source}")
                self._thread.start()
                self._bus = Bus(self.journal, self._thread, target=str(self.source))
            return self._bus, self._thread

    def _connect(self, websocket_url: str | None, redis_url: str | None, fallback: Path | None) -> None:
        """Start a relay for each address that is given."""
        if websocket_url is None and redis_url is None:
            return
        bus, thread = self._started()
        self._relays = transports.open_relays(
            websocket_url=websocket_url,
            redis_url=redis_url,
            fallback=fallback,
            journal=self.journal,
            bus=bus,
            thread=thread,
            source=str(self.source),
            workspace=self.workspace,
        )

    def _end_listeners(self) -> None:
        self._closed = True
        for wake in list(self._listeners.values()):
            wake()

    def _handler_failed(self, name: str, event: Event, error: Exception) -> None:
        """Tell the owner, once: the failure of a handler that was told of a failure is logged only."""
        _log.error("event handler %s failed on %s %s", name, event.event_type, event.event_id, exc_info=error)
        if "failed_handler" in event.metadata:
            return
        told, payload = new_event(
            self.source,
            EventType.ERROR,
            failure_data(name, event, error),
            priority=Priority.HIGH,
            metadata={"failed_handler": name},
        )
        try:
            self.journal.append(told, payload=payload)
        except ReactorError as refused:
            _log.error("the failure of %s could not be stored: %s", name, refused)

    def _notify_idle(self) -> None:
        with self._idle:
            self._idle.notify_all()


def _left(deadline: float) -> float:
    return max(0.0, deadline - time.monotonic())


def _names(types: Iterable[EventType | str]) -> set[str]:
    return {str(as_event_type(name)) for name in types}
