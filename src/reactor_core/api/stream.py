"""One reader of server-sent events."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from reactor_core.api.positions import LANES, Positions
from reactor_core.api.services import Services
from reactor_core.events.event import Event
from reactor_core.events.query import EventQuery
from reactor_core.events.subscription import Subscription

__all__ = ["EventStream", "Start"]

KEEP_ALIVE_SECONDS = 15.0
"""How often an idle stream says something, so that what stands between keeps it open."""
RETRY_MS = 2000
"""When a reader whose connection broke should come back."""
_CHUNK_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Start:
    """Where a stream begins.

    Args:
        after: Position by lane.
        gap: What the reader asked for and cannot get; None if nothing.
    """

    after: Mapping[int, int]
    gap: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, asked: Positions | None, *, journal_id: str, first: int, head: int) -> Start:
        """Decide.

        Args:
            asked: Where the reader was; None begins now.
            first: Position of the journal's first row, or of its next one if there is none.
            head: Position of its last row.
        """
        if asked is None:
            return cls(dict.fromkeys(LANES, head))
        if not asked.is_of(journal_id):
            # All of this journal is new to the reader.
            return cls(dict.fromkeys(LANES, first - 1), {"reason": "the reader was in another journal"})
        lost = min(asked.after.values()) + 1
        after = {lane: min(max(seq, first - 1), head) for lane, seq in asked.after.items()}
        if lost < first:
            return cls(after, _removed(lost, first - 1))
        if max(asked.after.values()) > head:
            return cls(after, {"reason": "the journal ends before that position", "head": head})
        return cls(after)


class EventStream(Response):
    """The answer: it goes on until the reader leaves, stops reading, or the application goes down.

    Only what is committed is sent. Memory for a slow reader is bounded: what it has not taken waits in the journal.

    Args:
        services: Of the application.
        query: What the reader wants; its time range is not looked at.
        start: Where it begins.
        leave: Called at the end.
    """

    media_type = "text/event-stream"

    def __init__(self, services: Services, query: EventQuery, start: Start, *, leave: Callable[[], None]) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._services = services
        self._query = query
        self._start = start
        self._leave = leave
        self._after = dict(start.after)
        self._journal_id = services.bridge.journal.journal_id
        self._gone = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  ASGI's signature
        try:
            await self._run(receive, send)
        finally:
            self._leave()

    async def _run(self, receive: Receive, send: Send) -> None:
        loop = asyncio.get_running_loop()
        ready = asyncio.Event()

        def wake() -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed, and with it the stream
                loop.call_soon_threadsafe(ready.set)

        async def watch() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            self._gone = True
            ready.set()

        bus = self._services.bridge.bus
        types = None if self._query.types is None else frozenset(self._query.types)
        watching = asyncio.create_task(watch())
        subscription = bus.attach(types, wake=wake, after=self._start.after, early_again=True, everyone=True)
        try:
            with self._services.woken(ready.set):
                await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
                await self._write(send, self._greeting())
                while not self._gone and not self._services.closing:
                    ready.clear()
                    if chunk := self._chunk(subscription):
                        await self._write(send, chunk)
                        continue
                    try:
                        async with asyncio.timeout(KEEP_ALIVE_SECONDS):
                            await ready.wait()
                    except TimeoutError:
                        await self._write(send, self._chunk(subscription) or self._place())
                if not self._gone:
                    await send({"type": "http.response.body", "body": self._place(), "more_body": False})
        except _Stalled:
            pass  # ending here without the last part closes the connection
        finally:
            bus.detach(subscription)
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    async def _write(self, send: Send, body: bytes) -> None:
        try:
            async with asyncio.timeout(self._services.limits.stalled_seconds):
                await send({"type": "http.response.body", "body": body, "more_body": True})
        except TimeoutError:
            raise _Stalled from None

    def _greeting(self) -> bytes:
        lines = f"retry: {RETRY_MS}\n\n".encode()
        return lines + (self._id() + b"\n\n" if self._start.gap is None else self._gap(self._start.gap))

    def _gap(self, gap: Mapping[str, Any]) -> bytes:
        return b"event: gap\ndata: " + msgspec.json.encode(gap) + b"\n" + self._id() + b"\n\n"

    def _chunk(self, subscription: Subscription) -> bytes:
        """What can be sent now; empty if nothing waits."""
        parts: list[bytes] = []
        size = 0
        before = min(self._after.values())
        while size < _CHUNK_BYTES:
            event = subscription.pop()
            if event is None:
                # All is taken: lanes in which nothing came are as far as the others.
                self._after.update({lane: max(self._after[lane], s) for lane, s in subscription.positions().items()})
                break
            if event.seq is None:  # it comes again when it is stored
                continue
            self._after[event.priority] = max(self._after[event.priority], event.seq)
            if self._wanted(event):
                parts.append(b"data: " + event.to_json() + b"\n" + self._id() + b"\n\n")
                size += len(parts[-1])
        if parts:
            # Asked afterwards: what was removed before these were read shows now.
            removed = self._services.looks.first_seq() - 1
            if removed > before:
                self._after = {lane: max(seq, removed) for lane, seq in self._after.items()}
                parts.insert(0, self._gap(_removed(before + 1, removed)))
        return b"".join(parts)

    def _wanted(self, event: Event) -> bool:
        lanes, sources = self._query.lanes, self._query.sources
        return (lanes is None or event.priority in lanes) and (sources is None or str(event.source) in sources)

    def _id(self) -> bytes:
        return f"id: {Positions.of(self._journal_id, self._after)}".encode()

    def _place(self) -> bytes:
        """Where the reader is, without an event: what it did not ask for counts as read."""
        return b": still here\n" + self._id() + b"\n\n"


def _removed(first: int, last: int) -> dict[str, Any]:
    return {"reason": "removed from the journal", "lost_from": first, "lost_to": last}


class _Stalled(Exception):
    """The reader takes nothing any more."""
