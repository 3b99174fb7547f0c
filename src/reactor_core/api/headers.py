"""The outermost layer: a request id, the headers that every answer carries, and the answer where all else failed."""

from __future__ import annotations

import logging
import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reactor_core.api.problems import Problem, respond
from reactor_core.utils.ids import new_id

__all__ = ["SECURITY_HEADERS", "AnswerHeaders"]

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""A route may set one of these itself; then its own holds."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_log = logging.getLogger(__name__)


class AnswerHeaders:
    """ASGI middleware; nothing of ours stands outside of it.

    The request id is the caller's own ``X-Request-ID`` if that is a plain word, else a new one. An error that nobody
    foresaw is logged with it and answered with a problem that says no more than the id.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else new_id()
        scope["reactor.request_id"] = request_id
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
                headers["X-Request-ID"] = request_id
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except ClientDisconnect:
            _log.info("request %s: the client left before it had sent all", request_id)
        except Exception:
            _log.exception("request %s: %s %s failed", request_id, scope.get("method", "WebSocket"), scope["path"])
            if scope["type"] != "http" or started:
                raise
            problem = Problem("internal", "the server's log says more under this request id")
            await respond(problem, scope)(scope, receive, send_with_headers)
