"""A socket of its own for the hub: ``/ws/events`` for both dialects, ``/health`` for whoever watches it."""

from __future__ import annotations

import http
import logging
import socket
from collections.abc import Sequence
from urllib.parse import urlsplit

import msgspec
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from reactor_core.events.hub.connection import SocketConnection
from reactor_core.events.hub.hub import Hub
from reactor_core.events.hub.wire import MAX_FRAME, PATH, SUBPROTOCOL, WINDOW
from reactor_core.utils.ports import listen
from reactor_core.utils.tokens import bearer, is_loopback, matches

__all__ = ["HubServer", "is_local_page"]

PING_SECONDS = 20.0
"""A peer that answers no ping for so long is gone; one that never reads answers none."""

# A proxy on this machine speaks for others.
_PROXY_HEADERS = ("Forwarded", "X-Forwarded-For", "X-Real-IP")

_log = logging.getLogger(__name__)


class HubServer:
    """Serves a hub on a port.

    Clients on this machine need no token, unless a proxy passed them on or a browser sent them from another site's
    page. All others show it as ``Authorization: Bearer ...``, or in their first frame.

    Args:
        token: The secret that clients show.
    """

    def __init__(self, hub: Hub, *, token: str) -> None:
        self._hub = hub
        self._token = token
        self._server: Server | None = None
        self.port = 0

    async def start(self, host: str, port: int) -> None:
        """Listen.

        Args:
            port: 0 takes a free one, which is then in ``port``.

        Raises:
            ConfigError: There is no such port.
            EnvironmentMissing: The address cannot be used.
        """
        listening = listen(host, port)
        # Inherited by every connection. What waits for a slow peer waits in its lanes, where urgent events overtake
        # it, and not in the kernel, where nothing does.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * WINDOW)
        self._server = await serve(
            self._serve,
            sock=listening,
            select_subprotocol=_select,
            process_request=self._admit,
            compression=None,
            max_size=MAX_FRAME,
            max_queue=4,
            open_timeout=10,
            ping_interval=PING_SECONDS,
            ping_timeout=PING_SECONDS,
            close_timeout=1,
            server_header=None,
        )
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop listening, end all connections and the hub."""
        if self._server is not None:
            self._server.close(close_connections=False)
        await self._hub.close()
        if self._server is not None:
            await self._server.wait_closed()

    async def _serve(self, socket: ServerConnection) -> None:
        assert socket.request is not None, "the handshake is over"
        await self._hub.handle(SocketConnection(socket), principal=self._principal(socket, socket.request))

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        """Answer what is no WebSocket for the hub."""
        path = urlsplit(request.path).path
        if path == "/health":
            return _respond(http.HTTPStatus.OK, {"status": "ok", "peers": len(self._hub.peers())})
        if path != PATH:
            return _problem(http.HTTPStatus.NOT_FOUND, f"{path} is not here; events are at {PATH}")
        shown = request.headers.get("Authorization")
        if shown is not None and not matches(bearer(shown), self._token):
            _log.warning("%s: refused, its token is wrong", connection.remote_address)
            return _problem(http.HTTPStatus.UNAUTHORIZED, "the token is not the hub's")
        return None

    def _principal(self, socket: ServerConnection, request: Request) -> str | None:
        if request.headers.get("Authorization") is not None:
            return "token"  # a wrong one did not come this far
        address = socket.remote_address
        local = is_loopback(address[0] if isinstance(address, tuple) else None)
        passed_on = any(name in request.headers for name in _PROXY_HEADERS)
        page = is_local_page(request.headers.get("Origin"), request.headers.get("Host"))
        return "loopback" if local and page and not passed_on else None


def is_local_page(origin: str | None, host: str | None) -> bool:
    """Whether a request comes from no browser, or from a page of this machine.

    Browsers let any site's page open a WebSocket to this machine, and a name of that site can point here; they tell
    both in these headers.

    Args:
        origin: Of the page; None: no browser sent the request.
        host: The name under which this machine was asked.
    """
    if origin is None:
        return True
    return all(is_loopback(urlsplit(text).hostname) for text in (origin, f"//{host or ''}"))


def _select(_: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    """Ours if the client knows it; an old neighbour offers none."""
    return Subprotocol(SUBPROTOCOL) if SUBPROTOCOL in offered else None


def _problem(status: http.HTTPStatus, detail: str) -> Response:
    problem = {"type": "about:blank", "title": status.phrase, "status": int(status), "detail": detail}
    response = _respond(status, problem, "application/problem+json")
    if status == http.HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _respond(status: http.HTTPStatus, body: object, kind: str = "application/json") -> Response:
    content = msgspec.json.encode(body)
    headers = Headers({"Content-Type": kind, "Content-Length": str(len(content)), "Connection": "close"})
    return Response(status.value, status.phrase, headers, content)
