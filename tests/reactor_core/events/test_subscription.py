from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor_core.events import Event, new_event
from reactor_core.events.subscription import LANES, Reading, Subscription


def event(seq: int | None, lane: int = 3, name: str = "feedback", *, size: int = 0, origin: str = "") -> Event:
    made, _ = new_event("user", name, {"x": "x" * size}, priority=lane)
    return made.at(seq, origin)


class Reader:
    """A subscription, and a journal in a list that it is refilled from."""

    def __init__(self, *, after: int = 0, live: int = 0, types=None, capacity: int = 4, **options) -> None:
        self.woken = 0
        self.asked = 0
        self.rows: list[Event] = []
        self.sub = Subscription(
            types,
            after=dict.fromkeys(LANES, after),
            live=dict.fromkeys(LANES, live),
            wake=self._wake,
            refill=self._ask,
            capacity=capacity,
            **options,
        )

    def offer(self, *events: Event) -> None:
        self.rows += events
        self.sub.offer(events, dict.fromkeys(LANES, events[-1].seq))

    def take(self) -> list[int | None]:
        return [event.seq for event in iter(self.sub.pop, None)]

    def refill(self, most: int = 100) -> None:
        while (reading := self.sub.reading()) is not None:
            lane = [row for row in self.rows if row.priority == reading.lane and row.seq > reading.after]
            part = lane[: min(most, reading.events)]
            self.sub.refilled(reading.lane, part, reached=part[-1].seq if len(part) < len(lane) else None)

    def _wake(self) -> None:
        self.woken += 1

    def _ask(self, sub: Subscription) -> None:
        assert sub is self.sub
        self.asked += 1


def test_events_that_are_offered_wake_the_reader_once_and_are_read():
    reader = Reader()
    one, two = event(1), event(2)
    reader.offer(one, two)
    assert reader.woken == 1
    assert [reader.sub.pop(), reader.sub.pop(), reader.sub.pop()] == [one, two, None]
    assert reader.sub.idle()


def test_only_wanted_types_behind_the_start_are_taken():
    reader = Reader(after=5, types=frozenset({"error"}))
    reader.offer(event(5, name="error"), event(6, name="error"), event(7, name="feedback"))
    assert reader.sub.offer_early(event(None, 1, name="error"))
    assert not reader.sub.offer_early(event(None, 1, name="feedback"))
    assert reader.take() == [None, 6]


def test_what_a_relay_brought_is_left_out_for_that_relay():
    reader = Reader(not_from="hub")
    reader.offer(event(1, origin="hub"), event(2, origin="redis"), event(3))
    assert reader.take() == [2, 3]


def test_what_does_not_fit_waits_in_the_journal_and_is_asked_for_at_half():
    reader = Reader()
    reader.offer(*[event(seq) for seq in range(1, 8)])
    assert reader.sub.pop().seq == 1
    assert reader.asked == 0
    assert reader.sub.pop().seq == 2
    assert reader.asked == 1  # when half of the four are read
    assert reader.sub.reading() == Reading(3, 4, 2, (4 << 20) - 2 * len(event(1).payload()))
    assert reader.sub.pop().seq == 3
    assert reader.asked == 1
    reader.refill()
    assert reader.take() == [4, 5, 6, 7]
    assert reader.asked == 1
    assert reader.sub.idle()


def test_a_lane_overtakes_the_backlog_of_another_also_from_the_journal():
    reader = Reader()
    reader.offer(*[event(seq) for seq in range(1, 101)])
    reader.offer(*[event(seq, 2) for seq in range(101, 120)])
    assert reader.sub.waiting()[3][:2] == (4, 115)
    taken = []
    for _ in range(30):
        taken.append(reader.sub.pop().seq)
        reader.refill()
    assert [seq for seq in taken if seq > 100] == list(range(101, 120))
    assert [seq for seq in taken if seq <= 100] == list(range(1, 12))


