"""``reactor safety explain``."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from reactor_core import cli


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a policy, which the command runs in."""
    (tmp_path / "reactor.toml").write_text(
        '[safety]\nregenerable = ["artifacts"]\n[[safety.rules]]\nname = "no-salaries"\nverdict = "block"\n'
        'tables = ["salaries"]\nreason = "only payroll reads this"\n',
        encoding="utf-8",
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def explained(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, object]:
    assert cli.main(["safety", "explain", *arguments, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert isinstance(told, dict)
    return told


def test_a_person_reads_parse_effect_and_rule(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["safety", "explain", "cd / && rm -r''f va*", "--no-here"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert out.startswith("BLOCK")
    assert "rm -rf" in out
    assert "scale all" in out
    assert "hash " in out


def test_the_projects_own_places_and_rules_hold(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert explained(capsys, "rm -rf artifacts")["verdict"] == "allow"
    blocked = explained(capsys, "SELECT name FROM salaries", "--kind", "sql")
    assert (blocked["verdict"], blocked["sentence"]) == ("block", "only payroll reads this")
    assert explained(capsys, "SELECT name FROM salaries", "--kind", "sql", "--no-here")["verdict"] == "allow"


def test_a_script_is_looked_into(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "go.sh").write_text("rm -rf /srv\n", encoding="utf-8")
    assert explained(capsys, "bash go.sh")["verdict"] == "block"
    assert explained(capsys, "bash go.sh", "--no-here")["verdict"] == "confirm"


def test_the_policy_itself_is_protected(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert explained(capsys, "echo '[safety]' > reactor.toml")["rules"] == ["B5"]


def test_an_action_may_come_from_standard_input(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("import shutil\nshutil.rmtree('/')\n"))
    assert explained(capsys, "-", "--kind", "python")["verdict"] == "block"


def test_an_unknown_kind_and_a_policy_in_doubt_are_refused(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["safety", "explain", "x", "--kind", "knitting"]) == 3
    (project / "reactor.toml").write_text("[safety", encoding="utf-8")
    assert cli.main(["safety", "explain", "ls"]) == 3
    assert "reactor.toml" in capsys.readouterr().err
