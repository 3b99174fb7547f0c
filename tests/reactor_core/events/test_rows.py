"""The walk over the chain finds any change of a stored row."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reactor_core.events import Journal, event_filter, new_event

COLUMNS = (
    "seq",
    "event_id",
    "event_type",
    "source",
    "priority",
    "ts_us",
    "origin",
    "dedup_key",
    "payload",
    "payload_hash",
    "chain",
)
ROWS = 5


@pytest.fixture(scope="module")
def journal(tmp_path_factory) -> Iterator[Journal]:
    with Journal(tmp_path_factory.mktemp("chain") / "reactor.db") as journal:
        for number in range(ROWS):
            event, payload = new_event("user", "feedback", {"n": number, "text": "abcdef"}, metadata={"trace": "t"})
            journal.append(event, payload=payload, origin="hub", dedup_key=f"key-{number}").result(30)
        yield journal


@pytest.fixture
def editor(journal: Journal) -> Iterator[apsw.Connection]:
    """A connection with which somebody edits the file behind our back."""
    db = apsw.Connection(str(journal.path))
    db.set_busy_timeout(5000)
    db.execute("PRAGMA synchronous = OFF")
    yield db
    db.close()


def flip(db: apsw.Connection, row: int, column: str, bit: int) -> None:
    value = db.execute(f"SELECT {column} FROM events WHERE seq = ?", (row,)).get
    if isinstance(value, int):
        lowest = 3 if column == "seq" else 0  # the lower bits lead to a position that is taken, which SQLite refuses
        changed: object = value ^ (1 << (lowest + bit % (63 - lowest)))
        marker = "?"
    else:
        raw = bytearray(value.encode() if isinstance(value, str) else value)
        raw[bit // 8 % len(raw)] ^= 1 << (bit % 8)
        changed, marker = bytes(raw), "CAST(? AS TEXT)" if isinstance(value, str) else "?"
    db.execute(f"UPDATE events SET {column} = {marker} WHERE seq = ?", (changed, row))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(row=st.integers(1, ROWS), column=st.sampled_from(COLUMNS), bit=st.integers(0, 4095))
def test_any_flipped_bit_of_a_stored_row_is_found(journal, editor, row, column, bit):
    before = editor.execute("SELECT * FROM events ORDER BY seq").fetchall()
    flip(editor, row, column, bit)
    try:
        report = journal.verify()
        assert not report.ok
        assert report.first_bad is not None
        # A row that was renumbered shows as missing where it was, or as strange where it is now.
        assert report.first_bad == row or (column == "seq" and report.first_bad <= row)
    finally:
        editor.execute("DELETE FROM events")
        editor.executemany("INSERT INTO events VALUES (?,?,?,?,?,?,?,?,?,?,?)", before)
    assert journal.verify().ok


@pytest.mark.parametrize(
    ("statement", "first_bad"),
    [
        ("DELETE FROM events WHERE seq = 1", 1),
        ("DELETE FROM events WHERE seq = 3", 3),
        ("UPDATE events SET payload = NULL WHERE seq = 4", 4),
        ("UPDATE events SET payload = '{}', payload_hash = zeroblob(32) WHERE seq = 2", 2),
        ("UPDATE meta SET value = 'another journal' WHERE key = 'journal_id'", 1),
    ],
)
def test_other_edits_are_found(tmp_path, statement, first_bad):
    with Journal(tmp_path / "reactor.db") as journal:
        for number in range(ROWS):
            event, payload = new_event("user", "feedback", {"n": number})
            journal.append(event, payload=payload).result(30)
    db = apsw.Connection(str(tmp_path / "reactor.db"))
    db.execute(statement)
    db.close()
    with Journal(tmp_path / "reactor.db") as journal:
        report = journal.verify()
    assert (report.ok, report.first_bad) == (False, first_bad)
    assert f"row {first_bad}" in report.detail


def test_rows_cut_off_at_the_end_are_found_with_an_anchor(tmp_path: Path):
    path = tmp_path / "reactor.db"
    with Journal(path) as journal:
        for number in range(ROWS):
            event, payload = new_event("user", "feedback", {"n": number})
            journal.append(event, payload=payload).result(30)
        report = journal.verify()
        anchor = (report.events, report.head)
        assert journal.verify(anchor=anchor).ok
        assert journal.verify(anchor=(2, report.head)).first_bad == 1  # rows 1 to 2, one of which must be another
    db = apsw.Connection(str(path))
    db.execute("DELETE FROM events WHERE seq > 3")
    db.close()
    with Journal(path) as journal:
        assert journal.verify().first_bad == 4  # the signed checkpoint knows
    db = apsw.Connection(str(path))
    db.execute("DELETE FROM checkpoints")
    db.close()
    with Journal(path) as journal:
        assert journal.verify().ok  # a file alone cannot know its own end
        assert journal.verify(anchor=anchor).first_bad == 4


@pytest.mark.parametrize("part", [0.3, 0.5, 0.7, 0.9])
def test_a_page_of_the_file_overwritten_is_a_report_and_not_a_crash(tmp_path: Path, part: float):
    path = tmp_path / "reactor.db"
    with Journal(path) as journal:
        for number in range(400):
            event, payload = new_event("user", "feedback", {"n": number, "text": "x" * 100})
            journal.append(event, payload=payload)
    raw = bytearray(path.read_bytes())
    start = int(len(raw) // 4096 * part) * 4096
    raw[start : start + 4096] = b"\xa5" * 4096
    path.write_bytes(raw)
    with Journal(path) as journal:
        report = journal.verify()
    assert not report.ok
    assert report.detail


def test_a_row_hidden_from_an_index_is_found(tmp_path: Path):
    path = tmp_path / "reactor.db"
    with Journal(path) as journal:
        for number in range(ROWS):
            event, payload = new_event("user", "feedback", {"n": number})
            journal.append(event, payload=payload).result(30)
    db = apsw.Connection(str(path))
    db.execute("PRAGMA writable_schema = ON")
    db.execute("UPDATE sqlite_schema SET sql = sql || ' WHERE seq != 3' WHERE name = 'events_type_time'")
    db.close()
    db = apsw.Connection(str(path))
    db.execute("REINDEX events_type_time")
    db.execute("PRAGMA writable_schema = ON")
    db.execute("UPDATE sqlite_schema SET sql = replace(sql, ' WHERE seq != 3', '') WHERE name = 'events_type_time'")
    db.close()
    with Journal(path) as journal:
        assert len(journal.read(event_filter("feedback"))) == ROWS - 1
        report = journal.verify()
    assert not report.ok
    assert "index" in report.detail


def test_an_empty_journal_verifies(tmp_path: Path):
    with Journal(tmp_path / "reactor.db") as journal:
        report = journal.verify()
    assert (report.ok, report.events, report.first_bad) == (True, 0, None)
