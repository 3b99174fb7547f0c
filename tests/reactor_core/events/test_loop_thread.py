from __future__ import annotations

import asyncio
import sys
import threading

import pytest

from reactor_core.events.loop_thread import LoopThread, end_tasks


async def answer() -> tuple[int, str]:
    return 42, threading.current_thread().name


def test_a_coroutine_runs_on_the_thread():
    thread = LoopThread("busy")
    thread.start()
    assert thread.submit(answer()).result(30) == (42, "busy")
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


async def test_a_task_that_takes_a_cancellation_for_an_error_is_cancelled_again():
    swallowed = 0

    async def stubborn() -> None:
        nonlocal swallowed
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                swallowed += 1
                if swallowed == 2:
                    raise

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    await end_tasks([task])
    assert task.cancelled()
    assert swallowed == 2


def test_posting_to_a_stopped_thread_does_nothing():
    thread = LoopThread("busy")
    thread.start()
    thread.stop()
    thread.post(print, "never")


def test_threads_that_compute_give_way_soon():
    before = sys.getswitchinterval()
    sys.setswitchinterval(0.005)
    try:
        thread = LoopThread("test")
        thread.start()
        assert sys.getswitchinterval() == pytest.approx(0.0005, rel=0.01)
        thread.stop()
        sys.setswitchinterval(0.0002)
        thread = LoopThread("test")
        thread.start()
        assert sys.getswitchinterval() == pytest.approx(0.0002, rel=0.01)  # sooner was chosen: it stays
        thread.stop()
    finally:
        sys.setswitchinterval(before)
