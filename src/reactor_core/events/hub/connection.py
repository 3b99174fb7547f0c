"""What the hub needs from a WebSocket, whichever library carries it, and the one that the hub and the client use."""

from __future__ import annotations

import contextlib
from typing import Protocol

from websockets.asyncio.connection import Connection as Socket
from websockets.exceptions import ConnectionClosed

__all__ = ["Connection", "Disconnected", "SocketConnection"]


class Disconnected(Exception):
    """The peer is gone. Raised by :meth:`Connection.receive` and :meth:`Connection.send`."""


class Connection(Protocol):
    """One accepted WebSocket. Used from one loop; several tasks may send."""

    @property
    def peer(self) -> str:
        """Who it is, for logs: address and port."""
        ...

    async def receive(self) -> bytes | str:
        """The next message: text frames as ``str``, binary ones as ``bytes``.

        Raises:
            Disconnected: No more will come.
        """
        ...

    async def send(self, message: bytes | str) -> None:
        """Send one message as a frame of its own; waits while the socket's buffer is full.

        Raises:
            Disconnected: It cannot be delivered any more.
        """
        ...

    async def close(self, code: int, reason: str) -> None:
        """Say goodbye; never raises, and does nothing when the peer is gone."""
        ...


class SocketConnection:
    """A connection of the library ``websockets``, either side of it."""

    def __init__(self, socket: Socket) -> None:
        self._socket = socket
        address = socket.remote_address
        self.peer = f"{address[0]}:{address[1]}" if isinstance(address, tuple) else str(address)

    async def receive(self) -> bytes | str:
        try:
            return await self._socket.recv()
        except ConnectionClosed as error:
            raise Disconnected(str(error)) from error

    async def send(self, message: bytes | str) -> None:
        try:
            await self._socket.send(message)
        except ConnectionClosed as error:
            raise Disconnected(str(error)) from error

    async def close(self, code: int, reason: str) -> None:
        # The protocol allows 123 bytes for the reason.
        with contextlib.suppress(OSError):
            await self._socket.close(code, reason.encode()[:120].decode(errors="ignore"))
