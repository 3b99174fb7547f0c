"""Functions that are called for events: each has its own queue, and its failures are its own."""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

from reactor_core.events.bus import Bus
from reactor_core.events.event import Event
from reactor_core.events.loop_thread import LoopThread

__all__ = ["Handler", "HandlerRun", "failure_data"]

Handler = Callable[[Event], Awaitable[Any] | Any]
"""Takes the event; a coroutine function runs on the bridge's loop, any other on a thread of its own."""

OnFailure = Callable[[str, Event, Exception], None]


class HandlerRun:
    """One handler and what waits for it.

    Events reach a handler one after the other: urgent lanes first, in the journal's order within a lane. A slow
    handler delays only itself, as long as a coroutine function awaits rather than blocks.

    Args:
        handler: The function.
        types: Values of the wanted types; None for all.
        on_failure: Told what the handler raised, on the thread where it ran.
        on_idle: Called whenever the handler has nothing left to do.
    """

    def __init__(
        self,
        handler: Handler,
        types: frozenset[str] | None,
        *,
        bus: Bus,
        thread: LoopThread,
        on_failure: OnFailure,
        on_idle: Callable[[], None],
    ) -> None:
        self.handler = handler
        self.name = f"{getattr(handler, '__module__', '')}.{getattr(handler, '__qualname__', repr(handler))}"
        self._bus = bus
        self._loop_thread = thread
        self._on_failure = on_failure
        self._on_idle = on_idle
        self._stopped = False
        self._busy = False
        self._asynchronous = inspect.iscoroutinefunction(handler) or inspect.iscoroutinefunction(
            getattr(handler, "__call__", None)  # noqa: B004  an object whose __call__ is a coroutine function
        )
        if self._asynchronous:
            self._ready = asyncio.Event()
            self._subscription = bus.attach(types, wake=self._ready.set)
            self._task = thread.submit(self._run_async())
        else:
            self._signal = threading.Event()
            self._subscription = bus.attach(types, wake=self._signal.set)
            self._worker = threading.Thread(target=self._run_sync, name=f"reactor-handler {self.name}", daemon=True)
            self._worker.start()

    def idle(self) -> bool:
        """Whether nothing waits and nothing runs."""
        return not self._busy and self._subscription.idle()

    def stop(self, deadline: float) -> None:
        """Take no further event. A coroutine is cancelled where it awaits; a plain function ends by itself.

        Args:
            deadline: Until when (``time.monotonic``) to wait for a plain function that runs now.
        """
        self._stopped = True
        self._bus.detach(self._subscription)
        if self._asynchronous:
            self._task.cancel()
        else:
            self._signal.set()
            if threading.current_thread() is not self._worker:
                self._worker.join(max(0.0, deadline - time.monotonic()))

    async def _run_async(self) -> None:
        while True:
            self._ready.clear()
            while event := self._next():
                await self._guard(event)
            self._on_idle()
            await self._ready.wait()

    def _run_sync(self) -> None:
        while True:
            self._signal.clear()
            while event := self._next():
                self._guard_sync(event)
            self._on_idle()
            self._signal.wait()
            if self._stopped:
                return

    def _next(self) -> Event | None:
        self._busy = True
        event = None if self._stopped else self._subscription.pop()
        self._busy = event is not None
        return event

    async def _guard(self, event: Event) -> None:
        try:
            await self.handler(event)
        except asyncio.CancelledError:
            if self._stopped:
                raise
            # Something that the handler awaited was cancelled, not the handler.
            self._on_failure(self.name, event, RuntimeError("what the handler awaited was cancelled"))
        except Exception as error:  # noqa: BLE001  a handler's failure becomes an event and stops nobody
            self._on_failure(self.name, event, error)

    def _guard_sync(self, event: Event) -> None:
        try:
            result = self.handler(event)
            if inspect.iscoroutine(result):  # a plain function that returns a coroutine, such as a partial
                self._loop_thread.submit(result).result()
        except Exception as error:  # noqa: BLE001  a handler's failure becomes an event and stops nobody
            self._on_failure(self.name, event, error)


def failure_data(handler: str, event: Event, error: Exception) -> dict[str, Any]:
    """What the ERROR event about a failed handler says."""
    return {
        "error": type(error).__name__,
        "message": str(error),
        "handler": handler,
        "failed_event_id": event.event_id,
        "failed_event_type": str(event.event_type),
        "traceback": "".join(traceback.format_exception(error))[-8000:],
    }
