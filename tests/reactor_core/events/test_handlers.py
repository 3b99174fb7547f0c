from __future__ import annotations

import asyncio
import threading
import time

import pytest

from reactor_core.events import Event, Journal, new_event
from reactor_core.events.bus import Bus
from reactor_core.events.failures import failure_data
from reactor_core.events.handlers import HandlerRun
from reactor_core.events.loop_thread import LoopThread


class Runs:
    """Starts handlers on a bus of their own, and keeps what they say."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.thread = LoopThread("handlers")
        self.thread.start()
        self.bus = Bus(journal, self.thread, target="user")
        self.failures: list[tuple[str, Event, Exception]] = []
        self.idle = threading.Condition()
        self.started: list[HandlerRun] = []

    def start(self, handler, types: frozenset[str] | None = None) -> HandlerRun:
        run = HandlerRun(
            handler,
            types,
            bus=self.bus,
            thread=self.thread,
            on_failure=lambda *failure: self.failures.append(failure),
            on_idle=self._note,
        )
        self.started.append(run)
        return run

    def put(self, number: int, name: str = "tick") -> Event:
        event, payload = new_event("user", name, {"n": number})
        return self.journal.append(event, payload=payload).result(30).event

    def wait_idle(self) -> None:
        self.thread.submit(self.bus.flush()).result(30)
        with self.idle:
            assert self.idle.wait_for(lambda: all(run.idle() for run in self.started), 20)

    def close(self) -> None:
        for run in self.started:
            run.stop(time.monotonic() + 10)
        self.thread.submit(self.bus.close()).result(30)
        self.thread.stop()

    def _note(self) -> None:
        with self.idle:
            self.idle.notify_all()


@pytest.fixture
def runs(journal: Journal):
    runs = Runs(journal)
    yield runs
    runs.close()


def kinds():
    def plain(seen):
        return seen.append

    def coroutine(seen):
        async def handler(event):
            await asyncio.sleep(0)
            seen.append(event)

        return handler

    def coroutine_object(seen):
        class Handler:
            async def __call__(self, event):
                seen.append(event)

        return Handler()

    return [plain, coroutine, coroutine_object]


@pytest.mark.parametrize("kind", kinds())
def test_a_handler_gets_its_types_one_after_the_other(runs, kind):
    seen: list[Event] = []
    runs.start(kind(seen), frozenset({"tick"}))
    events = [runs.put(number, ("tick", "tock")[number % 2]) for number in range(20)]
    runs.wait_idle()
    assert seen == events[::2]


def test_a_failure_is_told_with_the_name_and_the_next_event_comes(runs):
    seen: list[int] = []

    def sometimes(event: Event) -> None:
        seen.append(event.data["n"])
        if event.data["n"] == 0:
            raise ValueError("zero")

    run = runs.start(sometimes)
    first = runs.put(0)
    runs.put(1)
    runs.wait_idle()
    assert seen == [0, 1]
    ((name, event, error),) = runs.failures
    assert (name, event, str(error)) == (run.name, first, "zero")
    assert name.endswith("sometimes")


@pytest.mark.parametrize("kind", kinds())
def test_a_stopped_handler_gets_nothing_more(runs, kind):
    seen: list[Event] = []
    run = runs.start(kind(seen))
    runs.put(0)
    runs.wait_idle()
    run.stop(time.monotonic() + 10)
    runs.put(1)
    runs.thread.submit(runs.bus.flush()).result(30)
    assert [event.data["n"] for event in seen] == [0]


def test_a_failure_says_what_failed_on_what():
    event, _ = new_event("user", "tick", {})
    try:
        raise ValueError("zero")
    except ValueError as error:
        data = failure_data("module.handler", event, error)
    assert data["error"] == "ValueError"
    assert data["message"] == "zero"
    assert data["handler"] == "module.handler"
    assert data["failed_event_id"] == event.event_id
    assert data["failed_event_type"] == "tick"
    assert 'raise ValueError("zero")' in data["traceback"]
