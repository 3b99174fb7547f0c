from __future__ import annotations

import csv
import json

import pytest

from reactor_core.cli_events.exporting import FORMATS
from reactor_core.events import Event


def test_a_file_holds_what_was_asked_for(reactor, tmp_path):
    file = tmp_path / "events.jsonl"
    assert reactor("events", "export", str(file), "--type", "note") == 0
    assert reactor.out == f"2 events in {file}\n"
    assert [Event.from_json(text).data for text in file.read_text().splitlines()] == [{"n": 1}, {"n": 5}]
    assert reactor("events", "export", str(file), "--json") == 0
    assert reactor.printed == {"file": str(file), "format": "jsonl", "events": 5}
    assert list(tmp_path.glob(".tmp*")) == []


@pytest.mark.parametrize("name", FORMATS)
def test_stdout_gets_the_same_as_a_file(reactor, tmp_path, name):
    file = tmp_path / "file"
    assert reactor("events", "export", str(file), "--format", name) == 0
    assert reactor("events", "export", "-", "--format", name) == 0
    assert reactor.lines == file.read_text().splitlines()
    assert len(reactor.lines) == 5 + (name == "csv")


def test_a_file_that_cannot_be_written_is_an_error_and_the_old_one_stays(reactor, tmp_path):
    assert reactor("events", "export", str(tmp_path / "nowhere" / "file")) == 1
    assert "nowhere" in reactor.err
    old = tmp_path / "old.csv"
    old.write_text("old")
    assert reactor("events", "export", str(old), "--since", "never") == 3
    assert old.read_text() == "old"


def test_a_spreadsheet_runs_nothing(event, tmp_path):
    told = event(1, "=HYPERLINK(1)", source="+1", data={"text": 'a,"b"\n'}, metadata={"trace_id": "t"}).at(3)
    rows = list(csv.DictReader("".join(FORMATS["csv"]([told])).splitlines(keepends=True)))
    assert rows[0]["event_type"] == "'=HYPERLINK(1)"
    assert rows[0]["source"] == "'+1"
    assert json.loads(rows[0]["data"]) == told.data
    assert json.loads(rows[0]["metadata"]) == told.metadata
    assert rows[0]["seq"] == "3"


def test_cloudevents_are_cloudevents(event):
    (line,) = FORMATS["cloudevents"]([event(1, metadata={"trace_id": "t"}).at(1)])
    found = json.loads(line)
    assert (found["specversion"], found["id"], found["type"]) == ("1.0", "event-000000000001", "note")
    assert found["data"] == {"n": 1}
