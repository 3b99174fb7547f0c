"""A thread with an event loop, so that a program that blocks its own is still heard."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import Future
from typing import Any, TypeVar

__all__ = ["LoopThread", "end_tasks"]

T = TypeVar("T")

SWITCH_SECONDS = 0.0005
"""How long a thread that computes keeps the interpreter while another one waits for it; Python's own choice is 5 ms.

An urgent event of another process needs the interpreter about eight times until its handler runs. Two threads that only
compute need at most some percent more processor time so.
"""


async def end_tasks(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks and wait until they have ended.

    A task is cancelled again each second until it ends: a library that it runs can turn a cancellation into an error
    of its own, which the task then takes for a broken connection and tries again.
    """
    running = set(tasks)
    while running:
        for task in running:
            task.cancel()
        ended, running = await asyncio.wait(running, timeout=1)
        for task in ended:
            if not task.cancelled():
                task.exception()  # whoever wanted to know it has asked; unasked ones are not worth a warning now


class LoopThread:
    """Runs coroutines on a loop of its own; made stopped, started by :meth:`start`."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop; schedule on it with ``call_soon_threadsafe``."""
        return self._loop

    def start(self) -> None:
        """Start the thread, and let threads that compute give way to it sooner."""
        if sys.getswitchinterval() > SWITCH_SECONDS:
            sys.setswitchinterval(SWITCH_SECONDS)
        self._thread.start()

    def submit(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """Run a coroutine on the loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def post(self, call: Callable[..., object], *args: object) -> None:
        """Run a plain function on the loop soon; does nothing once the loop is closed."""
        with contextlib.suppress(RuntimeError):  # closed, perhaps by another thread just now
            self._loop.call_soon_threadsafe(call, *args)

    def is_current(self) -> bool:
        """Whether the caller runs on this thread."""
        return threading.current_thread() is self._thread

    def stop(self) -> None:
        """Cancel what still runs, wait until it has ended, and end the thread."""
        self.post(self._loop.stop)
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
            self._loop.run_until_complete(end_tasks(asyncio.all_tasks(self._loop)))
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        finally:
            asyncio.set_event_loop(None)
            self._loop.close()
