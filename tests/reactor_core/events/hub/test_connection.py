from __future__ import annotations

import asyncio

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve

from reactor_core.events.hub.connection import Disconnected, SocketConnection


@pytest.fixture
async def ends():
    """Both ends of one WebSocket."""
    accepted: asyncio.Future[SocketConnection] = asyncio.get_running_loop().create_future()
    over = asyncio.Event()

    async def handle(socket) -> None:
        accepted.set_result(SocketConnection(socket))
        await over.wait()

    async with serve(handle, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with connect(f"ws://127.0.0.1:{port}") as client:
            yield SocketConnection(client), await accepted
            over.set()


async def test_messages_keep_their_kind(ends):
    client, hub = ends
    await client.send("text")
    await client.send(b"bytes")
    assert [await hub.receive(), await hub.receive()] == ["text", b"bytes"]
    assert hub.peer.startswith("127.0.0.1:")


async def test_a_closed_connection_is_told_to_both(ends):
    client, hub = ends
    await hub.close(1008, "because " * 40)  # longer than the protocol allows
    with pytest.raises(Disconnected, match="because"):
        await client.receive()
    for end in (client, hub):
        with pytest.raises(Disconnected):
            await end.send("late")
    await hub.close(1008, "again")


async def test_text_that_is_no_utf8_ends_the_connection(ends):
    client, hub = ends
    await client._socket.send(b"\xff\xfe", text=True)
    with pytest.raises(Disconnected, match="1007"):
        await hub.receive()
