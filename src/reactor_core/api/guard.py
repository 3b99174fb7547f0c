"""Who may ask: everybody on this machine, and whoever shows the token.

The rule, for every route and before any of them is looked at:

1. A request with an ``Authorization`` header is judged by it alone. A wrong token is refused, wherever it comes from.
2. Without one it must come from this machine: over a loopback address, not passed on by a proxy, with a ``Host`` that
   names this machine (a foreign name that resolves to 127.0.0.1 is how pages reach local servers), and not from a page
   of another site. A browser says the last in ``Sec-Fetch-Site`` or ``Origin``; a port makes another site.
3. Everything else needs the token.

A WebSocket that fails 2 is let through without a principal: browsers cannot send the header, so the hub asks for the
token in the first frame.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from reactor_core.api.problems import Problem, respond
from reactor_core.utils.tokens import bearer, is_loopback, matches

__all__ = ["LOCAL", "TOKEN", "Guard", "judge", "principal_of"]

LOCAL = "local"
"""Principal of a request from this machine without a token."""
TOKEN = "token"  # noqa: S105  a name
"""Principal of a request with the token."""

_KEY = "reactor.principal"
_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")


def principal_of(scope: Scope) -> str | None:
    """What :class:`Guard` found: :data:`LOCAL`, :data:`TOKEN`, or None for a WebSocket that has to show the token."""
    found: str | None = scope.get(_KEY)
    return found


def judge(*, method: str, client: str | None, headers: Headers, token: str) -> str | Problem:
    """Apply the rule.

    Args:
        method: HTTP method; ``GET`` for a WebSocket.
        client: Address of the other end; None if it is not known.
        headers: Of the request.
        token: The right one.

    Returns:
        The principal, or why there is none.
    """
    authorization = headers.get("authorization")
    if authorization is not None:
        if matches(bearer(authorization), token):
            return TOKEN
        challenge = {"WWW-Authenticate": 'Bearer realm="reactor", error="invalid_token"'}
        return Problem("token-wrong", "send Authorization: Bearer with the workspace's token", headers=challenge)
    challenge = {"WWW-Authenticate": 'Bearer realm="reactor"'}
    if not is_loopback(client):
        return Problem(
            "token-missing",
            "clients beyond this machine send Authorization: Bearer with the workspace's token",
            headers=challenge,
        )
    if any(name in headers for name in _FORWARDED):
        return Problem(
            "token-missing",
            "a request that a proxy passed on needs the workspace's token, in Authorization: Bearer",
            headers=challenge,
        )
    if not is_loopback(_host(headers.get("host", ""))):
        return Problem(
            "host-unknown",
            "without a token, ask for localhost or a loopback address by that name",
            headers=challenge,
        )
    if _foreign(method, headers):
        return Problem("cross-site", "pages of other origins need the workspace's token", headers=challenge)
    return LOCAL


class Guard:
    """ASGI middleware that applies the rule.

    Args:
        app: What is guarded.
        token: Gives the right token once the application has started; None before.
    """

    def __init__(self, app: ASGIApp, *, token: Callable[[], str | None]) -> None:
        self._app = app
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        token = self._token()
        if token is None:
            found: str | Problem = Problem("not-ready", "the application has not started", headers={"Retry-After": "1"})
        else:
            client = scope.get("client")
            found = judge(
                method=scope.get("method", "GET"),
                client=client[0] if client else None,
                headers=Headers(scope=scope),
                token=token,
            )
        if scope["type"] == "websocket":
            if isinstance(found, Problem) and found.name in ("token-wrong", "not-ready"):
                await _refuse(found, scope, receive, send)
                return
            scope[_KEY] = None if isinstance(found, Problem) else found
        elif isinstance(found, Problem):
            await respond(found, scope)(scope, receive, send)
            return
        else:
            scope[_KEY] = found
        await self._app(scope, receive, send)


async def _refuse(problem: Problem, scope: Scope, receive: Receive, send: Send) -> None:
    """End a WebSocket's handshake with the problem, where the server can send one, or else with 403."""
    if "websocket.http.response" in scope.get("extensions", {}):
        await respond(problem, scope)(scope, receive, send)
    else:
        await send({"type": "websocket.close", "code": 1008, "reason": problem.title})


def _host(header: str) -> str:
    """The host of a ``Host`` header, without its port; empty if it is none."""
    host, _, port = header.rpartition(":")
    if not host or header.endswith("]"):
        return header
    if not port.isdigit():
        return ""
    try:  # an IPv6 address without brackets is no host and port
        ipaddress.IPv6Address(header)
    except ValueError:
        return host
    return ""


def _foreign(method: str, headers: Headers) -> bool:
    """Whether a page of another origin asks. Following a link to here is no such thing."""
    site = headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        return not (
            method == "GET"
            and headers.get("sec-fetch-mode") == "navigate"
            and headers.get("sec-fetch-dest") == "document"
        )
    origin = headers.get("origin")
    return origin is not None and _netloc(origin) != headers.get("host", "").lower()


def _netloc(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc.lower() or None
    except ValueError:
        return None
