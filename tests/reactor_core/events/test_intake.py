"""The writer's queue: what is taken together, in which order, and who is woken when."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor_core.errors import JournalClosed, JournalError
from reactor_core.events import new_event
from reactor_core.events.drafts import Append, Chunk, Many, Note, Work, read_draft
from reactor_core.events.intake import MAX_BATCH, Intake


def draft(number: int = 0, priority: int = 3) -> Append:
    event, payload = new_event("user", "feedback", {"n": number}, priority=priority)
    return read_draft(event, payload)


def chunk(size: int) -> Chunk:
    return Chunk([draft() for _ in range(size)], range(size), Many(size, Future()))


def note() -> Note:
    return Note("SELECT 1", [()], Future())


def work() -> Work:
    return Work(lambda db: None, Future())


def test_what_waits_is_taken_together_in_order():
    intake = Intake()
    entries = [draft(number) for number in range(5)]
    for entry in entries:
        intake.put(entry)
    assert intake.take(None) == entries


def test_lane_1_is_taken_first_and_alone():
    intake = Intake()
    usual, urgent = [draft(number) for number in range(3)], [draft(number, 1) for number in range(2)]
    intake.put(usual[0])
    intake.put(urgent[0], urgent=True)
    intake.put(usual[1])
    intake.put(urgent[1], urgent=True)
    intake.put(usual[2])
    assert intake.take(None) == urgent
    assert intake.take(None) == usual


@given(st.lists(st.one_of(st.just("append"), st.just("note"), st.just("work"), st.integers(1, MAX_BATCH)), max_size=30))
def test_nothing_is_lost_reordered_or_too_large(kinds):
    intake = Intake()
    made = {"append": draft, "note": note, "work": work}
    entries = [chunk(kind) if isinstance(kind, int) else made[kind]() for kind in kinds]
    for entry in entries:
        intake.put(entry)
    intake.end(JournalClosed("closed"))
    taken = []
    while (batch := intake.take(None)) is not None:
        rows = sum(len(entry.items) if isinstance(entry, Chunk) else isinstance(entry, Append) for entry in batch)
        assert rows <= MAX_BATCH
        assert len(batch) == 1 or not any(isinstance(entry, Work) for entry in batch)
        taken += batch
    assert [id(entry) for entry in taken] == [id(entry) for entry in entries]


def test_an_entry_that_was_withdrawn_is_left_out():
    intake = Intake()
    entries = [work(), note(), work(), note()]
    for entry in entries:
        intake.put(entry)
    assert entries[0].reply.cancel()
    assert entries[3].reply.cancel()
    intake.end(JournalClosed("closed"))
    assert intake.take(None) == [entries[1]]
    assert intake.take(None) == [entries[2]]
    assert intake.take(None) is None


def test_nothing_comes_until_the_deadline():
    intake = Intake()
    begun = time.monotonic()
    assert intake.take(begun + 0.05) == []
    assert time.monotonic() >= begun + 0.05


def test_who_sleeps_is_woken_by_an_entry():
    intake = Intake()
    entry = draft()
    taken: list[object] = []
    thread = threading.Thread(target=lambda: taken.extend(intake.take(None)))
    thread.start()
    intake.put(entry)
    thread.join(10)
    assert taken == [entry]


def test_publishers_that_were_answered_together_are_waited_for_but_not_long():
    intake = Intake()
    for number in range(3):
        intake.put(draft(number))
    assert len(intake.take(None)) == 3
    one = draft()
    intake.put(one)
    assert intake.take(None) == [one]  # the two others did not come back


def test_only_publishers_are_waited_for(monkeypatch):
    monkeypatch.setattr("reactor_core.events.intake.LINGER_SECONDS", 30.0)
    intake = Intake()
    for entry in (draft(), draft(), note(), note()):
        intake.put(entry)
    assert len(intake.take(None)) == 4
    again = [draft(), draft()]
    for entry in again:
        intake.put(entry)
    begun = time.monotonic()
    assert intake.take(None) == again
    assert time.monotonic() - begun < 10


def test_an_urgent_entry_is_not_kept_waiting_for_companions(monkeypatch):
    monkeypatch.setattr("reactor_core.events.intake.LINGER_SECONDS", 30.0)
    intake = Intake()
    for number in range(3):
        intake.put(draft(number))
    assert len(intake.take(None)) == 3
    intake.put(draft())
    taken: list[object] = []
    thread = threading.Thread(target=lambda: taken.extend(intake.take(None)), daemon=True)
    thread.start()
    urgent = draft(priority=1)
    intake.put(urgent, urgent=True)
    thread.join(10)
    assert taken == [urgent]


def test_a_refusal_is_raised_until_it_is_taken_back():
    intake = Intake()
    intake.refuse(JournalError("the disk"))
    with pytest.raises(JournalError, match="the disk"):
        intake.put(draft())
    intake.refuse(None)
    intake.put(draft())


def test_after_the_end_what_waits_is_given_out_and_nothing_is_accepted():
    intake = Intake()
    entry = draft()
    intake.put(entry)
    intake.end(JournalClosed("closed"))
    with pytest.raises(JournalClosed):
        intake.put(draft())
    assert intake.take(None) == [entry]
    assert intake.take(None) is None


def test_what_waits_is_counted_by_urgency_with_the_age_of_the_oldest():
    intake = Intake()
    assert intake.waiting() == {True: (0, 0.0), False: (0, 0.0)}
    first = draft()
    intake.put(first)
    intake.put(draft())
    first.at -= 5
    assert intake.waiting()[False][0] == 2
    assert 5 <= intake.waiting()[False][1] < 60
    assert intake.waiting()[True] == (0, 0.0)


def test_all_that_waits_can_be_taken_at_once():
    intake = Intake()
    entries = [draft(1, 1), work(), draft(2), work(), *(draft(number) for number in range(MAX_BATCH + 1))]
    for entry in entries:
        intake.put(entry, urgent=isinstance(entry, Append) and entry.event.priority == 1)
    assert intake.clear() == entries
    assert intake.clear() == []


def test_a_pause_ends_with_the_queue():
    intake = Intake()
    assert not intake.pause(0.01)
    ended: list[bool] = []
    thread = threading.Thread(target=lambda: ended.append(intake.pause(60)))
    thread.start()
    intake.end(JournalClosed("closed"))
    thread.join(10)
    assert ended == [True]
    intake.refuse(None)  # too late: nobody would take it
    with pytest.raises(JournalClosed):
        intake.put(draft())
