"""Commands in processes of their own, with a terminal or without one."""

from __future__ import annotations

import fcntl
import hashlib
import os
import pty
import re
import select
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reactor_core.cli import main
from reactor_core.integration import EventBridge
from reactor_core.safety.confirm import Approvals
from reactor_core.safety.engine import Decision
from reactor_core.safety.verdict import Effect, Finding, Verdict
from reactor_core.utils.settings import Settings

REACTOR = (sys.executable, "-m", "reactor_core.cli")


class AtTerminal:
    """A command whose controlling terminal is ours to type at."""

    def __init__(self, words: tuple[str, ...], environment: dict[str, str]) -> None:
        self._person, program = pty.openpty()

        def take_terminal() -> None:
            fcntl.ioctl(program, termios.TIOCSCTTY, 0)

        self._process = subprocess.Popen(
            [*REACTOR, *words], stdin=subprocess.DEVNULL, stdout=program, stderr=program, env=environment,
            start_new_session=True, preexec_fn=take_terminal, pass_fds=(program,),
        )  # fmt: skip
        os.close(program)
        self.shown = ""

    def until(self, pattern: str) -> re.Match[str]:
        while not (found := re.search(pattern, self.shown)):
            assert select.select([self._person], [], [], 60)[0], f"nothing more after {self.shown!r}"
            try:
                part = os.read(self._person, 65536)
            except OSError:  # the program has ended
                part = b""
            assert part, f"it ended after {self.shown!r}"
            self.shown += part.decode(errors="replace")
        return found

    def types(self, line: str) -> None:
        os.write(self._person, f"{line}\n".encode())

    def end(self) -> int:
        while True:
            try:
                part = os.read(self._person, 65536)
            except OSError:
                break
            if not part:
                break
            self.shown += part.decode(errors="replace")
        status = self._process.wait(60)
        os.close(self._person)
        return status


@pytest.fixture
def safe_settings(tmp_path: Path) -> Settings:
    return Settings(workspace=tmp_path / "work", state_dir=tmp_path / "state")


@pytest.fixture
def environment(safe_settings: Settings) -> dict[str, str]:
    here = {"REACTOR_WORKSPACE": str(safe_settings.workspace), "REACTOR_STATE_DIR": str(safe_settings.state_dir)}
    return {**os.environ, **here, "NO_COLOR": "1"}


@pytest.fixture
def at_terminal(environment: dict[str, str]) -> Callable[..., AtTerminal]:
    return lambda *words: AtTerminal(words, environment)


@pytest.fixture
def piped(environment: dict[str, str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a command in a process without a terminal; the agent's pipe is its standard input."""

    def piped(*words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*REACTOR, *words],
            input=typed,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            start_new_session=True,
            check=False,
        )

    return piped


@pytest.fixture
def reactor(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a command in this process, which is quicker; for commands that ask nobody."""
    for name in ("REACTOR_WORKSPACE", "REACTOR_STATE_DIR", "NO_COLOR"):
        monkeypatch.setenv(name, environment[name])

    def reactor(*words: str) -> subprocess.CompletedProcess[str]:
        capsys.readouterr()
        status = main(words)
        said = capsys.readouterr()
        return subprocess.CompletedProcess(words, status, said.out, said.err)

    return reactor


@pytest.fixture
def asking(safe_settings: Settings) -> Iterator[Approvals]:
    """The program of an agent that asks."""
    with EventBridge("jarvis_agent", settings=safe_settings) as bridge, Approvals(bridge) as approvals:
        yield approvals


@pytest.fixture
def decide() -> Callable[..., Decision]:
    def decide(action: str = "rm notes.txt", verdict: Verdict = Verdict.CONFIRM) -> Decision:
        found = Finding(verdict, "C1", "a file is lost", Effect(target="notes.txt", reversible=False), action)
        hashed = hashlib.sha256(action.encode()).hexdigest()
        return Decision(
            action=action, kind="shell", verdict=verdict, findings=(found,), resolved=(action,), action_hash=hashed
        )

    return decide
