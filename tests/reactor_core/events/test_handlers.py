from __future__ import annotations

import asyncio
import threading
import time

import pytest

from reactor_core.events import Event, Journal, new_event
from reactor_core.events.bus import Bus
from reactor_core.events.handlers import HandlerRun
from reactor_core.events.loop_thread import LoopThread
from reactor_core.events.progress import Progress, parse_positions


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

    def start(self, handler, types: frozenset[str] | None = None, progress: Progress | None = None) -> HandlerRun:
        run = HandlerRun(
            handler,
            types,
            bus=self.bus,
            thread=self.thread,
            on_failure=lambda *failure: self.failures.append(failure),
            on_idle=self._note,
            progress=progress,
        )
        self.started.append(run)
        return run

    def put(self, number: int, name: str = "tick") -> Event:
        event, payload = new_event("user", name, {"n": number})
        return self.journal.append(event, payload=payload).result(30).event

    def settle_cursor(self, name: str, least: int) -> None:
        """Wait until the place that is kept under a name is so far in lane 3."""
        deadline = time.monotonic() + 20
        while parse_positions(self.journal.cursor(name))[3] < least:
            assert time.monotonic() < deadline
            time.sleep(0.01)

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


def test_a_coroutine_function_that_never_waits_leaves_the_loop_its_turn(runs):
    """Else a kill switch would wait behind everything that is in memory."""
    order: list[str] = []

    async def busy(event: Event) -> None:
        end = time.monotonic() + 0.002
        while time.monotonic() < end:
            pass
        order.append(event.event_type)

    runs.start(busy)
    for number in range(300):
        event, payload = new_event("user", "tick", {"n": number})
        last = runs.journal.append(event, payload=payload)
    last.result(30)
    kill, payload = new_event("user", "kill_switch_triggered", {"action": "x"})
    runs.bus.hand_out_early(kill)
    runs.journal.append(kill, payload=payload).result(30)
    runs.wait_idle()
    assert len(order) == 301
    assert order.index("kill_switch_triggered") < 290


@pytest.mark.parametrize("kind", kinds())
def test_a_durable_handler_goes_on_where_it_was(runs, kind):
    runs.put(0)
    seen: list[Event] = []
    first = runs.start(kind(seen), frozenset({"tick"}), progress=Progress(runs.journal, "handler", "h"))
    events = [runs.put(number) for number in range(1, 4)]
    runs.wait_idle()
    first.stop(time.monotonic() + 10)
    events += [runs.put(number) for number in range(4, 6)]
    runs.put(6, "tock")
    assert first.handled == 3
    runs.started.clear()
    runs.settle_cursor("handler:h", 4)
    runs.start(kind(seen), frozenset({"tick"}), progress=Progress(runs.journal, "handler", "h"))
    runs.wait_idle()
    assert seen == events


def test_an_event_whose_handling_was_cut_short_comes_again(runs):
    seen: list[int] = []
    reached = threading.Event()

    async def stuck(event: Event) -> None:
        seen.append(event.data["n"])
        if event.data["n"] == 2:
            reached.set()
            await asyncio.sleep(60)

    first = runs.start(stuck, progress=Progress(runs.journal, "handler", "h"))
    for number in range(4):
        runs.put(number)
    assert reached.wait(20)
    first.stop(time.monotonic() + 10)
    runs.thread.submit(asyncio.sleep(0)).result(10)
    runs.started.clear()
    kept = Progress(runs.journal, "handler", "h")
    assert kept.positions[3] <= 2
    again: list[int] = []
    runs.start(lambda event: again.append(event.data["n"]), progress=kept)
    runs.wait_idle()
    assert again[-2:] == [2, 3]


def test_a_durable_handler_that_is_idle_soon_has_its_place_on_disk(runs):
    runs.start(lambda event: None, progress=Progress(runs.journal, "handler", "h"))
    runs.put(0)
    runs.settle_cursor("handler:h", 1)


def test_what_a_handler_did_is_counted(runs):
    def sometimes(event: Event) -> None:
        if event.data["n"] == 0:
            raise ValueError("zero")

    run = runs.start(sometimes)
    runs.put(0)
    runs.put(1)
    runs.wait_idle()
    assert (run.handled, run.failed) == (2, 1)
