from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reactor_core.events import Event, new_event
from reactor_core.events.lanes import LaneQueue


def event(lane: int, number: int) -> Event:
    made, _ = new_event("user", "feedback", {"n": number}, priority=lane)
    return made.at(number)


def drain(queue: LaneQueue) -> list[Event]:
    return list(iter(queue.pop, None))


@given(st.lists(st.integers(1, 4), max_size=80))
def test_everything_comes_out_once_and_in_order_within_a_lane(lanes):
    queue = LaneQueue()
    events = [event(lane, number) for number, lane in enumerate(lanes)]
    for one in events:
        queue.push(one)
    taken = drain(queue)
    for lane in (1, 2, 3, 4):
        assert [one for one in taken if one.priority == lane] == [one for one in events if one.priority == lane]


def test_lane_1_overtakes_any_backlog():
    queue = LaneQueue()
    for number in range(1000):
        queue.push(event(2, number))
    queue.push(event(1, 1000))
    first = queue.pop()
    assert first is not None
    assert first.priority == 1


def test_the_other_lanes_share_four_two_one():
    queue = LaneQueue()
    for number in range(70):
        for lane in (2, 3, 4):
            queue.push(event(lane, number))
    taken = [queue.pop().priority for _ in range(70)]
    assert (taken.count(2), taken.count(3), taken.count(4)) == (40, 20, 10)


def test_each_lane_is_asked_for_what_waits_in_it():
    queue = LaneQueue()
    assert (queue.first(2), queue.waiting(2)) == (None, 0)
    first = event(2, 5)
    for one in (event(4, 3), first, event(2, 6)):
        queue.push(one)
    assert (queue.first(2), queue.waiting(2), queue.waiting(4), queue.waiting(1)) == (first, 2, 1, 0)


def test_a_reader_may_take_the_first_lane_only():
    queue = LaneQueue()
    queue.push(event(2, 1))
    assert queue.pop(urgent=True) is None
    urgent = event(1, 2)
    queue.push(urgent)
    assert queue.pop(urgent=True) is urgent
    assert len(queue) == 1
