"""Workspaces, bridges and processes for the tests of the kill switch."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from reactor_core.integration import EventBridge
from reactor_core.safety.kill import Station
from reactor_core.safety.kill.switch import watcher_standing
from reactor_core.utils.settings import Settings

PATIENCE = 30.0


def until(true: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """Ask again and again until the answer is true, and give it; fail after so long."""
    deadline = time.monotonic() + seconds
    while not (answer := true()):
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.005)
    return answer


def gone(pid: int) -> bool:
    """Whether a process has ended, reaped or not."""
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] in (b"Z", b"X")
    except FileNotFoundError:
        return True


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A workspace of its own, and a lease that a busy machine can keep."""
    return Settings(workspace=tmp_path / "workspace", state_dir=tmp_path / "state", kill_switch_lease_ms=5000)


@pytest.fixture
def bridge(settings: Settings) -> Iterator[EventBridge]:
    """A bridge; at the end its watcher is told to go."""
    with EventBridge("jarvis_agent", settings=settings) as opened:
        yield opened
        standing = watcher_standing(settings.workspace)
        if standing is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(standing.pid, signal.SIGTERM)
            until(lambda: gone(standing.pid))


@pytest.fixture
def station(bridge: EventBridge) -> Iterator[Station]:
    """A station with its lease."""
    with Station(bridge) as opened:
        yield opened


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts programs in groups of their own; ends them at the end."""
    started: list[subprocess.Popen[bytes]] = []

    def run(*argv: str, env: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            argv, start_new_session=True, stdout=subprocess.PIPE, env={**os.environ, **(env or {})}
        )
        started.append(process)
        return process

    yield run
    for process in started:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def run_python(code: str, *arguments: str, env: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
    """Another process of ours that runs some lines."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, stdin=subprocess.PIPE,
        env={**os.environ, **(env or {})},
    )  # fmt: skip
