"""WebSocket client: exchange events with a hub, in the dialect that every service of the family speaks.

The first frame says who we are, ``{"type": "identity", "source": "reactor_core"}``; then each text frame is one event
as JSON, in both directions. That dialect has no acknowledgement. A ping after each batch stands in for it: the pong
comes back only after the other side's library has read all frames before it. So the cursor says what the hub has
received; what it then does with it is its own affair.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidURI, WebSocketException
from websockets.uri import parse_uri

from reactor_core.errors import ConfigError
from reactor_core.events.bus import Bus
from reactor_core.events.event import MAX_PAYLOAD_BYTES
from reactor_core.events.journal import Journal
from reactor_core.events.loop_thread import end_tasks
from reactor_core.events.transports.backoff import full_jitter
from reactor_core.events.transports.relay import Relay

__all__ = ["WebSocketRelay"]

ANSWER_SECONDS = 20.0
"""How long a hub may take to answer a handshake or a ping before the connection counts as lost."""

# Data travels under two names, and JSON text can be escaped to six times its bytes by other writers.
_MAX_FRAME = 8 * MAX_PAYLOAD_BYTES


class WebSocketRelay(Relay):
    """Keeps one connection to a hub.

    Args:
        token: Bearer token to show to the hub.
        url: ``ws://`` or ``wss://``; a user and password in it are sent as HTTP basic authentication.

    Raises:
        ConfigError: The address is no WebSocket address.
    """

    failures = (OSError, WebSocketException)

    def __init__(
        self,
        url: str,
        *,
        journal: Journal,
        bus: Bus,
        source: str,
        workspace: Path,
        token: str | None = None,
        backoff: Callable[[], Iterator[float]] = full_jitter,
    ) -> None:
        try:
            parse_uri(url)
        except (InvalidURI, ValueError) as error:
            raise ConfigError(
                f"websocket_url={url!r} is no WebSocket address", remedy="example: ws://localhost:8000/ws/events"
            ) from error
        parts = urlsplit(url)
        name = f"{parts.scheme}://{parts.hostname}:{parts.port or (443 if parts.scheme == 'wss' else 80)}{parts.path}"
        super().__init__(name, journal=journal, bus=bus, source=source, workspace=workspace, backoff=backoff)
        self._url = url
        self._headers = None if token is None else {"Authorization": f"Bearer {token}"}

    async def session(self) -> None:
        async with connect(
            self._url,
            additional_headers=self._headers,
            open_timeout=ANSWER_SECONDS,
            ping_interval=ANSWER_SECONDS,
            ping_timeout=ANSWER_SECONDS,
            close_timeout=1,
            max_size=_MAX_FRAME,
        ) as hub:
            await hub.send(msgspec.json.encode({"type": "identity", "source": self.source}).decode())
            self.connected()
            tasks = [asyncio.ensure_future(self._send(hub)), asyncio.ensure_future(self._receive(hub))]
            try:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                await end_tasks(tasks)
                await hub.close()
                await self.settle()
            for task in done:
                task.result()

    async def _send(self, hub: ClientConnection) -> None:
        while True:
            batch = await self.outgoing()
            for event in batch.events:
                await hub.send(event.to_family_json().decode())
            async with asyncio.timeout(ANSWER_SECONDS):
                await (await hub.ping())
            await self.confirm(batch)

    async def _receive(self, hub: ClientConnection) -> None:
        async for frame in hub:
            if not _is_control(frame):
                await self.accept(frame)


def _is_control(frame: bytes | str) -> bool:
    """Whether a frame speaks about the connection (welcome, heartbeat) instead of carrying an event."""
    try:
        value = msgspec.json.decode(frame)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False  # accept() says what is wrong with it
    return isinstance(value, dict) and "event_type" not in value
