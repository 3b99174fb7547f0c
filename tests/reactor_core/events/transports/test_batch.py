from __future__ import annotations

from collections import Counter

import pytest

from reactor_core.events import Journal, new_event
from reactor_core.events.transports.batch import BATCH, LANES, next_batch


@pytest.fixture
def put(journal: Journal):
    def put(count: int, lane: int, origin: str = "") -> None:
        made = [new_event("user", "tick", {"n": number}, priority=lane) for number in range(count)]
        for future in [journal.append(event, payload=payload, origin=origin) for event, payload in made]:
            future.result(30)

    return put


def lanes(batch) -> Counter:
    return Counter(event.priority for event in batch.events)


def test_nothing_waits(journal):
    batch = next_batch(journal, dict.fromkeys(LANES, 0), not_from=())
    assert (batch.events, batch.cursors) == ([], dict.fromkeys(LANES, 0))


def test_the_urgent_lane_goes_alone_and_moves_no_other_cursor(journal, put):
    put(5, 3)
    put(2, 1)
    batch = next_batch(journal, dict.fromkeys(LANES, 0), not_from=())
    assert (lanes(batch), batch.cursors) == ({1: 2}, {1: 7})


def test_one_lane_alone_fills_the_batch(journal, put):
    put(BATCH + 40, 4)
    batch = next_batch(journal, dict.fromkeys(LANES, 0), not_from=())
    assert lanes(batch) == {4: BATCH}
    assert batch.cursors == {**dict.fromkeys(LANES, BATCH + 40), 4: BATCH}


def test_lanes_that_all_wait_share_the_batch_and_none_starves(journal, put):
    for lane in (4, 3, 2):
        put(BATCH, lane)
    batch = next_batch(journal, dict.fromkeys(LANES, 0), not_from=())
    counts = lanes(batch)
    assert sum(counts.values()) == BATCH
    assert counts[2] > counts[3] > counts[4] > 50


def test_batch_after_batch_everything_comes_once_in_order_of_its_lane(journal, put):
    for _ in range(3):
        for lane in LANES:
            put(150, lane)
    put(300, 3, origin="elsewhere")
    cursors, seen = dict.fromkeys(LANES, 0), []
    while (batch := next_batch(journal, cursors, not_from=("elsewhere",))).events:
        cursors |= batch.cursors
        seen += batch.events
    assert len({event.event_id for event in seen}) == len(seen) == 4 * 450
    for lane in LANES:
        positions = [event.seq for event in seen if event.priority == lane]
        assert positions == sorted(positions)


def test_only_the_lanes_that_were_asked_for(journal, put):
    for lane in LANES:
        put(3, lane)
    assert lanes(next_batch(journal, {2: 0, 4: 0}, not_from=())) == {2: 3, 4: 3}
    assert lanes(next_batch(journal, {1: 0}, not_from=())) == {1: 3}


def test_large_events_make_small_batches(journal):
    text = "x" * 500_000
    made = [new_event("user", "tick", {"text": text}, priority=1 + number % 4) for number in range(100)]
    for future in [journal.append(event, payload=payload) for event, payload in made]:
        future.result(30)
    cursors, seen = dict.fromkeys(LANES, 0), []
    while (batch := next_batch(journal, cursors, not_from=())).events:
        assert len(batch.events) <= 64
        cursors |= batch.cursors
        seen += [event.seq for event in batch.events]
    assert sorted(seen) == list(range(1, 101))
