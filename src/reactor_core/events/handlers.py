"""Functions that are called for events: each has its own queue, and its failures are its own."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

from reactor_core.errors import ReactorError
from reactor_core.events.bus import Bus
from reactor_core.events.event import Event
from reactor_core.events.loop_thread import LoopThread
from reactor_core.events.progress import NOTE_SECONDS, Progress
from reactor_core.events.subscription import Subscription

__all__ = ["Handler", "HandlerRun", "OnFailure", "name_of"]

Handler = Callable[[Event], Awaitable[Any] | Any]
"""Takes the event; a coroutine function runs on the bridge's loop, any other on a thread of its own."""

OnFailure = Callable[[str, Event, Exception], None]

TURN_SECONDS = 0.001
"""How long a coroutine function that never waits may go from event to event before the loop has its turn."""

QUIET_SECONDS = 30.0
"""How often a reader that has nothing to do notes how far it has come, for the sake of those who prune the journal."""


class HandlerRun:
    """One handler and what waits for it.

    Events reach a handler one after the other: urgent lanes first, in the journal's order within a lane. A slow
    handler delays only itself, as long as a coroutine function awaits rather than blocks.

    Args:
        handler: The function.
        types: Values of the wanted types; None for all.
        on_failure: Told what the handler raised, on the thread where it ran.
        on_idle: Called whenever the handler has nothing left to do.
        progress: How far it has come before, and where to note it; None begins now and forgets.
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
        progress: Progress | None = None,
    ) -> None:
        self.handler = handler
        self.name = name_of(handler)
        self.handled = self.failed = 0
        self._bus = bus
        self._loop_thread = thread
        self._on_failure = on_failure
        self._on_idle = on_idle
        self.progress = progress
        self._stopped = False
        self._busy = False
        after = None if progress is None else progress.positions
        self._asynchronous = inspect.iscoroutinefunction(handler) or inspect.iscoroutinefunction(
            getattr(handler, "__call__", None)  # noqa: B004  an object whose __call__ is a coroutine function
        )
        if self._asynchronous:
            self._ready = asyncio.Event()
            self.subscription: Subscription = bus.attach(types, wake=self._ready.set, after=after)
            self._task = thread.submit(self._run_async())
        else:
            self._signal = threading.Event()
            self.subscription = bus.attach(types, wake=self._signal.set, after=after, anywhere=True)
            self._worker = threading.Thread(target=self._run_sync, name=f"reactor-handler {self.name}", daemon=True)
            self._worker.start()

    def idle(self) -> bool:
        """Whether nothing waits and nothing runs."""
        return not self._busy and self.subscription.idle()

    def stop(self, deadline: float) -> None:
        """Take no further event. A coroutine is cancelled where it awaits; a plain function ends by itself.

        Args:
            deadline: Until when (``time.monotonic``) to wait for a plain function that runs now.
        """
        self._stopped = True
        self._bus.detach(self.subscription)
        if self._asynchronous:
            self._task.cancel()
            return
        self._signal.set()
        if threading.current_thread() is not self._worker:
            self._worker.join(max(0.0, deadline - time.monotonic()))

    async def _run_async(self) -> None:
        turn = time.monotonic() + TURN_SECONDS
        try:
            while True:
                self._ready.clear()
                while event := self._next():
                    await self._guard(event)
                    if self.progress is not None:
                        self._note()
                    if time.monotonic() >= turn:
                        await asyncio.sleep(0)
                        turn = time.monotonic() + TURN_SECONDS
                self._on_idle()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._patience()):
                        await self._ready.wait()
                turn = time.monotonic() + TURN_SECONDS
                self._note()
        finally:
            self._finish()

    def _run_sync(self) -> None:
        while not self._stopped:
            self._signal.clear()
            while event := self._next():
                self._guard_sync(event)
                if self.progress is not None:
                    self._note()
            self._on_idle()
            self._signal.wait(self._patience())
            self._note()
        self._finish()

    def _next(self) -> Event | None:
        self._busy = True
        event = None if self._stopped else self.subscription.pop()
        self._busy = event is not None
        return event

    async def _guard(self, event: Event) -> None:
        try:
            await self.handler(event)
        except asyncio.CancelledError:
            if self._stopped:
                raise
            # Something that the handler awaited was cancelled, not the handler.
            self._fail(event, RuntimeError("what the handler awaited was cancelled"))
        except Exception as error:  # noqa: BLE001  a handler's failure becomes an event and stops nobody
            self._fail(event, error)
        self.handled += 1

    def _guard_sync(self, event: Event) -> None:
        try:
            result = self.handler(event)
            if inspect.iscoroutine(result):  # a plain function that returns a coroutine, such as a partial
                self._loop_thread.submit(result).result()
        except Exception as error:  # noqa: BLE001  a handler's failure becomes an event and stops nobody
            self._fail(event, error)
        self.handled += 1

    def _fail(self, event: Event, error: Exception) -> None:
        self.failed += 1
        self._on_failure(self.name, event, error)

    def _note(self) -> None:
        """Between two events: what was handed over before was handled."""
        if self.progress is not None and self.progress.due():
            with contextlib.suppress(ReactorError):  # a later note says more; until then it comes again after a crash
                self.progress.note(self.subscription.positions())

    def _patience(self) -> float | None:
        """How long to wait for an event before noting how far this has come."""
        if self.progress is None:
            return None
        noted = self.progress.positions == self.subscription.positions()
        return QUIET_SECONDS if noted else NOTE_SECONDS

    def _finish(self) -> None:
        # Not if it was cancelled in the middle of an event: that one must come again.
        if self.progress is not None and not self._busy:
            with contextlib.suppress(ReactorError):
                self.progress.note(self.subscription.positions())


def name_of(handler: Callable[..., object]) -> str:
    """What a function is called in events and figures."""
    return f"{getattr(handler, '__module__', '')}.{getattr(handler, '__qualname__', repr(handler))}"
