from __future__ import annotations

import csv
import gzip
import hashlib
import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor_core.data.records import Message, read_dataset
from reactor_core.data.source import check_file, open_lines
from reactor_core.errors import DatasetError

ROWS = [{"prompt": "1 + 1 = ", "completion": "2", "id": "a"}, {"text": "Gr\u00fc\u00dfe \N{GRINNING FACE}\nzwei"}]
LINES = "".join(json.dumps(row) + "\n" for row in ROWS).encode()


@given(st.lists(st.sampled_from([b"{}", b" ", b"", b"\x0c", b"[1]\r", b'"a b"'])), st.booleans())
def test_every_line_that_is_not_blank_is_found_again_by_position(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], ended: bool
) -> None:
    file = tmp_path_factory.mktemp("lines") / "rows.jsonl"
    file.write_bytes(b"\n".join(lines) + b"\n" * ended)
    found, digest = open_lines(file)
    expected = [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    assert [(number, raw.removesuffix(b"\n")) for number, raw in found] == expected
    assert [found[place - len(found)] for place in range(len(found))] == list(found)
    assert digest == hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.json", "rows.txt", "rows", "rows.jsonl.gz", "list.json"])
def test_the_same_rows_in_several_kinds_of_file(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    if name.endswith(".gz"):
        file.write_bytes(gzip.compress(LINES))
    else:
        file.write_bytes(json.dumps(ROWS, indent=1).encode() if name == "list.json" else LINES)
    dataset = read_dataset(file)
    assert [(row.prompt_text, row.completion_text, row.id) for row in dataset.rows] == [
        ("1 + 1 = ", "2", "a"),
        ("", ROWS[1]["text"], None),
    ]
    assert [row.line for row in dataset.rows] == [1, 2]
    assert dataset.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()


def test_a_table_has_a_row_a_record_and_empty_cells_count_as_absent(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows(
            [["instruction", "input", "output"], ["Add", "1\n2", "3"], ["Say \u00fc", "", 'a "quoted", word']]
        )
    first, second = read_dataset(file).rows
    assert first.messages == (Message("user", "Add\n\n1\n2"), Message("assistant", "3"))
    assert second.messages == (Message("user", "Say \u00fc"), Message("assistant", 'a "quoted", word'))
    assert (first.line, second.line) == (1, 2)


@pytest.mark.parametrize(
    ("name", "payload", "message"),
    [
        ("rows.jsonl.gz", gzip.compress(LINES)[:-9], "no whole gzip file"),
        ("rows.jsonl.gz", LINES, "no whole gzip file"),
        ("rows.json", b'[{"text": "a"}, ', "is no JSON"),
        ("rows.csv", b"prompt,completion\na\n", "rows.csv:2: has not as many values as the header"),
        ("rows.csv", b"prompt,completion\na,b,c\n", "rows.csv:2: has not as many values as the header"),
        ("rows.csv", b"prompt,completion\na,\xff\n", "is no CSV in UTF-8"),
        ("rows.csv", b'text\n"open\n', "is no CSV in UTF-8"),
        ("rows.csv", b"text\n", "holds no rows"),
        ("rows.parquet", b"PAR1", "to_json"),
        ("rows.jsonl.zst", b"(", "zstd -d FILE"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_refused(
    tmp_path: Path, name: str, payload: bytes, message: str
) -> None:
    file = tmp_path / name
    file.write_bytes(payload)
    with pytest.raises(DatasetError, match=message):
        read_dataset(file)


def test_a_file_that_changes_under_a_run_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_bytes(LINES)
    rows = read_dataset(file).rows
    with file.open("r+b") as stream:
        stream.write(b" ")
    os.utime(file, ns=(1, 1))
    with pytest.raises(DatasetError, match="changed while it was being read"):
        rows[0]


def test_a_file_that_is_replaced_under_a_run_is_read_on_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_bytes(LINES)
    rows = read_dataset(file).rows
    other = tmp_path / "other"
    other.write_bytes(b'{"text": "new"}\n')
    other.replace(file)
    assert rows[1].completion_text == ROWS[1]["text"]


def open_files() -> int:
    return len(list(Path("/dev/fd").iterdir()))


def test_a_closed_dataset_leaves_no_open_file(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_bytes(LINES)
    before = open_files()
    dataset = read_dataset(file)
    assert open_files() == before + 1
    del dataset
    assert open_files() == before


@pytest.mark.parametrize(
    ("name", "says"), [("absent.jsonl", "no such file"), ("folder", "is a folder"), ("e.jsonl", "no rows")]
)
def test_what_can_be_said_without_opening_a_file_is_said(tmp_path: Path, name: str, says: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "e.jsonl").touch()
    with pytest.raises(DatasetError, match=says):
        check_file(tmp_path / name)
    if name != "e.jsonl":
        with pytest.raises(DatasetError, match=says):
            open_lines(tmp_path / name)
