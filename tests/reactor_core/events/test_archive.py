from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reactor_core.errors import ArtifactCorrupt, StorageError
from reactor_core.events import Journal, new_event
from reactor_core.events.archive import read_archive, verify_archive

ROWS = 6


@pytest.fixture(scope="module")
def archive(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("archive")
    with Journal(folder / "reactor.db") as journal:
        for number in range(ROWS):
            event, payload = new_event("user", "feedback", {"n": number}, priority=1 if number == ROWS - 1 else 3)
            journal.append(event, payload=payload, origin="hub", dedup_key=f"key {number}").result(30)
        journal.compact(keep_after_seq=ROWS, archive=folder / "rows.jsonl")
    return folder / "rows.jsonl"


def test_rows_come_back_as_they_were(archive):
    rows = list(read_archive(archive))
    assert [row["seq"] for row in rows] == list(range(1, ROWS + 1))
    assert rows[2]["payload"] == '{"data":{"n":2},"metadata":{}}'
    assert (rows[2]["origin"], rows[2]["dedup_key"]) == ("hub", "key 2")
    assert verify_archive(archive).ok


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 1 << 30), bit=st.integers(0, 7))
def test_any_flipped_bit_of_a_row_is_found(archive, tmp_path, place, bit):
    raw = bytearray(archive.read_bytes())
    rows_begin = raw.index(b"\n") + 1
    at = rows_begin + place % (len(raw) - rows_begin - 1)
    raw[at] ^= 1 << bit
    changed = tmp_path / "changed"
    changed.write_bytes(raw)
    # Hex digits may change their case, and the escapes and spaces of JSON have several spellings: same row, same proof.
    if list_or_none(changed) != list_or_none(archive):
        assert not verify_archive(changed).ok


def list_or_none(path: Path) -> list[dict] | None:
    try:
        rows = list(read_archive(path))
    except ArtifactCorrupt:
        return None
    return [{**row, "payload_hash": row["payload_hash"].lower(), "chain": row["chain"].lower()} for row in rows]


@pytest.mark.parametrize("lines", [range(ROWS), [0, 2, 3, 4, 5, 6], [0], [0, 1, 2, 3, 5, 4, 6], [0, 2, 1]])
def test_a_row_that_is_missing_or_moved_is_found(archive, tmp_path, lines):
    all_lines = archive.read_bytes().splitlines(keepends=True)
    cut = tmp_path / "cut"
    cut.write_bytes(b"".join(all_lines[number] for number in lines))
    report = verify_archive(cut)
    assert not report.ok
    assert report.first_bad in range(1, ROWS + 1)


@pytest.mark.parametrize("text", [b"", b"{}\n", b'{"format":"reactor-archive-1"}\n', b"\xff\n", bytes(range(64))])
def test_another_file_is_a_report_and_not_a_crash(tmp_path, text):
    (tmp_path / "x").write_bytes(text)
    assert not verify_archive(tmp_path / "x").ok
    with pytest.raises(ArtifactCorrupt):
        list(read_archive(tmp_path / "x"))


def test_a_newer_format_is_refused(archive, tmp_path):
    (tmp_path / "x").write_bytes(archive.read_bytes().replace(b"reactor-archive-1", b"reactor-archive-2"))
    assert "format" in verify_archive(tmp_path / "x").detail


def test_a_file_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(StorageError):
        verify_archive(tmp_path / "none")


def test_a_failed_write_leaves_nothing(tmp_path):
    with Journal(tmp_path / "reactor.db") as journal:
        event, payload = new_event("user", "feedback", {}, priority=1)
        journal.append(event, payload=payload).result(30)
        (tmp_path / "file").write_text("")
        with pytest.raises(StorageError):
            journal.compact(keep_after_seq=1, archive=tmp_path / "file" / "rows.jsonl")
        assert journal.first_seq() == 1
