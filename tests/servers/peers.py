"""Peers that a test steers frame by frame, over a real socket."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import msgspec
from tests.servers.hub import HubHost
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from reactor_core.events import new_event
from reactor_core.events.hub.wire import SUBPROTOCOL, Ack, Codec, Events, Hello, Welcome, pack, unpack


class RawPeer:
    """Speaks our dialect, and does nothing by itself."""

    def __init__(self, socket: ClientConnection, welcome: Welcome, codec: Codec) -> None:
        self.socket = socket
        self.welcome = welcome
        self.codec = codec

    async def send(self, frame: Any) -> None:
        await self.socket.send(self.codec.encode(frame))

    async def publish(self, *numbers: int, first: int | None = 1, lane: int = 3, early: bool = False, **data: Any):
        """Send events with positions from ``first`` on."""
        events = [new_event("scout", "tick", {"n": number, **data}, priority=lane)[0] for number in numbers]
        await self.again(events, first=first, early=early)
        return events

    async def again(self, events, *, first: int | None = 1, early: bool = False) -> None:
        seqs = [None if first is None else first + step for step in range(len(events))]
        packed = [pack(event.at(seq)) for event, seq in zip(events, seqs, strict=True)]
        await self.socket.send(self.codec.events(packed, early=early))

    async def frame(self, *kinds: type) -> Any:
        """The next frame of these kinds."""
        async with asyncio.timeout(30):
            while True:
                frame = self.codec.decode(await self.socket.recv())
                if isinstance(frame, kinds):
                    return frame

    async def acked(self, lane: int, seq: int) -> None:
        """Wait until a position of ours is acknowledged."""
        while (await self.frame(Ack)).lanes.get(lane, 0) < seq:
            pass

    async def events(self, count: int, *, credit: bool = True) -> list[Any]:
        """The next events, and whether each came early, as ``(event, seq, early)``."""
        got: list[Any] = []
        while len(got) < count:
            frame = await self.frame(Events)
            got += [(unpack(packed, ""), packed.seq, frame.early) for packed in frame.events]
            if credit:
                await self.send(Ack(credit=sum(len(bytes(packed.payload)) + 64 for packed in frame.events)))
        return got

    async def closed(self) -> tuple[int, str]:
        """Wait until the hub has ended the connection; the code and the reason."""
        async with asyncio.timeout(30):
            try:
                while True:
                    await self.socket.recv()
            except ConnectionClosed as gone:
                return (gone.rcvd.code, gone.rcvd.reason) if gone.rcvd else (1006, "cut without a word")


class OldPeer:
    """An unmodified neighbour: identity, then plain JSON both ways."""

    def __init__(self, socket: ClientConnection, source: str) -> None:
        self.socket = socket
        self.source = source

    async def publish(self, number: int, **changes: Any) -> None:
        event = {
            "event_id": f"abc{number:05x}",
            "event_type": "interaction_end",
            "source": self.source,
            "timestamp": "2026-11-21T12:00:00",
            "payload": {"n": number},
            "metadata": {},
            "target_sources": [],
            "priority": 5,
        }
        await self.socket.send(json.dumps(event | changes))

    async def event(self) -> dict[str, Any]:
        async with asyncio.timeout(30):
            return json.loads(await self.socket.recv())


class Meeting:
    """Peers at one hub; :meth:`close` hangs up for all of them."""

    def __init__(self, host: HubHost) -> None:
        self.host = host
        self._sockets: list[ClientConnection] = []

    async def join(self, node: str = "peer", *, headers: dict[str, str] | None = None, **options: Any) -> RawPeer:
        """Introduce ourselves in our dialect."""
        socket = await self.connect(subprotocols=[SUBPROTOCOL], additional_headers=headers)
        assert socket.subprotocol == SUBPROTOCOL
        hello = Hello(node, options.pop("source", "scout"), **options)
        await socket.send(msgspec.json.encode(hello).decode())
        welcome = Codec("json").decode(await socket.recv())
        assert isinstance(welcome, Welcome), welcome
        return RawPeer(socket, welcome, Codec(welcome.encoding))

    async def join_old(self, source: str = "jarvis_agent") -> OldPeer:
        """Introduce ourselves as the family does."""
        socket = await self.connect()
        await socket.send(json.dumps({"type": "identity", "source": source}))
        await self.until(lambda: source in {peer.source for peer in self.host.hub.peers()})
        return OldPeer(socket, source)

    async def connect(self, **options: Any) -> ClientConnection:
        """A WebSocket that has not said anything."""
        socket = await connect(self.host.url, max_size=None, close_timeout=1, **options)
        self._sockets.append(socket)
        return socket

    async def until(self, condition) -> None:
        """Wait until something holds at the hub."""
        async with asyncio.timeout(30):
            while not condition():  # noqa: ASYNC110  the hub runs on another thread and rings no bell here
                await asyncio.sleep(0.005)

    async def close(self) -> None:
        for socket in self._sockets:
            await socket.close()
