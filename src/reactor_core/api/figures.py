"""Counts of requests and their durations, by route."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reactor_core.events.metrics import SECONDS_BUCKETS, Histogram, Sample

__all__ = ["Measure", "RequestFigures"]

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_NO_ROUTE = "(none)"


class RequestFigures:
    """The counts of one process. Used from its loop only."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str, int]] = Counter()
        self._seconds: dict[str, Histogram] = {}

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answer whose first byte went out ``seconds`` after the request came in."""
        self._counts[method, route, status] += 1
        self._seconds.setdefault(route, Histogram(SECONDS_BUCKETS)).observe(seconds)

    def samples(self) -> list[Sample]:
        """All figures."""
        counts = [
            Sample(
                "reactor_http_requests",
                "counter",
                "Requests answered.",
                float(count),
                {"method": method, "route": route, "status": str(status)},
            )
            for (method, route, status), count in self._counts.items()
        ]
        seconds = [
            Sample("reactor_http_first_byte_seconds", "histogram", "From request to answer.", h, {"route": route})
            for route, h in self._seconds.items()
        ]
        return [*counts, *seconds]


class Measure:
    """ASGI middleware that fills :class:`RequestFigures`."""

    def __init__(self, app: ASGIApp, *, figures: RequestFigures, clock: Callable[[], float]) -> None:
        self._app = app
        self._figures = figures
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = self._clock()

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                method = scope["method"] if scope["method"] in _METHODS else "other"
                # Only names of routes: paths are the client's, and would grow the figures without end.
                route = getattr(scope.get("route"), "path", None) or _NO_ROUTE
                self._figures.answered(method, route, message["status"], self._clock() - began)
            await send(message)

        await self._app(scope, receive, noted)
