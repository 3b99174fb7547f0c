"""The event bridge: publish durably, listen, look back, prove."""

from __future__ import annotations

import asyncio
import atexit
import os
import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from reactor_core.errors import ReactorError
from reactor_core.events import transports
from reactor_core.events.metrics import Sample
from reactor_core.events.vocabulary import EventSource
from reactor_core.integration.figures import handler_samples, latch_samples
from reactor_core.integration.history import History
from reactor_core.integration.listening import Listening
from reactor_core.integration.publishing import Publishing
from reactor_core.utils.settings import Settings, load_settings

if TYPE_CHECKING:
    from reactor_core.events.transports import RelayStatus

__all__ = ["EventBridge"]

CLOSE_SECONDS = 5.0
"""How long :meth:`EventBridge.close` waits for handlers to finish what was published before."""


class EventBridge(Publishing, Listening, History):
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
        settings = settings or load_settings()
        super().__init__(source, Path(workspace or settings.workspace), settings)
        atexit.register(self.close)
        try:
            self._look_back()
            self._connect(
                websocket_url or settings.event_bridge_ws_url,
                redis_url or settings.event_bridge_redis_url,
                settings.event_bridge_fallback_file if fallback_to_file else None,
            )
        except ReactorError:
            self.close()
            raise

    def metrics(self) -> list[Sample]:
        """Figures about the journal, the relays, the handlers and the kill switch, for Prometheus."""
        with self._lock:
            runs = list(self._runs)
        samples = [*self.journal.metrics(), *handler_samples(runs), *latch_samples(self.latch.state())]
        return samples if self._relays is None else [*samples, *self._relays.metrics()]

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
            ending.callback(self.latch.close)
            ending.callback(self._settle_halts)
            if thread is not None and bus is not None:
                ending.callback(thread.stop)
                ending.callback(lambda: thread.submit(bus.close()).result())
                ending.callback(self._end_listeners)
                deadline = time.monotonic() + timeout
                if self._relays is not None:
                    relays = self._relays
                    ending.callback(lambda: thread.submit(relays.close(_left(deadline))).result())
                for run in self._runs:
                    ending.callback(run.stop, deadline)
                thread.submit(bus.flush()).result()
                with self._idle:
                    self._idle.wait_for(lambda: all(run.idle() for run in self._runs), _left(deadline))
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

    def _connect(self, websocket_url: str | None, redis_url: str | None, fallback: Path | None) -> None:
        """Start a relay for each address that is given."""
        settings = self.settings
        store = None if settings.event_store_url is None else settings.event_store_url.get_secret_value()
        token = None if settings.event_bridge_token is None else settings.event_bridge_token.get_secret_value()
        if websocket_url is None and redis_url is None:
            fallback = None  # without a hub nothing is written outside the workspace
            if store is None and settings.jarvis_events_dir is None:
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
            token=token,
            latch=self.latch,
            events_dir=settings.jarvis_events_dir,
            store_url=store,
            cloud_sql_instance=settings.cloud_sql_instance,
        )

    def _end_listeners(self) -> None:
        self._closed = True
        for wake in list(self._listeners.values()):
            wake()


def _left(deadline: float) -> float:
    return max(0.0, deadline - time.monotonic())
