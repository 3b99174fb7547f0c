"""``reactor safety score``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reactor_core import cli


def write(folder: Path, rows: list[dict[str, str]]) -> str:
    file = folder / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(file)


LABELLED = [
    {"action": "rm -rf /", "kind": "shell", "label": "block"},
    {"action": "ls", "kind": "shell", "label": "block"},
    {"action": "SELECT 1", "kind": "sql", "label": "allow"},
]


def test_labels_give_totals(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["safety", "score", write(tmp_path, LABELLED), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["predictions"] == ["block", "allow", "allow"]
    assert (told["totals"]["rows"], told["totals"]["leak"]) == (3, 0.5)
    assert set(told["totals"]["kinds"]) == {"shell", "sql"}


def test_rows_that_are_decided_otherwise_are_shown_on_request(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["safety", "score", write(tmp_path, LABELLED), "--errors"]) == 0
    out = capsys.readouterr().out
    assert "block -> allow\tshell\t'ls'" in out
    assert "rm -rf" not in out
    assert "leak  50.0%" in out


def test_without_labels_each_row_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"action": row["action"], "kind": row["kind"]} for row in LABELLED]
    assert cli.main(["safety", "score", write(tmp_path, rows)]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "block\tshell\t'rm -rf /'"


def test_a_file_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["safety", "score", str(tmp_path / "absent.jsonl")]) == 3
    assert "absent.jsonl" in capsys.readouterr().err
