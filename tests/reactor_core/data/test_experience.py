import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor_core.data.experience import (
    Decision,
    ExperienceRow,
    decisions_of,
    read_experience,
    stratified,
    write_dataset,
)
from reactor_core.errors import DatasetError, NothingToTrain
from reactor_core.events.event import Event, new_event
from reactor_core.events.vocabulary import EventSource, EventType


def event(event_type: EventType, action: str, *, seq: int | None = None, **fields: object) -> Event:
    metadata = {"kind": "shell", "rule": "A1", "template": "shell-001"}
    made, _ = new_event(EventSource.JARVIS_AGENT, event_type, {"action": action, **fields}, metadata=metadata)
    return Event(
        event_id=made.event_id,
        event_type=made.event_type,
        source=made.source,
        priority=made.priority,
        data=made.data,
        timestamp=made.timestamp,
        metadata=made.metadata,
        seq=seq,
    )


def as_messages(action: str, kind: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": f"{kind}: {action}"}]


def test_event_types_give_the_three_labels():
    decisions = decisions_of(
        [
            event(EventType.SAFETY_AUDIT, "ls", verdict="SAFE"),
            event(EventType.SAFETY_CONFIRMED, "rm notes.txt"),
            event(EventType.SAFETY_DENIED, "reboot"),
            event(EventType.SAFETY_BLOCKED, "rm -rf /", reason="destroys the system"),
        ]
    )
    assert [(d.row.label, d.row.approved) for d in decisions] == [
        ("allow", None),
        ("confirm", True),
        ("confirm", False),
        ("block", None),
    ]
    assert decisions[3].row.why == "destroys the system"
    assert {d.row.kind for d in decisions} == {"shell"}


@pytest.mark.parametrize("verdict", ["REQUIRES_CONFIRMATION", "BLOCKED", "nonsense"])
def test_an_audit_that_stops_the_action_is_no_decision_yet(verdict: str):
    assert decisions_of([event(EventType.SAFETY_AUDIT, "DROP TABLE users", verdict=verdict)]) == []


def test_other_events_and_empty_actions_are_passed_over():
    other, _ = new_event(EventSource.REACTOR_CORE, EventType.COST_UPDATE, {"total": 1.0})
    assert decisions_of([other, event(EventType.SAFETY_BLOCKED, "  ")]) == []


def test_an_event_without_a_kind_is_of_kind_other():
    bare, _ = new_event(EventSource.JARVIS_AGENT, EventType.SAFETY_BLOCKED, {"action": "rm -rf /"})
    assert decisions_of([bare])[0].row.kind == "other"


def test_a_dataset_line_names_its_event(tmp_path: Path):
    blocked = event(EventType.SAFETY_BLOCKED, "rm -rf /", seq=12)
    dataset = write_dataset([blocked], tmp_path / "data.jsonl", as_messages)
    (line,) = [json.loads(text) for text in dataset.path.read_text().splitlines()]
    assert line == {
        "id": blocked.event_id,
        "prompt": [{"role": "user", "content": "shell: rm -rf /"}],
        "completion": "block",
        "source": {"event_id": blocked.event_id, "seq": 12},
    }


def test_a_dataset_states_its_range_counts_and_hash(tmp_path: Path):
    events = [
        event(EventType.SAFETY_AUDIT, "ls", verdict="SAFE", seq=3),
        event(EventType.SAFETY_BLOCKED, "rm -rf /", seq=9),
        event(EventType.SAFETY_BLOCKED, "mkfs /dev/sda", seq=5),
    ]
    first = write_dataset(events, tmp_path / "a.jsonl", as_messages)
    assert (first.rows, first.first_seq, first.last_seq) == (3, 3, 9)
    assert first.labels == {"allow": 1, "confirm": 0, "block": 2}
    assert first.sha256 == write_dataset(reversed(events), tmp_path / "b.jsonl", as_messages).sha256
    assert json.loads(json.dumps(first.as_dict()))["rows"] == 3


def test_the_latest_decision_on_an_action_holds(tmp_path: Path):
    events = [
        event(EventType.SAFETY_CONFIRMED, "git push --force", seq=1),
        event(EventType.SAFETY_BLOCKED, "git push --force", seq=2),
    ]
    dataset = write_dataset(events, tmp_path / "data.jsonl", as_messages)
    assert (dataset.rows, dataset.superseded, dataset.labels["block"]) == (1, 1, 1)


def test_events_without_decisions_cannot_be_trained_on(tmp_path: Path):
    with pytest.raises(NothingToTrain, match="no decision"):
        write_dataset([], tmp_path / "data.jsonl", as_messages)
    assert not (tmp_path / "data.jsonl").exists()


def decision(label: str, kind: str, template: str, number: int) -> Decision:
    return Decision(ExperienceRow(f"{template} {number}", kind, label, None, template), f"id-{number}", None)


def test_the_first_pass_has_one_row_of_every_template():
    rows = [
        decision(label, "shell", f"{label}-{template}", number)
        for label in ("allow", "confirm", "block")
        for template in range(5)
        for number in range(4)
    ]
    first = stratified(rows)[:15]
    assert len({d.row.template for d in first}) == 15


def test_every_prefix_of_balanced_rows_is_balanced():
    rows = [
        decision(label, kind, f"{kind}-{label}", number)
        for label in ("allow", "confirm", "block")
        for kind in ("shell", "sql")
        for number in range(6)
    ]
    order = [d.row.label for d in stratified(rows)]
    for end in range(1, len(order) + 1):
        counts = [order[:end].count(label) for label in ("allow", "confirm", "block")]
        assert max(counts) - min(counts) <= 1


@given(st.permutations(range(12)), st.integers(0, 3))
def test_the_order_does_not_depend_on_how_the_rows_arrive(arrival: list[int], seed: int):
    rows = [decision(("allow", "confirm", "block")[n % 3], "shell", f"t{n % 5}", n) for n in range(12)]
    assert stratified([rows[n] for n in arrival], seed=seed) == stratified(rows, seed=seed)


@given(st.lists(st.tuples(st.sampled_from(["allow", "confirm", "block"]), st.sampled_from("ab"), st.integers(0, 4))))
def test_no_row_is_lost_or_doubled(cells: list[tuple[str, str, int]]):
    rows = [decision(label, kind, f"{kind}{template}", n) for n, (label, kind, template) in enumerate(cells)]
    assert Counter(d.event_id for d in stratified(rows)) == Counter(d.event_id for d in rows)


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


GOOD = '{"action": "ls", "kind": "shell", "label": "allow"}'


def test_rows_of_another_making_may_lack_the_fields_of_ours(tmp_path: Path):
    path = write(tmp_path / "f.jsonl", '{"action": "ls", "kind": "shell", "label": "allow", "trick": null}', "")
    assert read_experience(path) == [ExperienceRow("ls", "shell", "allow")]


def test_all_fields_are_read(tmp_path: Path):
    row = {
        "action": "a",
        "kind": "sql",
        "label": "confirm",
        "rule": "C3",
        "template": "sql-001",
        "approved": False,
        "why": "w",
    }
    path = write(tmp_path / "f.jsonl", json.dumps(row))
    assert read_experience(path) == [ExperienceRow("a", "sql", "confirm", "C3", "sql-001", False, "w")]


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ('{"kind": "shell", "label": "allow"}', "action"),
        ('{"action": 3, "kind": "shell", "label": "allow"}', "action"),
        ('{"action": "ls", "kind": "", "label": "allow"}', "kind"),
        ('{"action": "ls", "kind": "shell", "label": "maybe"}', "label"),
        ('{"action": "ls", "kind": "shell", "label": "allow", "approved": "yes"}', "approved"),
        ('{"action": "ls", "kind": "shell", "label": "allow", "rule": 4}', "rule"),
        ("[1]", None),
        ("{", None),
        ("\xff", None),
    ],
)
def test_a_bad_line_names_file_line_and_field(tmp_path: Path, line: str, field: str | None):
    path = write(tmp_path / "f.jsonl", GOOD, "", line)
    with pytest.raises(DatasetError) as error:
        read_experience(path)
    assert (error.value.path, error.value.line, error.value.field) == (path, 3, field)
    assert f"{path}:3" in str(error.value)


def test_an_empty_or_absent_file_is_refused(tmp_path: Path):
    with pytest.raises(DatasetError, match="holds no rows"):
        read_experience(write(tmp_path / "empty.jsonl", ""))
    with pytest.raises(DatasetError, match="cannot be read"):
        read_experience(tmp_path / "absent.jsonl")