def test_lane_1_is_taken_over_a_full_queue():
    reader = Reader()
    reader.offer(*[event(seq) for seq in range(1, 8)])
    assert reader.sub.offer_early(event(None, lane=1))
    assert reader.sub.pop(urgent=True).priority == 1
    assert reader.sub.pop(urgent=True) is None


def test_a_flood_of_lane_1_is_bounded_too():
    reader = Reader()
    early = [event(None, 1) for _ in range(6)]
    assert [reader.sub.offer_early(one) for one in early] == [True] * 4 + [False] * 2
    reader.offer(*[one.at(seq) for seq, one in enumerate(early, start=1)])
    assert reader.sub.waiting()[1][:2] == (4, 2)
    assert reader.take() == [None] * 4
    reader.refill()
    assert reader.take() == [5, 6]


def test_large_events_are_bounded_by_their_bytes():
    reader = Reader(capacity=100, capacity_bytes=10_000)
    reader.offer(*[event(seq, size=4000) for seq in range(1, 9)])
    assert reader.sub.waiting()[3][:2] == (3, 5)
    assert reader.sub.pop().seq == 1
    assert reader.asked == 0
    assert reader.sub.pop().seq == 2
    assert reader.asked == 1
    assert reader.sub.reading().bytes == 10_000 - len(event(3, size=4000).payload())


def test_one_event_of_each_lane_fits_however_large_it_is():
    reader = Reader(capacity_bytes=10)
    reader.offer(event(1, 4, size=1000), event(2, 3, size=1000), event(3, 2, size=1000), event(4, 2))
    assert [reader.sub.waiting()[lane][0] for lane in LANES] == [0, 1, 1, 1]
    taken = []
    while len(taken) < 4:
        taken += reader.take()
        reader.refill()
    assert sorted(taken) == [1, 2, 3, 4]


def test_a_start_in_the_past_is_read_from_the_journal():
    reader = Reader(after=2, live=9)
    reader.rows = [event(seq, lane) for seq, lane in ((2, 3), (3, 4), (5, 1), (7, 3))]
    assert not reader.sub.idle()
    assert reader.sub.pop() is None
    assert reader.asked == 1
    reader.refill()
    assert reader.take() == [5, 7, 3]
    assert reader.sub.idle()


def test_what_the_bus_left_out_is_read_from_the_journal():
    reader = Reader()
    reader.offer(event(1))
    reader.rows += [event(2), event(3, 2)]
    reader.sub.skip_to({2: 3, 3: 3, 4: 3})
    assert reader.asked == 1  # at once: an urgent lane must not wait until another is half empty
    reader.sub.offer([event(4, 2)], dict.fromkeys(LANES, 4))  # behind what is not read yet
    reader.rows.append(event(4, 2))
    assert reader.sub.pop().seq == 1
    reader.refill()
    assert sorted(reader.take()) == [2, 3, 4]
    assert reader.sub.positions() == {1: 4, 2: 4, 3: 4, 4: 4}


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("taken_first", [False, True])
def test_an_early_event_comes_once_or_on_request_again_with_its_commit(again, taken_first):
    reader = Reader(early_again=again)
    early = event(None, 1)
    assert reader.sub.offer_early(early)
    assert not reader.sub.offer_early(early)  # another relay brings it
    seqs = [reader.sub.pop().seq] if taken_first else []
    reader.offer(early.at(1))
    assert seqs + reader.take() == ([None, 1] if again else [None])
    assert reader.sub.positions()[1] == 1
    reader.offer(event(2, 1))
    assert reader.take() == [2]


def test_an_early_event_whose_commit_is_read_from_the_journal_comes_once():
    reader = Reader()
    early = event(None, 1)
    reader.sub.offer_early(early)
    reader.offer(*[event(seq, 1) for seq in range(1, 6)], early.at(6), event(7, 1))
    taken = []
    while not reader.sub.idle():
        taken += reader.take()
        reader.refill()
    assert taken == [None, 1, 2, 3, 4, 5, 7]


