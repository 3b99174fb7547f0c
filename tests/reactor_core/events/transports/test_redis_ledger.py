from __future__ import annotations

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from reactor_core.events.transports.redis_ledger import FORGET_SECONDS, Ledger, Marks, as_id, oldest_confirmed


def test_entry_ids_are_ordered_by_number_not_by_text():
    assert as_id("9-10") > as_id(b"9-9") > as_id("8-99") > as_id("8")


def test_a_ledger_survives_its_spelling():
    ledger = Ledger(5, "e", {1: "1-0"}, {2: "2-0"}, {3: 7}, {"g": 1.5})
    assert msgspec.json.decode(msgspec.json.encode(ledger), type=Ledger) == ledger


def test_groups_that_vanished_count_for_a_week():
    ledger = Ledger(0)
    ledger.saw(["a", "b"], now=100.0)
    ledger.saw(["a"], now=100.0 + FORGET_SECONDS - 1)
    assert set(ledger.groups) == {"a", "b"}
    ledger.saw(["a"], now=100.0 + FORGET_SECONDS)
    assert set(ledger.groups) == {"a"}


def test_what_was_lost_is_forgotten_but_not_who_must_get_it_again():
    ledger = Ledger(0, "old", {1: "1-0"}, {1: "1-1"}, {1: 7}, {"g": 1.0})
    ledger.lost("new")
    assert ledger == Ledger(0, "new", {}, {}, {1: 7}, {"g": 1.0})


def test_the_slowest_group_says_what_all_have():
    assert oldest_confirmed({}, {}, ()) is None
    assert oldest_confirmed({"a": (5, 0), "b": (4, 1)}, {}, ("a", "b")) == (4, 1)
    assert oldest_confirmed({"a": (5, 0)}, {}, ("a", "gone")) == (0, 0)
    assert oldest_confirmed({"a": (5, 0)}, {"a": (3, 0)}, ("a",)) < (3, 0)
    assert oldest_confirmed({"a": (5, 0)}, {"a": (3, 2)}, ("a",)) == (3, 1)
    assert oldest_confirmed({"a": (5, 0)}, {"a": (7, 0)}, ("a",)) == (5, 0)  # handed out between two questions


def test_marks_say_how_far_all_others_are():
    marks = Marks()
    for number in range(1, 5):
        marks.add(3, (number, 0), number * 10, now=float(number))
    assert marks.confirmed(3, (2, 5), before=9) == 20
    assert marks.confirmed(3, (2, 9), before=9) is None
    assert marks.confirmed(2, (9, 9), before=9) is None
    assert marks.lanes() == [3]
    assert marks.confirmed(3, (4, 0), before=4) == 30  # the last one is too fresh to count
    assert marks.confirmed(3, None, before=9) == 40
    assert marks.lanes() == []


@given(st.integers(1, 5000), st.integers(0, 5000))
@example(1025, 0)
def test_thinned_marks_never_say_more_than_is_true(count, reached):
    marks = Marks()
    for number in range(1, count + 1):
        marks.add(3, (number, 0), number, now=0)
    found = marks.confirmed(3, (reached, 0), before=1)
    assert found is None or found <= min(reached, count)
    assert marks.confirmed(3, (count, 0), before=1) == count or (found == count)
