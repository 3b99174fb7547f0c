"""What the routes stand on, opened once for the life of the application."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from types import FrameType

import psutil
from starlette.requests import HTTPConnection

from reactor_core.api.figures import RequestFigures
from reactor_core.api.limits import ApiLimits
from reactor_core.api.streams import OpenStreams
from reactor_core.errors import ConfigError
from reactor_core.events.hub import Hub
from reactor_core.events.metrics import Sample
from reactor_core.events.query import EventStore
from reactor_core.events.reader import JournalReader
from reactor_core.events.store import JournalStore
from reactor_core.events.vocabulary import EventSource
from reactor_core.integration.event_bridge import EventBridge
from reactor_core.safety.confirm.approvals import Approvals
from reactor_core.utils.clock import Clock, SystemClock
from reactor_core.utils.settings import Settings
from reactor_core.utils.tokens import Token, is_loopback, matches, workspace_token

__all__ = ["Services", "services_of"]

_log = logging.getLogger(__name__)

READERS = 4
"""Queries to the journal that run at once; a long search holds up no more than one of them."""
LOOK_SECONDS = 10.0
"""How long after its start the application looks for the addresses that its process listens on."""


class Services(OpenStreams):
    """One bridge, one hub and a few readers of one workspace. Made by :meth:`start`.

    Args:
        settings: What the environment says.
        limits: What a client may ask.
        figures: Counts the requests.
        bridge: The connection to the workspace's events.
        stores: The readers.
        token: What clients beyond this machine show.
    """

    def __init__(
        self,
        settings: Settings,
        limits: ApiLimits,
        figures: RequestFigures,
        bridge: EventBridge,
        stores: list[JournalStore],
        token: Token,
        *,
        clock: Clock,
    ) -> None:
        super().__init__(limits)
        self.settings = settings
        self.figures = figures
        self.bridge = bridge
        self.token = token
        self.hub = Hub(
            bridge.journal, bridge.bus, latch=bridge.latch, authenticate=lambda given: matches(given, token.value)
        )
        self.looks: JournalReader = bridge.journal.open_reader()
        """For questions that take microseconds; nothing long is asked of it, so it may be asked on the loop."""
        self.approvals = Approvals(bridge)
        """The questions to people about actions."""
        self._clock = clock
        self._started = clock.monotonic()
        self._stores: asyncio.Queue[JournalStore] = asyncio.Queue()
        for store in stores:
            self._stores.put_nowait(store)
        self._shared: EventStore | None = None
        self._looking: asyncio.Task[None] | None = None

    @classmethod
    async def start(
        cls, settings: Settings, limits: ApiLimits, figures: RequestFigures, *, clock: Clock | None = None
    ) -> Services:
        """Open the workspace, and say where the token is if it is new.

        Raises:
            ReactorError: The workspace cannot be opened, or the token cannot be used.
        """

        def opened() -> Services:
            token = workspace_token(settings)
            bridge = EventBridge(EventSource.REACTOR_CORE, settings=settings)
            stores: list[JournalStore] = []
            try:
                stores += [JournalStore(bridge.journal.path) for _ in range(READERS)]
                return cls(settings, limits, figures, bridge, stores, token, clock=clock or SystemClock())
            except BaseException:
                for store in stores:
                    store.close()
                bridge.close()
                raise

        services = await asyncio.to_thread(opened)
        if services.token.made:
            _log.warning(
                "made a token for clients beyond this machine (Authorization: Bearer): %s", services.token.path
            )
        services.look_around()
        return services

    async def stop(self) -> None:
        """End all streams and close the workspace."""
        self.end_streams()
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        await self.hub.close()
        while not self._stores.empty():
            self._stores.get_nowait().close()
        if self._shared is not None:
            await asyncio.to_thread(self._shared.close)
        self.looks.close()
        await asyncio.to_thread(self.approvals.close)
        await self.bridge.aclose()

    @property
    def uptime_seconds(self) -> float:
        """Seconds since the start."""
        return self._clock.monotonic() - self._started

    @contextlib.asynccontextmanager
    async def reader(self, *, shared: bool = False) -> AsyncIterator[EventStore]:
        """Borrow a reader of the workspace; waits while all are busy. Its calls block: use ``asyncio.to_thread``.

        Args:
            shared: Lend the store that many workspaces are copied into instead.

        Raises:
            ConfigError: There is no such store.
        """
        if shared:
            if self._shared is None:
                self._shared = _open_shared(self.settings)
            yield self._shared
            return
        store = await self._stores.get()
        try:
            yield store
        finally:
            self._stores.put_nowait(store)

    async def metrics(self) -> list[Sample]:
        """The figures of everything in this process."""
        found = await asyncio.to_thread(self.bridge.metrics)  # counts what waits in the journal
        help_text = "Open event streams and WebSockets."
        streams = Sample("reactor_http_streams", "gauge", help_text, float(self.open_streams))
        return [*found, *self.hub.metrics(), *self.figures.samples(), streams]

    def look_around(self) -> None:
        """Warn, soon, about every address beyond loopback that this process listens on, whoever chose it."""
        self._looking = asyncio.create_task(self._look_around())

    async def _look_around(self) -> None:
        deadline = self._clock.monotonic() + LOOK_SECONDS
        while self._clock.monotonic() < deadline:
            addresses = await asyncio.to_thread(_listening)
            if addresses:
                for host, port in sorted(addresses):
                    if not is_loopback(host):
                        _log.warning(
                            "listening on %s port %d, which other machines may reach: they are answered only with"
                            " the token %s, and what they send is not encrypted",
                            host,
                            port,
                            self.token.path or "in REACTOR_API_TOKEN",
                        )
                return
            await asyncio.sleep(0.1)


async def services_of(connection: HTTPConnection) -> Services:
    """The services of the application that a request came to; a dependency of the routes.

    A coroutine, though it waits for nothing: the framework runs plain functions on another thread.
    """
    services: Services = connection.app.state.services
    return services


@contextlib.contextmanager
def on_signals(call: Callable[[], None]) -> Iterator[None]:
    """Call ``call`` on the loop when the process is told to end, before the server's own handler runs.

    Servers wait for open answers before they end the application, and an event stream is an answer that never ends by
    itself. Does nothing off the main thread, where nobody can handle signals.
    """
    loop = asyncio.get_running_loop()
    before = {}
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            handler = signal.getsignal(number)
            if not callable(handler):
                continue

            def chained(number: int, frame: FrameType | None, handler: object = handler) -> None:
                with contextlib.suppress(RuntimeError):  # the loop is closed: all has ended
                    loop.call_soon_threadsafe(call)
                assert callable(handler)
                handler(number, frame)

            before[number] = handler
            signal.signal(number, chained)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _open_shared(settings: Settings) -> EventStore:
    """The configured Postgres; connects when it is asked something."""
    from reactor_core.cloud.postgres import Postgres  # a quarter of a second, for those who use it
    from reactor_core.events.store import PostgresStore

    if settings.event_store_url is None:
        raise ConfigError(
            "no shared event store is configured", remedy="set EVENT_STORE_URL=postgresql://user:password@host/database"
        )
    return PostgresStore(
        Postgres(settings.event_store_url.get_secret_value(), cloud_sql_instance=settings.cloud_sql_instance)
    )


def _listening() -> set[tuple[str, int]]:
    try:
        found = psutil.Process().net_connections("inet")
    except psutil.Error:  # a platform that does not tell
        return set()
    return {(c.laddr.ip, c.laddr.port) for c in found if c.status == psutil.CONN_LISTEN}