def test_an_early_event_that_failed_may_come_again():
    reader = Reader()
    early = event(None, 1)
    reader.sub.offer_early(early)
    reader.sub.forget_early(early.event_id)
    assert reader.take() == [None]
    assert reader.sub.offer_early(early)


def test_a_second_early_copy_is_the_last_one_also_if_both_wait():
    reader = Reader()
    early = event(None, 1)
    reader.sub.offer_early(early)
    reader.sub.forget_early(early.event_id)
    reader.sub.offer_early(early)
    assert reader.take() == [None, None]
    reader.offer(early.at(1))
    assert reader.take() == []


def test_the_positions_are_behind_all_that_was_read_and_before_all_that_waits():
    reader = Reader()
    reader.offer(event(1), event(2), event(3), event(4, lane=1))
    assert reader.sub.positions() == {1: 3, 2: 4, 3: 0, 4: 4}
    assert reader.sub.pop().seq == 4
    assert reader.sub.position() == 0
    assert reader.sub.pop().seq == 1
    assert reader.sub.position() == 1
    reader.take()
    assert reader.sub.position() == 4


def test_an_early_event_that_waits_holds_the_position_of_its_commit():
    reader = Reader()
    early = event(None, 1)
    reader.sub.offer_early(early)
    reader.offer(event(1), early.at(2), event(3))
    assert reader.sub.positions()[1] < 2
    assert reader.sub.pop() is early
    assert reader.sub.positions()[1] == 3


def test_what_waits_is_told_with_its_age():
    reader = Reader()
    first = event(1)
    reader.offer(first, event(2))
    waiting: Mapping = reader.sub.waiting()
    assert waiting[3] == (2, 0, first.timestamp)
    assert waiting[1] == (0, 0, None)


steps = st.lists(
    st.one_of(
        st.tuples(st.just("offer"), st.lists(st.integers(1, 4), min_size=1, max_size=6)),
        st.tuples(st.just("early"), st.just([])),
        st.tuples(st.just("commit"), st.just([])),
        st.tuples(st.just("pop"), st.lists(st.integers(1, 4), max_size=6)),
        st.tuples(st.just("refill"), st.lists(st.integers(1, 4), max_size=1)),
        st.tuples(st.just("skip"), st.lists(st.integers(2, 4), min_size=1, max_size=6)),
    ),
    max_size=40,
)


@given(steps)
def test_whatever_happens_each_event_comes_once_in_the_order_of_its_lane(steps):
    reader = Reader()
    pending: list[Event] = []
    taken: list[Event] = []
    seq = 0

    def row(made: Event) -> Event:
        nonlocal seq
        seq += 1
        return made.at(seq)

    def pop() -> bool:
        got = reader.sub.pop()
        if got is not None:
            taken.append(got)
        read = {one.event_id for one in taken}
        for lane, position in reader.sub.positions().items():
            assert all(one.event_id in read for one in reader.rows if one.priority == lane and one.seq <= position)
        return got is not None

    for what, lanes in steps:
        if what == "offer":
            reader.offer(*[row(event(None, lane)) for lane in lanes])
        elif what == "early":
            pending.append(event(None, 1))
            reader.sub.offer_early(pending[-1])
        elif what == "commit" and pending:
            reader.offer(row(pending.pop(0)))
        elif what == "pop":
            for _ in lanes:
                pop()
        elif what == "refill":
            reader.refill(lanes[0] if lanes else 100)
        elif what == "skip":
            reader.rows += [row(event(None, lane)) for lane in lanes]
            reader.sub.skip_to({2: seq, 3: seq, 4: seq})
    while pending:
        reader.offer(row(pending.pop(0)))
    while not reader.sub.idle():
        pop()
        reader.refill()
    assert sorted(one.event_id for one in taken) == sorted(one.event_id for one in reader.rows)
    for lane in (2, 3, 4):
        seqs = [one.seq for one in taken if one.priority == lane]
        assert seqs == sorted(seqs)
    committed = [one.seq for one in taken if one.priority == 1 and one.seq is not None]
    assert committed == sorted(committed)
