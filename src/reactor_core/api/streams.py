"""The answers of an application that never end by themselves: counted, woken, and let go when it goes down."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator

from reactor_core.api.limits import ApiLimits
from reactor_core.api.problems import Problem

__all__ = ["OpenStreams"]


class OpenStreams:
    """Who waits for news of an application. On the loop's thread only.

    Args:
        limits: How many may wait.
    """

    def __init__(self, limits: ApiLimits) -> None:
        self.limits = limits
        self.closing = False
        """Whether the application goes down; every stream looks at it when it is woken."""
        self._clients: Counter[str] = Counter()
        self._wakers: set[Callable[[], None]] = set()

    @property
    def open_streams(self) -> int:
        """How many there are."""
        return self._clients.total()

    def enter_stream(self, client: str) -> Callable[[], None]:
        """Count an open stream of a client; call what is returned when it has ended.

        Raises:
            Problem: There are too many, or the application goes down.
        """
        if self.closing:
            raise Problem("not-ready", "the server is going down", headers={"Retry-After": "2"})
        for count, most, whose in (
            (self._clients.total(), self.limits.streams, ""),
            (self._clients[client], self.limits.streams_per_client, " of one address"),
        ):
            if count >= most:
                detail = f"at most {most} streams{whose} are open at once"
                raise Problem("too-many-streams", detail, headers={"Retry-After": "10"})
        self._clients[client] += 1

        def leave() -> None:
            self._clients[client] -= 1
            if self._clients[client] <= 0:
                del self._clients[client]

        return leave

    @contextlib.contextmanager
    def woken(self, waker: Callable[[], None]) -> Iterator[None]:
        """Call ``waker`` at each :meth:`wake` inside the block, and when the application goes down."""
        self._wakers.add(waker)
        try:
            yield
        finally:
            self._wakers.discard(waker)

    def wake(self) -> None:
        """Let everybody look who waits."""
        for waker in list(self._wakers):
            waker()

    def end_streams(self) -> None:
        """Let every stream end by itself: a server waits for them before it goes down."""
        self.closing = True
        self.wake()
