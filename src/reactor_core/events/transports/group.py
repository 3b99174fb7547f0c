"""All relays of one bridge: made from addresses, started together, ended together."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path

from reactor_core.events.bus import Bus
from reactor_core.events.journal import Journal
from reactor_core.events.loop_thread import LoopThread, end_tasks
from reactor_core.events.transports import JsonlRelay, RedisRelay, WebSocketRelay
from reactor_core.events.transports.relay import Relay, RelayStatus

__all__ = ["RelayGroup", "open_relays"]

_log = logging.getLogger(__name__)


class RelayGroup:
    """Relays that run on one bridge's loop."""

    def __init__(self, relays: Sequence[Relay], thread: LoopThread) -> None:
        self._relays = tuple(relays)
        self._thread = thread
        self._tasks: list[asyncio.Task[None]] = []
        thread.submit(self._start()).result()

    def status(self) -> list[RelayStatus]:
        """How each stands."""
        return [relay.status for relay in self._relays]

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
) -> RelayGroup:
    """Start a relay for each address that is given, and the shared file if there is any.

    Args:
        fallback: The shared file, or None.

    Raises:
        ConfigError: An address cannot be used.
    """
    relays: list[Relay] = []
    if websocket_url is not None:
        relays.append(WebSocketRelay(websocket_url, journal=journal, bus=bus, source=source, workspace=workspace))
    if redis_url is not None:
        relays.append(RedisRelay(redis_url, journal=journal, bus=bus, source=source, workspace=workspace))
    if fallback is not None:
        others = tuple(relays)
        relays.append(JsonlRelay(fallback, unless=others, journal=journal, bus=bus, source=source, workspace=workspace))
    return RelayGroup(relays, thread)


def _log_fault(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("%s ended by a fault of its own", task.get_name(), exc_info=error)
