from __future__ import annotations

import json

import pytest

from reactor_core.cli_events.replaying import paced
from reactor_core.errors import ConfigError
from reactor_core.events import Journal


def test_without_a_pace_there_are_no_pauses(event):
    events = [event(1), event(100)]
    assert list(paced(events, 0, pause=pytest.fail)) == events


@pytest.mark.parametrize(("pace", "expected"), [(1.0, [0.0, 2.0, 2.0, 5.0]), (10.0, [0.0, 0.2, 0.2, 0.5])])
def test_the_pauses_are_those_between_the_events(event, pace, expected):
    now = [100.0]

    def pause(seconds):
        now[0] += seconds

    events = paced([event(1), event(3), event(2), event(6)], pace, clock=lambda: now[0], pause=pause)
    assert [round(now[0] - 100.0, 6) for _ in events] == expected


def test_who_is_behind_does_not_wait(event):
    times = iter([0.0, 0.0, 50.0])
    assert len(list(paced([event(1), event(2)], 1.0, clock=lambda: next(times), pause=pytest.fail))) == 2


@pytest.mark.parametrize("pace", [-1.0, float("nan"), float("inf")])
def test_a_pace_is_a_number_from_zero(pace):
    with pytest.raises(ConfigError, match="pace"):
        list(paced([], pace))


def test_another_workspace_gets_them_once_and_no_kill_switch(reactor, tmp_path):
    target = tmp_path / "other"
    assert reactor("events", "replay", str(target)) == 0
    assert reactor.out == f"4 events sent to {target}, 0 of them were known there\n"
    assert "1 events of the kill switch left out" in reactor.err
    assert reactor("events", "replay", str(target), "--json", "--kill-switch") == 0
    assert reactor.printed == {"to": str(target), "sent": 5, "known": 4, "left_out": 0}
    with Journal(target / "reactor.db") as journal:
        assert sorted(journal.count().items()) == [
            ("cost_update", 1), ("kill_switch_triggered", 1), ("note", 2), ("safety_blocked", 1),
        ]  # fmt: skip
        assert journal.verify().ok


def test_what_speaks_of_its_own_journal_stays_out(reactor, workspace, tmp_path):
    with Journal(workspace / "reactor.db") as journal:
        journal.erase([1], reason="on request")
    assert reactor("events", "replay", str(tmp_path / "other"), "--json") == 0
    assert reactor.printed == {"to": str(tmp_path / "other"), "sent": 3, "known": 0, "left_out": 3}


def test_stdout_gets_nothing_but_events(reactor):
    assert reactor("events", "replay", "-", "--json", "--pace", "1000") == 0
    assert [json.loads(line)["seq"] for line in reactor.lines] == [1, 2, 3, 5]


def test_a_lost_workspace_comes_back_from_the_store(reactor, workspace, database, monkeypatch, tmp_path):
    monkeypatch.setenv("EVENT_STORE_URL", database)
    with Journal(workspace / "reactor.db") as journal:
        journal_id, before = journal.journal_id, journal.read()
    assert reactor("events", "store", "copy") == 0
    monkeypatch.setenv("REACTOR_WORKSPACE", str(tmp_path / "new"))
    words = ("--store", "--journal", journal_id, "--kill-switch", "--json")
    assert reactor("events", "replay", str(tmp_path / "new"), *words) == 0
    with Journal(tmp_path / "new" / "reactor.db") as journal:
        after = journal.read()
    assert [(each.event_id, each.data, each.timestamp) for each in after] == [
        (each.event_id, each.data, each.timestamp) for each in before
    ]
