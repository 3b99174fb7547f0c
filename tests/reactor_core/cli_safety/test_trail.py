from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from reactor_core.cli import main
from reactor_core.errors import ActionBlocked
from reactor_core.integration import EventBridge
from reactor_core.safety.gate import SafetyGate
from reactor_core.utils.settings import Settings


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REACTOR_WORKSPACE", str(tmp_path / "workspace"))
    settings = Settings(workspace=tmp_path / "workspace", state_dir=tmp_path / "state")
    with EventBridge(settings=settings) as bridge, SafetyGate(bridge, cwd=tmp_path) as gate:
        with gate.guard("SELECT 1", kind="sql"):
            pass
        with pytest.raises(ActionBlocked), gate.guard("DROP TABLE users -- \x1b[2J", kind="sql"):
            pass


def test_the_log_is_a_table(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    assert main(["safety", "log"]) == 0
    head, first, second = capsys.readouterr().out.splitlines()
    assert head.split() == ["time", "verdict", "rules", "kind", "action", "answer", "outcome"]
    assert "SELECT 1" in first
    assert "completed" in first
    assert "\x1b" not in second
    assert "DROP TABLE users -- \\x1b[2J" in second


def test_the_log_is_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["safety", "log", "--verdict", "block", "--json"]) == 0
    (entry,) = json.loads(capsys.readouterr().out)["decisions"]
    assert (entry["rules"][0], entry["evidence"]["kind"]) == ("B3", "sql")


def test_the_log_is_exported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "trail.jsonl"
    assert main(["safety", "log", "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"2 decisions in {out}\n"
    assert [json.loads(line)["verdict"] for line in out.read_text().splitlines()] == ["allow", "block"]
    assert main(["safety", "log", "--csv"]) == 0
    assert [row["verdict"] for row in csv.DictReader(io.StringIO(capsys.readouterr().out))] == ["allow", "block"]
    assert main(["safety", "log", "--csv", "--json", "--out", str(tmp_path / "x.csv")]) == 0
    assert json.loads(capsys.readouterr().out) == {"file": str(tmp_path / "x.csv"), "format": "csv", "decisions": 2}


def test_an_empty_span_has_no_decision(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["safety", "log", "--verdict", "confirm"]) == 0
    assert capsys.readouterr().out == "no decision\n"
    assert main(["safety", "log", "--since", "whenever"]) == 3
    assert "24h" in capsys.readouterr().err


@pytest.mark.parametrize("since", ["24h", "last_7_days", "2026-01-31T12:00"])
def test_the_span_is_written_as_for_events(since: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["safety", "log", "--since", since, "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["decisions"]) == 2


def test_a_file_that_cannot_be_written_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["safety", "log", "--out", "/nowhere/trail.jsonl"]) != 0
    assert "/nowhere/trail.jsonl" in capsys.readouterr().err
