"""The hub: events both ways over a WebSocket, in our dialect or the family's."""

from __future__ import annotations

import contextlib

from fastapi import APIRouter
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from reactor_core.api.guard import principal_of
from reactor_core.api.problems import Problem
from reactor_core.api.services import services_of
from reactor_core.events.hub import MAX_FRAME, SUBPROTOCOL, Disconnected

__all__ = ["SocketAdapter", "router"]

router = APIRouter(tags=["events"])

_TOO_BIG = 1009
_TRY_LATER = 1013


class SocketAdapter:
    """An accepted WebSocket of the application, as the hub sees it."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        client = socket.client
        self.peer = f"{client.host}:{client.port}" if client else "unknown"

    async def receive(self) -> bytes | str:
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise Disconnected(message.get("reason") or f"closed with {message.get('code', 1005)}")
        text: str | None = message.get("text")
        frame: bytes | str = message["bytes"] if text is None else text
        if len(frame) > MAX_FRAME:
            await self.close(_TOO_BIG, f"a frame has at most {MAX_FRAME} bytes")
            raise Disconnected("a frame was too large")
        return frame

    async def send(self, message: bytes | str) -> None:
        try:
            if isinstance(message, str):
                await self._socket.send_text(message)
            else:
                await self._socket.send_bytes(message)
        except (WebSocketDisconnect, RuntimeError) as error:  # RuntimeError: it was closed meanwhile
            raise Disconnected(str(error)) from error

    async def close(self, code: int, reason: str) -> None:
        if self._socket.application_state is WebSocketState.DISCONNECTED:
            return
        with contextlib.suppress(WebSocketDisconnect, RuntimeError, OSError):
            # The protocol allows 123 bytes for the reason.
            await self._socket.close(code, reason.encode()[:120].decode(errors="ignore"))


@router.websocket("/ws/events")
async def events_socket(socket: WebSocket) -> None:
    """Events both ways; docs/reference/wire-protocol.md describes the frames."""
    services = await services_of(socket)
    offered = socket.scope.get("subprotocols", [])
    try:
        leave = services.enter_stream(socket.client.host if socket.client else "unknown")
    except Problem as problem:
        await socket.close(_TRY_LATER, problem.title)
        return
    try:
        await socket.accept(SUBPROTOCOL if SUBPROTOCOL in offered else None)
        await services.hub.handle(SocketAdapter(socket), principal=principal_of(socket.scope))
    finally:
        leave()
