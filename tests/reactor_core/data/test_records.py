from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor_core.data.records import Message, read_dataset
from reactor_core.errors import DatasetError

USER = {"role": "user", "content": "hi"}
BOT = {"role": "assistant", "content": "yes"}


def write(tmp_path: Path, *lines: Any) -> Path:
    file = tmp_path / "rows.jsonl"
    file.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines), encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("line", "messages", "prompt_turns"),
    [
        ({"messages": [USER, BOT]}, (Message("user", "hi"), Message("assistant", "yes")), 0),
        ({"prompt": [USER], "completion": [BOT]}, (Message("user", "hi"), Message("assistant", "yes")), 1),
        ({"prompt": [USER], "completion": "yes"}, (Message("user", "hi"), Message("assistant", "yes")), 1),
        ({"instruction": "hi", "output": "yes"}, (Message("user", "hi"), Message("assistant", "yes")), 1),
        (
            {"instruction": "hi", "input": "there", "output": "yes"},
            (Message("user", "hi\n\nthere"), Message("assistant", "yes")),
            1,
        ),
    ],
)
def test_conversations_come_in_several_forms(
    tmp_path: Path, line: Any, messages: tuple[Message, ...], prompt_turns: int
) -> None:
    row = read_dataset(write(tmp_path, line)).rows[0]
    assert (row.messages, row.prompt_turns, row.completion_text) == (messages, prompt_turns, None)


def test_plain_strings_stay_plain(tmp_path: Path) -> None:
    rows = read_dataset(write(tmp_path, {"prompt": "1 + 1 = ", "completion": "2"}, {"text": "abc"})).rows
    assert [(row.prompt_text, row.completion_text) for row in rows] == [("1 + 1 = ", "2"), ("", "abc")]


def test_id_and_source_are_passed_through(tmp_path: Path) -> None:
    row = read_dataset(write(tmp_path, {"text": "a", "id": 7, "source": {"event": "e1"}})).rows[0]
    assert (row.id, row.source) == ("7", {"event": "e1"})


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("{", None),
        ("[1]", None),
        ('{"text": NaN}', None),
        ("{}", None),
        ({"text": 3}, "text"),
        ({"text": " "}, "text"),
        ('{"text": "\\ud800"}', "text"),
        ({"messages": []}, "messages"),
        ({"messages": [USER]}, "messages"),
        ({"messages": [{"role": "robot", "content": "x"}, BOT]}, "messages[0].role"),
        ({"messages": [USER, {"role": "assistant"}]}, "messages[1].content"),
        ({"messages": ["hi"]}, "messages[0]"),
        ({"prompt": "x"}, "completion"),
        ({"completion": "x"}, "prompt"),
        ({"prompt": [USER], "completion": [USER]}, "completion"),
        ({"instruction": "x"}, "output"),
        ({"text": "a", "id": []}, "id"),
    ],
)
def test_an_invalid_line_names_file_line_and_field(tmp_path: Path, line: Any, field: str | None) -> None:
    file = write(tmp_path, {"text": "fine"}, "", line)
    with pytest.raises(DatasetError) as caught:
        read_dataset(file)
    assert (caught.value.path, caught.value.line, caught.value.field) == (file, 3, field)
    assert f"{file}:3" in str(caught.value)


def test_bytes_that_are_no_text_name_their_line(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_bytes(b'{"text": "a"}\n{"text": "\xff"}\n')
    with pytest.raises(DatasetError, match=":2: is not UTF-8"):
        read_dataset(file)


@pytest.mark.parametrize("content", ["", "\n \n"])
def test_a_file_without_rows_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(DatasetError, match="holds no rows"):
        read_dataset(write(tmp_path, content))


def test_an_absent_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no such file"):
        read_dataset(tmp_path / "nowhere.jsonl")


def test_a_dataset_is_known_by_the_hash_of_its_bytes(tmp_path: Path) -> None:
    file = write(tmp_path, {"text": "a"})
    assert read_dataset(file).sha256 == hashlib.sha256(file.read_bytes()).hexdigest()


@given(st.binary(max_size=200))
def test_any_bytes_are_rows_or_a_dataset_error(tmp_path_factory: pytest.TempPathFactory, payload: bytes) -> None:
    file = tmp_path_factory.mktemp("bytes") / "rows.jsonl"
    file.write_bytes(payload)
    try:
        rows = read_dataset(file).rows
    except DatasetError as error:
        refused = error
    else:
        refused = None
    assert (refused.path == file) if refused else rows
