"""All relays of one bridge: made from addresses, started together, ended together."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path

from reactor_core.errors import ConfigError
from reactor_core.events.bus import Bus
from reactor_core.events.journal import Journal
from reactor_core.events.latch import Latch
from reactor_core.events.loop_thread import LoopThread, end_tasks
from reactor_core.events.metrics import Sample
from reactor_core.events.transports import FolderRelay, JsonlRelay, RedisRelay, WebSocketRelay
from reactor_core.events.transports.figures import RelayStatus
from reactor_core.events.transports.relay import Relay

__all__ = ["RelayGroup", "open_relays"]

_log = logging.getLogger(__name__)


class RelayGroup:
    """Relays that run on one bridge's loop.

    Args:
        hub: The one of them whose confirmation counts as that of the hub, if any.
    """

    def __init__(self, relays: Sequence[Relay], thread: LoopThread, *, hub: Relay | None = None) -> None:
        self._relays = tuple(relays)
        self._hub = hub
        self._thread = thread
        self._tasks: list[asyncio.Task[None]] = []
        thread.submit(self._start()).result()

    @property
    def has_hub(self) -> bool:
        """Whether there is a hub whose confirmation can be waited for."""
        return self._hub is not None

    def status(self) -> list[RelayStatus]:
        """How each stands."""
        return [relay.status for relay in self._relays]

    def metrics(self) -> list[Sample]:
        """Figures about each; any thread."""
        return [sample for relay in self._relays for sample in relay.metrics()]

    async def confirmed(self, lane: int, seq: int) -> None:
        """Wait until the hub has the event at a position (loop thread).

        Raises:
            ConfigError: There is no hub.
            JournalClosed: The relays were closed before.
        """
        if self._hub is None:
            raise ConfigError("no hub is configured", remedy="set EVENT_BRIDGE_WS_URL, or publish with ack='durable'")
        await self._hub.confirmed(lane, seq)

    async def close(self, seconds: float) -> None:
        """Let relays that are up deliver what is committed, for at most so long; then end them."""
        try:
            async with asyncio.timeout(seconds):
                await asyncio.gather(*(relay.flush() for relay in self._relays))
        except TimeoutError:
            _log.info("closed before the other side confirmed every event; the rest goes out next time")
        await end_tasks(self._tasks)

    async def _start(self) -> None:
        for relay in self._relays:
            task = asyncio.create_task(relay.run(), name=relay.name)
            task.add_done_callback(_log_fault)
            self._tasks.append(task)


def open_relays(
    *,
    websocket_url: str | None,
    redis_url: str | None,
    fallback: Path | None,
    journal: Journal,
    bus: Bus,
    thread: LoopThread,
    source: str,
    workspace: Path,
    token: str | None = None,
    latch: Latch | None = None,
    events_dir: Path | None = None,
    store_url: str | None = None,
    cloud_sql_instance: str | None = None,
) -> RelayGroup:
    """Start a relay for each address that is given, and the shared file if there is any.

    Args:
        fallback: The shared file, or None.
        token: Bearer token for the hub.
        latch: The workspace's kill switch, whose state travels with the connections to a hub or a Redis.
        events_dir: Folder of event files that the services of the family share.
        store_url: Postgres that gets a copy of the journal.
        cloud_sql_instance: Cloud SQL instance to reach it through.

    Raises:
        ConfigError: An address cannot be used.
    """
    relays: list[Relay] = []
    hub: Relay | None = None
    if websocket_url is not None:
        hub = WebSocketRelay(
            websocket_url, token=token, latch=latch, journal=journal, bus=bus, source=source, workspace=workspace
        )
        relays.append(hub)
    if redis_url is not None:
        relays.append(RedisRelay(redis_url, latch=latch, journal=journal, bus=bus, source=source, workspace=workspace))
    if fallback is not None:
        others = tuple(relays)
        relays.append(JsonlRelay(fallback, unless=others, journal=journal, bus=bus, source=source, workspace=workspace))
    if events_dir is not None:
        relays.append(FolderRelay(events_dir, journal=journal, bus=bus, source=source, workspace=workspace))
    if store_url is not None:
        from reactor_core.events.store.relay import PostgresRelay  # its drivers cost half a second to import

        relays.append(
            PostgresRelay(
                store_url,
                cloud_sql_instance=cloud_sql_instance,
                journal=journal,
                bus=bus,
                source=source,
                workspace=workspace,
            )
        )
    return RelayGroup(relays, thread, hub=hub)


def _log_fault(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("%s ended by a fault of its own", task.get_name(), exc_info=error)
