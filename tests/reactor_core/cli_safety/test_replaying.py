"""``reactor safety replay``, over decisions that a real gate has journalled."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reactor_core import cli
from reactor_core.integration import EventBridge
from reactor_core.safety.gate import SafetyGate

STRICTER = """
[[safety.rules]]
name = "no-salaries"
verdict = "block"
tables = ["salaries"]
"""


@pytest.fixture
def decided(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace whose journal holds four decisions about three actions."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REACTOR_WORKSPACE", str(tmp_path / ".reactor"))
    with EventBridge() as bridge, SafetyGate(bridge) as gate:
        for action in ("SELECT name FROM salaries", "SELECT 1", "SELECT 1"):
            with gate.guard(action, "sql"):
                pass
    return tmp_path


def test_unchanged_rules_decide_the_same(decided: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["safety", "replay", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"judged": 2, "redacted": 0, "moves": {}, "changes": []}


def test_a_changed_policy_shows_what_it_would_change(decided: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (decided / "new.toml").write_text(STRICTER, encoding="utf-8")
    assert cli.main(["safety", "replay", "--policy", "new.toml", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["moves"] == {"allow -> block": 1}
    assert told["changes"][0]["action"] == "SELECT name FROM salaries"
    assert cli.main(["safety", "replay", "--policy", "new.toml"]) == 0
    out = capsys.readouterr().out
    assert "allow -> block" in out
    assert "2 actions judged again: 0 would be judged milder, 1 stricter" in out


def test_without_a_journal_there_is_nothing_to_judge(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REACTOR_WORKSPACE", str(tmp_path / "absent"))
    assert cli.main(["safety", "replay"]) == 4
    assert "no journal" in capsys.readouterr().err
