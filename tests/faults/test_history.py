"""The judges find what is planted: a judge that cannot object proves nothing."""

from __future__ import annotations

from dataclasses import replace

from tests.faults.harness import history
from tests.faults.harness.history import Log, Record

FIRST = Record("stored", "id-1", "user", 3, 0, 0, 1)
SECOND = Record("stored", "id-2", "user", 3, 0, 1, 2)
NEXT_LIFE = Record("stored", "id-3", "user", 3, 1, 0, 3)
GOOD = [FIRST, SECOND, NEXT_LIFE]


def test_nothing_is_said_about_a_run_without_faults():
    assert history.lost(GOOD, GOOD, "the journal") == []
    assert history.repeated((record.event_id for record in GOOD), "the journal") == []
    assert history.disordered([FIRST, SECOND, FIRST, SECOND, NEXT_LIFE], "the journal") == []
    assert history.unknown(GOOD, GOOD, "the journal") == []


def test_an_event_that_was_promised_and_is_missing_is_named():
    assert history.lost(GOOD, [FIRST, NEXT_LIFE], "the journal") == [f"the journal has not {SECOND.spelled()}"]


def test_what_may_happen_once_and_happened_twice_is_named():
    assert history.repeated(["a", "b", "a"], "the inbox") == ["the inbox has a 2 times"]


def test_order_counts_within_a_source_and_lane_and_over_the_lives_of_a_publisher():
    assert len(history.disordered([SECOND, FIRST], "x")) == 1
    assert len(history.disordered([NEXT_LIFE, FIRST], "x")) == 1
    assert history.disordered([SECOND, replace(FIRST, lane=1), replace(FIRST, source="scout")], "x") == []


def test_an_event_that_nobody_published_is_named():
    assert len(history.unknown([replace(FIRST, number=7)], GOOD, "x")) == 1


def test_a_log_gives_back_what_was_written_by_kind(tmp_path):
    log = Log(tmp_path / "publisher-0.log")
    for record in (replace(FIRST, kind="tried"), replace(FIRST, kind="acked"), replace(SECOND, kind="tried")):
        log.write(record)
    assert log.lines() == 3
    assert history.records(tmp_path, "acked", "publisher-*") == [replace(FIRST, kind="acked")]
    assert len(history.records(tmp_path, "tried")) == 2
