import asyncio
import dataclasses

import pytest

from reactor_core.data.experience import ExperienceRow, decisions_of
from reactor_core.demo import experience_log
from reactor_core.demo.experience_log import DECISION_TYPES, TIME_RANGE, find_log, publish_log
from reactor_core.errors import NotFound
from reactor_core.integration import EventBridge, EventSource

ROWS = [
    ExperienceRow("ls -la", "shell", "allow", "A1", "shell-001", None, "reads"),
    ExperienceRow("rm old.log", "shell", "confirm", "C1", "shell-002", True, "bounded"),
    ExperienceRow("rm notes.txt", "shell", "confirm", "C1", "shell-003", False, "bounded"),
    ExperienceRow("DROP TABLE users", "sql", "block", "B3", "sql-001", None, "a table is destroyed"),
]


@pytest.fixture
def bridge(tmp_path):
    with EventBridge(source=EventSource.REACTOR_CORE, workspace=tmp_path) as bridge:
        yield bridge


def publish(bridge, rows):
    return asyncio.run(publish_log(bridge, rows, lambda done, total: None))


def test_what_was_decided_survives_the_journal(bridge):
    assert publish(bridge, ROWS) == (4, 0)
    events = bridge.get_events_by_type_sync(list(DECISION_TYPES), time_range=TIME_RANGE)
    found = {decision.row.action: decision.row for decision in decisions_of(events)}
    for row in ROWS:
        kept = found[row.action]
        assert (kept.kind, kept.label, kept.rule, kept.template) == (row.kind, row.label, row.rule, row.template)
        assert kept.approved == row.approved


def test_the_same_log_is_not_recorded_twice(bridge):
    publish(bridge, ROWS[:2])
    assert publish(bridge, ROWS) == (2, 2)
    assert publish(bridge, ROWS) == (0, 4)
    assert bridge.verify().events == 4


def test_a_changed_decision_is_a_new_event(bridge):
    publish(bridge, ROWS)
    changed = dataclasses.replace(ROWS[0], label="block")
    assert publish(bridge, [changed]) == (1, 0)


def test_the_shipped_files_are_found():
    assert find_log("pool.jsonl").is_file()
    assert find_log("heldout.jsonl").is_file()


def test_an_absent_log_names_both_places(monkeypatch, tmp_path):
    monkeypatch.setattr(experience_log, "__file__", str(tmp_path / "a" / "b" / "c" / "d.py"))
    with pytest.raises(NotFound, match=r"experience log pool\.jsonl"):
        find_log("pool.jsonl")
