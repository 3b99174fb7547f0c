"""A hub as the family runs it: real sockets, its plain dialect, and it can die and come back."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed


class Hub:
    """Repeats each event to every client but its sender, and remembers what it got."""

    def __init__(self) -> None:
        self.port = 0
        self.identities: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []
        self._clients: set[ServerConnection] = set()
        self._changed = asyncio.Condition()
        self._server: Server | None = None

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws/events"

    async def start(self) -> None:
        """Listen on a free port; after :meth:`die`, on the same one again."""
        self._server = await serve(self._client, "127.0.0.1", self.port, max_size=None)
        self.port = self._server.sockets[0].getsockname()[1]

    async def die(self) -> None:
        """Cut all connections without a word, and stop listening."""
        assert self._server is not None
        for client in self._clients:
            client.transport.abort()
        self._server.close()
        await self._server.wait_closed()
        self._server = None

    async def stop(self) -> None:
        if self._server is not None:
            await self.die()

    async def say(self, frame: dict[str, Any] | str | bytes) -> None:
        """Send a frame to all clients."""
        text = json.dumps(frame) if isinstance(frame, dict) else frame
        for client in self._clients:
            await client.send(text)

    async def wait(self, *, events: int = 0, clients: int = 0) -> list[dict[str, Any]]:
        """Wait until so many different events came and so many clients are there.

        A client that lost its connection sends what was not confirmed again, so an event can be there twice.
        """
        async with asyncio.timeout(30), self._changed:
            await self._changed.wait_for(lambda: self._different() >= events and len(self._clients) >= clients)
        return self.events

    def _different(self) -> int:
        return len({event["event_id"] for event in self.events})

    async def _client(self, client: ServerConnection) -> None:
        self.identities.append(json.loads(await client.recv()))
        await self._note(lambda: self._clients.add(client))
        try:
            async for frame in client:
                event = json.loads(frame)
                for other in self._clients - {client}:
                    await other.send(frame)
                await self._note(lambda event=event: self.events.append(event))
        except ConnectionClosed:
            pass
        finally:
            await self._note(lambda: self._clients.discard(client))

    async def _note(self, change) -> None:
        async with self._changed:
            change()
            self._changed.notify_all()
