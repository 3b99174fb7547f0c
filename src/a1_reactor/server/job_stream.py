"""One reader of a job's events, as server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from a1_reactor.server.services import Services
from reactor_core.errors import NotFound
from reactor_core.jobs.job import Job, JobEvent

__all__ = ["JobStream"]

KEEP_ALIVE_SECONDS = 15.0
"""How often an idle stream says something, so that what stands between keeps it open."""
RETRY_MS = 1000
"""When a reader whose connection broke should come back."""


class JobStream(Response):
    """The answer: the job's events behind a number, and new ones until the job has ended and all is said.

    Args:
        services: Of the application.
        job: Which.
        after: Number of the last event that the reader has.
        leave: Called at the end.
    """

    media_type = "text/event-stream"

    def __init__(self, services: Services, job: Job, after: int, *, leave: Callable[[], None]) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._services = services
        self._job_id = job.job_id
        self._after = after
        self._leave = leave
        self._gone = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  ASGI's signature
        changed = asyncio.Event()

        async def watch() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            self._gone = True
            changed.set()

        watching = asyncio.create_task(watch())
        try:
            with self._services.woken(changed.set):
                await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
                await self._write(send, f"retry: {RETRY_MS}\n\n".encode())
                await self._follow(changed, send)
                if not self._gone:
                    await send({"type": "http.response.body", "body": b"", "more_body": False})
        except TimeoutError:
            pass  # the reader takes nothing any more; ending without the last part closes the connection
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            self._leave()

    async def _follow(self, changed: asyncio.Event, send: Send) -> None:
        while not self._gone and not self._services.closing:
            changed.clear()
            try:
                # The state first: what is said after it belongs to a later look.
                job = await asyncio.to_thread(self._services.table.get, self._job_id)
                events = await asyncio.to_thread(self._services.table.events, self._job_id, after=self._after)
            except NotFound:  # deleted meanwhile
                return
            if events:
                await self._write(send, b"".join(map(_spell, events)))
                self._after = events[-1].seq
            elif job.ended:
                return
            else:
                try:
                    async with asyncio.timeout(KEEP_ALIVE_SECONDS):
                        await changed.wait()
                except TimeoutError:
                    await self._write(send, b": still here\n\n")

    async def _write(self, send: Send, body: bytes) -> None:
        async with asyncio.timeout(self._services.limits.stalled_seconds):
            await send({"type": "http.response.body", "body": body, "more_body": True})


def _spell(event: JobEvent) -> bytes:
    data = msgspec.json.encode(event.as_dict())
    return f"id: {event.seq}\nevent: {event.type}\ndata: ".encode() + data + b"\n\n"
