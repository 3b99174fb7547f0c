"""How much a client may ask: sizes, rates, times and numbers of open streams."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reactor_core.api.guard import principal_of
from reactor_core.api.problems import Problem, respond

__all__ = ["ApiLimits", "BodyLimit", "RateLimit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiLimits:
    """The limits of one process of the API."""

    body_bytes: int = 8 << 20
    """Largest body of a request."""
    body_seconds: float = 30.0
    """How long a client may be silent while it sends a body."""
    batch_events: int = 1000
    """Most events in one request."""
    requests_per_minute: int = 6000
    """Requests of one address in a minute; a batch or an opened stream is one request."""
    refusals_per_minute: int = 60
    """Requests of one address in a minute that may fail to authenticate."""
    streams: int = 256
    """Event streams and WebSockets that are open at once."""
    streams_per_client: int = 64
    """The same, of one address."""
    stalled_seconds: float = 30.0
    """How long the reader of an event stream may take nothing before its connection is closed."""


class BodyLimit:
    """ASGI middleware: a body that is too large, or comes too slowly, is not read on.

    Args:
        app: What is guarded.
        limits: The usual ones.
        larger: Path -> bytes, for routes that read a body piece by piece and so may take more of it.
    """

    def __init__(self, app: ASGIApp, *, limits: ApiLimits, larger: Mapping[str, int] | None = None) -> None:
        self._app = app
        self._limits = limits
        self._larger = larger or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = self._larger.get(scope["path"], self._limits.body_bytes)
        length = Headers(scope=scope).get("content-length", "")
        if length.isdigit() and (len(length) > 15 or int(length) > most):
            await respond(_too_large(most), scope)(scope, receive, send)
            return
        taken, complete = 0, False

        async def receive_some() -> Message:
            nonlocal taken, complete
            if complete:  # what follows is the end of the connection, however late
                return await receive()
            try:
                async with asyncio.timeout(self._limits.body_seconds):
                    message = await receive()
            except TimeoutError:
                raise Problem(
                    "body-slow",
                    f"no byte of the body came for {self._limits.body_seconds:g} s",
                    headers={"Connection": "close"},
                ) from None
            taken += len(message.get("body", b""))
            complete = not message.get("more_body", False)
            if taken > most:
                raise _too_large(most)
            return message

        await self._app(scope, receive_some, send)


class RateLimit:
    """ASGI middleware: so many requests a minute of one address, fewer of one that fails to authenticate.

    It stands around the guard, so that guessing is slowed down too. Each process of the API counts for itself.
    """

    def __init__(self, app: ASGIApp, *, limits: ApiLimits, clock: Callable[[], float] = time.time) -> None:
        self._app = app
        self._clock = clock
        self._all = RateLimitItemPerMinute(limits.requests_per_minute, namespace="all")
        self._refused = RateLimitItemPerMinute(limits.refusals_per_minute, namespace="refused")
        self._strategy: SlidingWindowCounterRateLimiter | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        if self._strategy is None:  # its storage belongs to a loop
            self._strategy = SlidingWindowCounterRateLimiter(MemoryStorage())
        strategy = self._strategy
        client = scope.get("client")
        address = client[0] if client else "unknown"
        problem: Problem | None = None
        if not await strategy.hit(self._all, address):
            problem = await self._problem(strategy, self._all, address)
        elif not await strategy.test(self._refused, address):
            problem = await self._problem(strategy, self._refused, address)
        if problem is not None:
            if scope["type"] == "http":
                await respond(problem, scope)(scope, receive, send)
            else:
                await send({"type": "websocket.close", "code": 1013, "reason": problem.title})
            return

        async def count_refusals(message: Message) -> None:
            refused = message["type"].endswith("response.start") and message["status"] in (401, 403)
            if refused and principal_of(scope) is None:
                await strategy.hit(self._refused, address)
            await send(message)

        await self._app(scope, receive, count_refusals)

    async def _problem(
        self, strategy: SlidingWindowCounterRateLimiter, item: RateLimitItemPerMinute, address: str
    ) -> Problem:
        window = await strategy.get_window_stats(item, address)
        seconds = max(1, math.ceil(window.reset_time - self._clock()))
        detail = f"at most {item.amount} requests a minute"
        if item is self._refused:
            detail = f"at most {item.amount} requests a minute may fail to authenticate"
        return Problem("rate-limited", detail, headers={"Retry-After": str(seconds)})


def _too_large(most: int) -> Problem:
    detail = f"at most {most} bytes are taken; send several smaller requests"
    return Problem("body-too-large", detail, headers={"Connection": "close"})
