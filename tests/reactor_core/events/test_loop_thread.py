from __future__ import annotations

import asyncio
import threading

from reactor_core.events.loop_thread import LoopThread


async def answer() -> tuple[int, str]:
    return 42, threading.current_thread().name


def test_a_coroutine_runs_on_the_thread():
    thread = LoopThread("busy")
    thread.start()
    assert thread.submit(answer()).result(10) == (42, "busy")
    assert not thread.is_current()
    thread.stop()


def test_stopping_cancels_what_still_runs_and_ends_the_thread():
    thread = LoopThread("busy")
    cancelled = threading.Event()
    started = threading.Event()

    async def forever() -> None:
        try:
            started.set()
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    thread.start()
    thread.submit(forever())
    assert started.wait(10)
    thread.stop()
    assert cancelled.is_set()
    assert "busy" not in {other.name for other in threading.enumerate()}


def test_posting_to_a_stopped_thread_does_nothing():
    thread = LoopThread("busy")
    thread.start()
    thread.stop()
    thread.post(print, "never")
