from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from reactor_core.cli import main
from reactor_core.events.journal import JOURNAL_NAME
from reactor_core.events.query import event_query
from reactor_core.events.store import JournalStore
from reactor_core.safety.audit import audit_trail


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / ".git").mkdir(parents=True)
    (folder / "notes.txt").write_text("mine")
    return folder


def reactor(project: Path, *words: str, given: bytes = b"", **env: str) -> subprocess.CompletedProcess[bytes]:
    """Run ``reactor`` without a terminal, as an agent would."""
    return subprocess.run(
        [sys.executable, "-m", "reactor_core.cli", *words],
        cwd=project,
        input=given,
        capture_output=True,
        start_new_session=True,
        env={
            **os.environ,
            "REACTOR_WORKSPACE": str(project.parent / "workspace"),
            "REACTOR_STATE_DIR": str(project.parent / "state"),
            "SAFETY_CONFIRMATION_TIMEOUT_SECONDS": "0.1",
            **env,
        },
        timeout=60,
        check=False,
    )


def test_an_allowed_command_is_as_if_it_ran_by_itself(project: Path) -> None:
    code = "import sys; print(sys.stdin.read(), sys.argv[1:]); sys.exit(7)"
    done = reactor(project, "guard", "--", "python3", "-c", code, "$((1 + 2))", "|", "tr", given=b"x")
    assert (done.returncode, done.stdout) == (7, b"x ['$((1 + 2))', '|', 'tr']\n"), done.stderr


def test_a_line_goes_through_a_shell(project: Path) -> None:
    assert reactor(project, "guard", "--line", "--", "echo $((1 + 2)) | tr 3 4").stdout == b"4\n"


def test_a_blocked_command_ends_with_6_and_its_reason(project: Path) -> None:
    done = reactor(project, "guard", "--", "rm", "-rf", "/")
    assert (done.returncode, done.stdout) == (6, b"")
    assert b"blocked by B1" in done.stderr
    store = JournalStore(project.parent / "workspace" / JOURNAL_NAME)
    (entry,) = audit_trail(store.query(event_query(), limit=100).events)
    store.close()
    assert entry.verdict == "block"


def test_a_command_that_nobody_agrees_to_does_not_run(project: Path) -> None:
    done = reactor(project, "guard", "--", "rm", "notes.txt")
    assert done.returncode == 6
    assert b"nobody answered in time" in done.stderr
    assert (project / "notes.txt").exists()


def test_wrong_use_says_what_is_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REACTOR_WORKSPACE", str(tmp_path / "workspace"))
    for words, says in (
        ((), "reactor guard -- COMMAND"),
        (("--line", "--", "a", "b"), "--line takes one word"),
        (("--", "no-such-command"), "no-such-command"),
    ):
        assert main(("guard", *words)) != 0
        assert says in capsys.readouterr().err
