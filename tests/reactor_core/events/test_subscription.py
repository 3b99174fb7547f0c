from __future__ import annotations

from reactor_core.events import Event, new_event
from reactor_core.events.subscription import Subscription


def event(seq: int | None, lane: int = 3, name: str = "feedback") -> Event:
    made, _ = new_event("user", name, {}, priority=lane)
    return made if seq is None else made.at(seq)


def subscription(*, after: int = 0, live: int = 0, types=None, capacity: int = 4) -> tuple[Subscription, list, list]:
    woken: list[None] = []
    refills: list[Subscription] = []
    made = Subscription(
        types,
        after_seq=after,
        live_from=live,
        wake=lambda: woken.append(None),
        refill=refills.append,
        capacity=capacity,
    )
    return made, woken, refills


def test_an_event_that_is_offered_wakes_the_reader_and_is_read():
    sub, woken, _ = subscription()
    one = event(1)
    sub.offer(one)
    assert woken == [None]
    assert sub.pop() is one
    assert sub.pop() is None
    assert sub.idle()


def test_only_wanted_types_behind_the_start_are_wanted():
    sub, _, _ = subscription(after=5, types=frozenset({"error"}))
    assert sub.wants(event(6, name="error"))
    assert sub.wants(event(None, name="error"))
    assert not sub.wants(event(5, name="error"))
    assert not sub.wants(event(6, name="feedback"))


def test_what_does_not_fit_waits_in_the_journal_and_is_asked_for_at_half():
    sub, _, refills = subscription()
    for seq in range(1, 8):
        sub.offer(event(seq))
    assert [sub.pop().seq for _ in range(1)] == [1]
    assert refills == []
    assert sub.pop().seq == 2
    assert refills == [sub]  # asked once, when half of the four are read
    assert sub.reading_from() == (4, 2)
    assert sub.pop().seq == 3
    assert refills == [sub]
    sub.refilled([event(5), event(6)], reached=6)
    sub.refilled([event(7)], reached=None)
    assert [sub.pop().seq for _ in range(4)] == [4, 5, 6, 7]
    assert sub.idle()


def test_lane_1_is_taken_over_a_full_queue():
    sub, _, _ = subscription()
    for seq in range(1, 8):
        sub.offer(event(seq))
    sub.offer(event(None, lane=1))
    assert sub.pop().priority == 1


def test_a_start_in_the_past_is_read_from_the_journal():
    sub, _, refills = subscription(after=2, live=9)
    assert not sub.idle()
    assert sub.pop() is None
    assert refills == [sub]
    assert sub.reading_from() == (2, 4)


def test_the_position_is_behind_all_that_was_read_and_before_all_that_waits():
    sub, _, _ = subscription()
    for seq in (1, 2, 3):
        sub.offer(event(seq))
    sub.offer(event(4, lane=1))
    assert sub.position() == 0
    assert sub.pop().seq == 4
    assert sub.position() == 0
    assert sub.pop().seq == 1
    assert sub.position() == 1
    while sub.pop():
        pass
    assert sub.position() == 4
