"""Any flipped bit is found: of a stored value, and of the file itself."""

from __future__ import annotations

import random

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.reactor_core.events.book import Book, flip, verify, written

from reactor_core.errors import JournalError
from reactor_core.events.audit import verify_workspace
from reactor_core.events.audit_report import AuditReport

ROW_COLUMNS = (
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
CHECKPOINT_COLUMNS = ("size", "made_us", "root", "link", "peaks", "note")
NODE_COLUMNS = ("level", "idx", "hash")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    book = written(tmp_path_factory.mktemp("whole"))
    yield book
    book.close()


@pytest.fixture(scope="module")
def cut(tmp_path_factory):
    book = written(tmp_path_factory.mktemp("cut"), pruned=True)
    yield book
    book.close()


@pytest.fixture(params=["whole", "cut"])
def either(request):
    return request.getfixturevalue(request.param)


def rows_of(book: Book) -> tuple[int, int]:
    return book.db.execute("SELECT min(seq), max(seq) FROM events").fetchone()


def spoil(book: Book, table: str, key: str, column: str, bit: int) -> AuditReport | None:
    """The report after one flipped bit; None if SQLite refuses the change. The file is as before afterwards."""
    before = book.db.execute(f"SELECT * FROM {table} WHERE {key}").fetchone()
    if book.db.execute(f"SELECT {column} FROM {table} WHERE {key}").get == "":
        return None
    columns = [name for (name,) in book.db.execute(f"SELECT name FROM pragma_table_info('{table}')")]
    try:
        flip(book.db, table, key, column, bit)
    except apsw.ConstraintError:
        return None
    after = dict(zip(columns, before, strict=True))
    changed = [name for name in columns if name != column]
    where = " AND ".join(f"{name} IS ?" for name in changed)
    try:
        return verify(book)
    finally:
        found = book.db.execute(f"SELECT count(*) FROM {table} WHERE {where}", [after[name] for name in changed]).get
        assert found == 1
        book.db.execute(f"DELETE FROM {table} WHERE {where}", [after[name] for name in changed])
        marks = ",".join("?" * len(columns))
        book.db.execute(f"INSERT INTO {table} VALUES ({marks})", before)


def check_row(book: Book, row: int, column: str, bit: int) -> None:
    if column == "payload" and row in {135, 150}:
        return
    report = spoil(book, "events", f"seq = {row}", column, bit)
    if report is None:
        return
    assert not report.ok
    if column == "seq":  # it shows as missing where it was, or as strange where it is now
        assert report.first_bad is not None
        assert report.first_bad <= row
    else:
        assert report.first_bad in {row, 135, 150}  # without its record, an erasure is bad too
        assert any(problem.startswith(f"row {row}:") for problem in report.problems)


def check_other(book: Book, table: str, key: str, column: str, bit: int) -> None:
    report = spoil(book, table, key, column, bit)
    assert report is None or not report.ok


@pytest.mark.parametrize("examples", [60, pytest.param(800, marks=pytest.mark.slow)])
def test_any_flipped_bit_of_a_row_is_found_and_the_row_is_named(either, examples):
    first, last = rows_of(either)

    @settings(max_examples=examples)
    @given(row=st.integers(first, last), column=st.sampled_from(ROW_COLUMNS), bit=st.integers(0, 4095))
    def law(row: int, column: str, bit: int) -> None:
        check_row(either, row, column, bit)

    law()


@pytest.mark.parametrize("examples", [40, pytest.param(800, marks=pytest.mark.slow)])
def test_any_flipped_bit_of_a_checkpoint_is_found(either, examples):
    sizes = either.sizes()

    @settings(max_examples=examples)
    @given(size=st.sampled_from(sizes), column=st.sampled_from(CHECKPOINT_COLUMNS), bit=st.integers(0, 4095))
    def law(size: int, column: str, bit: int) -> None:
        check_other(either, "checkpoints", f"size = {size}", column, bit)

    law()


@pytest.mark.parametrize("examples", [40, pytest.param(600, marks=pytest.mark.slow)])
def test_any_flipped_bit_of_a_stored_node_is_found(either, examples):
    places = either.db.execute("SELECT level, idx FROM tree_nodes").fetchall()

    @settings(max_examples=examples)
    @given(place=st.sampled_from(places), column=st.sampled_from(NODE_COLUMNS), bit=st.integers(0, 4095))
    def law(place: tuple[int, int], column: str, bit: int) -> None:
        check_other(either, "tree_nodes", f"level = {place[0]} AND idx = {place[1]}", column, bit)

    law()


@pytest.mark.parametrize("key", ["journal_id", "audit_keys"])
@pytest.mark.parametrize("bit", range(0, 1200, 97))
def test_any_flipped_bit_of_the_journal_s_own_names_is_found(either, key, bit):
    report = spoil(either, "meta", f"key = '{key}'", "value", bit)
    assert report is None or not report.ok


@pytest.mark.parametrize("flips", [50, pytest.param(2000, marks=pytest.mark.slow)])
def test_a_flipped_bit_of_the_file_is_found_or_changes_no_row(tmp_path, flips):
    book = written(tmp_path)
    book.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    book.close()
    raw = (tmp_path / "reactor.db").read_bytes()
    content = everything(tmp_path / "reactor.db")
    chance = random.Random(flips)
    found = 0
    for number in range(flips):
        path = tmp_path / f"copy-{number}.db"
        changed = bytearray(raw)
        changed[chance.randrange(100, len(raw))] ^= 1 << chance.randrange(8)
        path.write_bytes(changed)
        try:
            report = verify_workspace(path, anchors=[])
        except JournalError:
            found += 1  # no journal any more
        else:
            found += not report.ok
            assert not report.ok or everything(path) == content  # a bit of free space
        path.unlink()
    assert found > flips / 4


def everything(path) -> list[object]:
    db = apsw.Connection(str(path))
    tables = ("events", "checkpoints", "tree_nodes", "meta")
    content = [db.execute(f"SELECT * FROM {table} NOT INDEXED ORDER BY 1, 2").fetchall() for table in tables]
    db.close()
    return content
