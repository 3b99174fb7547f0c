from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


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
    done = reactor(
        project, "guard", "--", "python3", "-c", "import sys; print(sys.stdin.read()); sys.exit(7)", given=b"x"
    )
    assert (done.returncode, done.stdout) == (7, b"x\n"), done.stderr


def test_a_blocked_command_ends_with_6_and_its_reason(project: Path) -> None:
    done = reactor(project, "guard", "--", "rm", "-rf", "/")
    assert (done.returncode, done.stdout) == (6, b"")
    assert b"blocked by B1" in done.stderr
    logged = reactor(project, "safety", "log", "--json")
    assert json.loads(logged.stdout)["decisions"][0]["verdict"] == "block"


def test_a_command_that_nobody_agrees_to_does_not_run(project: Path) -> None:
    done = reactor(project, "guard", "--", "rm", "notes.txt")
    assert done.returncode == 6
    assert b"nobody answered in time" in done.stderr
    assert (project / "notes.txt").exists()


def test_a_line_goes_through_a_shell_and_words_do_not(project: Path) -> None:
    assert reactor(project, "guard", "--line", "--", "echo $((1 + 2)) | tr 3 4").stdout == b"4\n"
    assert reactor(project, "guard", "--", "echo", "$((1 + 2))", "|", "tr").stdout == b"$((1 + 2)) | tr\n"


def test_wrong_use_says_what_is_right(project: Path) -> None:
    assert b"reactor guard -- COMMAND" in reactor(project, "guard").stderr
    assert b"--line takes one word" in reactor(project, "guard", "--line", "--", "a", "b").stderr
    done = reactor(project, "guard", "--", "no-such-command")
    assert done.returncode != 0
    assert b"no-such-command" in done.stderr
