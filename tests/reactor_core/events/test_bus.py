from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from reactor_core.events import Event, Journal, new_event
from reactor_core.events.bus import Bus
from reactor_core.events.loop_thread import LoopThread
from reactor_core.events.subscription import CAPACITY, Subscription


@pytest.fixture
def thread() -> Iterator[LoopThread]:
    thread = LoopThread("test")
    thread.start()
    yield thread
    thread.stop()


@pytest.fixture
def bus(journal: Journal, thread: LoopThread) -> Iterator[Bus]:
    bus = Bus(journal, thread, target="reactor_core")
    yield bus
    thread.submit(bus.close()).result(30)


class Reader:
    """Reads a subscription on the test's thread."""

    def __init__(self, bus: Bus, types: frozenset[str] | None = None, after_seq: int | None = None) -> None:
        self.signal = threading.Event()
        self.subscription: Subscription = bus.attach(types, wake=self.signal.set, after_seq=after_seq)

    def next(self) -> Event:
        while True:
            self.signal.clear()
            event = self.subscription.pop()
            if event is not None:
                return event
            assert self.signal.wait(10), "no event came"

    def take(self, count: int) -> list[Event]:
        return [self.next() for _ in range(count)]


def put(journal: Journal, number: int, **options) -> Event:
    event, payload = new_event("user", options.pop("name", "feedback"), {"n": number}, **options)
    return journal.append(event, payload=payload).result(30).event


def test_events_come_in_order_to_every_reader(journal, bus):
    readers = [Reader(bus), Reader(bus)]
    events = [put(journal, number) for number in range(10)]
    assert [reader.take(10) for reader in readers] == [events, events]


def test_events_of_another_process_come_in_their_place(journal, bus):
    reader = Reader(bus)
    with Journal(journal.path) as other:
        events = [put(journal if number % 3 else other, number) for number in range(30)]
        assert reader.take(30) == events


def test_events_of_another_process_come_without_any_of_this_one(journal, bus):
    reader = Reader(bus)
    with Journal(journal.path) as other:
        event = put(other, 1)
        assert reader.next() == event


def test_a_reader_may_begin_in_the_past(journal, bus):
    events = [put(journal, number) for number in range(5)]
    reader = Reader(bus, after_seq=2)
    events.append(put(journal, 5))
    assert reader.take(4) == events[2:]


def test_a_backlog_larger_than_memory_arrives_whole_and_in_order(journal, bus, thread):
    reader = Reader(bus, types=frozenset({"feedback"}))
    count = 3 * CAPACITY
    pairs = [
        new_event("user", ("feedback", "error")[number % 2], {"n": number}, priority=3) for number in range(2 * count)
    ]
    futures = [journal.append(event, payload=payload) for event, payload in pairs]
    futures[-1].result(30)
    thread.submit(bus.flush()).result(30)
    assert [event.data["n"] for event in reader.take(count)] == list(range(0, 2 * count, 2))
    assert reader.subscription.pop() is None
    thread.submit(bus.flush()).result(30)  # behind the last look into the journal
    assert reader.subscription.idle()


def test_lane_1_overtakes_a_backlog(journal, bus, thread):
    reader = Reader(bus)
    for number in range(2 * CAPACITY):
        event, payload = new_event("user", "feedback", {"n": number})
        journal.append(event, payload=payload)
    urgent = put(journal, -1, priority=1)
    thread.submit(bus.flush()).result(30)
    assert reader.next() == urgent


def test_an_early_event_comes_once(journal, bus):
    reader = Reader(bus)
    event, payload = new_event("user", "kill_switch_triggered", {"action": "x"})
    bus.hand_out_early(event)
    assert reader.next() == event
    journal.append(event, payload=payload).result(30)
    after = put(journal, 1)
    assert reader.next() == after


def test_a_reader_that_came_after_the_early_hand_out_gets_the_event_with_its_commit(journal, bus, thread):
    event, payload = new_event("user", "kill_switch_triggered", {"action": "x"})
    bus.hand_out_early(event)
    thread.submit(bus.flush()).result(30)
    reader = Reader(bus)
    journal.append(event, payload=payload).result(30)
    assert reader.next() == event.at(1)


def test_an_event_for_others_is_not_handed_out(journal, bus):
    reader = Reader(bus)
    put(journal, 1, metadata={"target_sources": ["jarvis_prime"]})
    ours = put(journal, 2, metadata={"target_sources": ["jarvis_prime", "reactor_core"]})
    assert reader.next() == ours


def test_a_detached_reader_gets_nothing_more(journal, bus, thread):
    reader = Reader(bus)
    bus.detach(reader.subscription)
    put(journal, 1)
    thread.submit(bus.flush()).result(30)
    assert reader.subscription.pop() is None


def test_a_journal_on_another_path_is_not_heard(tmp_path: Path, journal, bus, thread):
    reader = Reader(bus)
    with Journal(tmp_path / "other" / "reactor.db") as other:
        put(other, 1)
    thread.submit(bus.flush()).result(30)
    assert reader.subscription.pop() is None
