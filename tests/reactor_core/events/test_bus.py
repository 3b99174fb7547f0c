from __future__ import annotations

import asyncio
import sys
import threading
import time
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

    def __init__(self, bus: Bus, types: frozenset[str] | None = None, **options) -> None:
        self.signal = threading.Event()
        self.subscription: Subscription = bus.attach(types, wake=self.signal.set, **options)

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


def other_process(journal: Journal) -> Journal:
    """A journal on the same file that this process's bus hears of through the bell only."""
    return Journal(journal.path)


def put_many(journal: Journal, count: int, **options) -> None:
    pairs = [new_event("user", "feedback", {"n": number}, **options) for number in range(count)]
    for future in [journal.append(event, payload=payload) for event, payload in pairs]:
        future.result(60)


def test_an_urgent_event_of_another_process_comes_before_its_backlog(journal, bus):
    with other_process(journal) as other:
        put_many(other, 3000)
        reader = Reader(bus, after_seq=0)
        first = reader.next()
        urgent = put(other, -1, priority=1)
        taken = [reader.next()]
        while taken[-1] != urgent:
            taken.append(reader.next())
            time.sleep(0.0005)  # a handler at work
        assert first.data["n"] == 0
        assert len(taken) < 2500
        rest = reader.take(3000 - len(taken))
        numbers = [event.data["n"] for event in (*taken[:-1], *rest)]
        assert numbers == list(range(1, 3000))


def test_a_reader_that_stands_still_costs_bounded_memory(journal, bus, thread):
    reader = Reader(bus)
    with other_process(journal) as other:
        put_many(other, 3 * CAPACITY)
        put_many(journal, 3 * CAPACITY)
        thread.submit(bus.flush()).result(30)
        in_memory, rows, _ = reader.subscription.waiting()[3]
        assert in_memory <= CAPACITY
        assert rows >= 5 * CAPACITY
        assert len(reader.take(6 * CAPACITY)) == 6 * CAPACITY
    assert reader.subscription.pop() is None


def test_events_of_a_relay_are_left_out_for_it(journal, bus):
    reader = Reader(bus, not_from="hub")
    event, _ = new_event("scout", "feedback", {"n": 0})
    journal.append(event, origin="hub").result(30)
    ours = put(journal, 1)
    assert reader.next() == ours


def test_a_reader_begins_at_a_place_of_its_own_in_each_lane(journal, bus):
    events = [put(journal, number, priority=lane) for number, lane in enumerate([1, 3, 1, 3, 4])]
    reader = Reader(bus, after={1: 1, 3: 4, 4: 0})
    assert {event.seq for event in reader.take(2)} == {3, 5}
    assert reader.subscription.pop() is None
    assert events[2].seq == 3


def test_who_routes_for_others_gets_events_for_others(journal, bus):
    reader = Reader(bus, everyone=True)
    event = put(journal, 1, metadata={"target_sources": ["jarvis_prime"]})
    assert reader.next() == event


def test_an_early_event_comes_again_to_who_asked_for_it(journal, bus):
    reader = Reader(bus, early_again=True)
    event, payload = new_event("user", "kill_switch_triggered", {"action": "x"})
    bus.hand_out_early(event)
    assert reader.next() == event
    journal.append(event, payload=payload).result(30)
    assert reader.next() == event.at(1)


def test_an_early_event_that_two_relays_bring_comes_once(journal, bus):
    reader = Reader(bus)
    event, payload = new_event("user", "kill_switch_triggered", {"action": "x"})
    bus.hand_out_early(event)
    bus.hand_out_early(event)
    journal.append(event, payload=payload).result(30)
    bus.hand_out_early(event)
    after = put(journal, 1)
    assert reader.take(2) == [event, after]


def test_an_early_event_that_failed_can_be_tried_again(journal, bus, thread):
    reader = Reader(bus)
    event, payload = new_event("user", "kill_switch_triggered", {"action": "x"})
    bus.hand_out_early(event)
    bus.forget_early(event)
    bus.hand_out_early(event)
    journal.append(event, payload=payload).result(30)
    assert reader.take(2) == [event, event]
    thread.submit(bus.flush()).result(30)
    assert reader.subscription.pop() is None


def test_an_early_event_does_not_overtake_a_committed_one_that_is_on_its_way(journal, bus, thread):
    gate, held = threading.Event(), threading.Event()
    reader = Reader(bus, anywhere=True)

    def hold() -> None:
        held.set()
        gate.wait(20)

    thread.post(hold)
    assert held.wait(20)
    elder = put(journal, 0, priority=1)
    event, payload = new_event("user", "kill_switch_triggered", {"action": "x"})
    bus.hand_out_early(event)
    journal.append(event, payload=payload).result(30)
    gate.set()
    assert reader.take(2) == [elder, event.at(2)]


def test_an_urgent_event_reaches_a_thread_although_the_loop_is_blocked(bus, thread):
    gate, held = threading.Event(), threading.Event()
    reader = Reader(bus, anywhere=True)

    def hold() -> None:
        held.set()
        gate.wait(20)

    thread.post(hold)
    assert held.wait(20)
    event, _ = new_event("user", "kill_switch_triggered", {"action": "x"})
    bus.hand_out_early(event)
    assert reader.next() == event
    gate.set()


def test_taps_hear_of_early_events_until_they_are_removed(bus, thread):
    heard: list[Event] = []
    bus.add_early_tap(heard.append)
    first, _ = new_event("user", "kill_switch_triggered", {"action": "x"})
    bus.hand_out_early(first)
    thread.submit(bus.flush()).result(30)
    bus.remove_early_tap(heard.append)
    second, _ = new_event("user", "kill_switch_triggered", {"action": "y"})
    bus.hand_out_early(second)
    thread.submit(bus.flush()).result(30)
    assert heard == [first]


def test_whoever_is_first_hears_each_urgent_event_before_any_reader(journal, thread):
    order: list[str] = []
    bus = Bus(journal, thread, target="user", first=lambda event: order.append(f"first {event.data['n']}"))
    subscription = bus.attach(None, wake=lambda: order.append("woken"), anywhere=True)
    with other_process(journal) as other:
        put(other, 1, priority=1)
        thread.submit(bus.flush()).result(30)
    early, payload = new_event("user", "error", {"n": 2})
    bus.hand_out_early(early)
    journal.append(early, payload=payload).result(30)
    thread.submit(bus.flush()).result(30)
    assert order[:4] == ["first 1", "woken", "first 2", "woken"]
    assert subscription.pop().data["n"] == 1
    thread.submit(bus.close()).result(30)


def test_a_bell_is_rung_by_every_commit_also_of_types_that_nobody_wants(journal, bus, thread):
    async def hear() -> None:
        bell = asyncio.Event()
        bus.add_bell(bell)
        with other_process(journal) as other:
            put(other, 1)
            async with asyncio.timeout(20):
                await bell.wait()
        bus.remove_bell(bell)

    thread.submit(hear()).result(30)


def test_nothing_that_was_offered_lies_behind_the_position(journal, bus, thread):
    assert bus.position() == 0
    put(journal, 1)
    thread.submit(bus.flush()).result(30)
    assert bus.position() == 1


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere the bell is looked at")
def test_a_bus_that_nobody_rings_costs_no_processor_time(bus):
    Reader(bus)
    time.sleep(0.3)
    before = time.process_time()
    time.sleep(2)
    assert time.process_time() - before < 0.05  # two looks
