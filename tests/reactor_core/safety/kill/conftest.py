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

from reactor_core.errors import ConfigError
from reactor_core.integration import EventBridge
from reactor_core.safety.kill import Station
from reactor_core.safety.kill.processes import MARK, stop_members
from reactor_core.safety.kill.switch import watcher_standing
from reactor_core.utils.ids import new_id
from reactor_core.utils.settings import Settings

PATIENCE = 60.0
"""Seconds after which something that should have happened has not; machines are shared."""


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


@contextlib.contextmanager
def room(folder: Path) -> Iterator[Settings]:
    """A workspace, and a lease that a busy machine can keep; at the end its watcher is ended."""
    made = Settings(workspace=folder / "workspace", state_dir=folder / "state", kill_switch_lease_ms=30_000)
    made.workspace.mkdir()
    try:
        yield made
    finally:
        standing = watcher_standing(made.workspace)
        if standing is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(standing.pid, signal.SIGKILL)
            until(lambda: gone(standing.pid))


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """A workspace of the test's own. Modules where a watcher is met again and again share one instead."""
    with room(tmp_path) as made:
        yield made


@pytest.fixture
def bridge(settings: Settings) -> Iterator[EventBridge]:
    """A connection to the workspace's events."""
    with EventBridge("jarvis_agent", settings=settings) as opened:
        yield opened


@pytest.fixture
def cleared(bridge: EventBridge) -> Iterator[None]:
    """For modules that share a workspace: each test begins with a clear switch."""

    def clear() -> bool:
        state = bridge.latch.state()
        if state.tripped:
            with contextlib.suppress(ConfigError):  # tripped again meanwhile
                bridge.latch.clear(state.tripped_epoch, by="a test", evidence={})
        return not bridge.latch.state().tripped

    yield
    until(clear)


@pytest.fixture
def station(bridge: EventBridge) -> Iterator[Station]:
    """A station with its lease."""
    with Station(bridge) as opened:
        yield opened


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts programs in groups of their own; ends them and their descendants at the end."""
    started: list[subprocess.Popen[bytes]] = []
    marks: set[str] = set()

    def run(*argv: str, env: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
        environment = {MARK: new_id(), **(env or {})}
        marks.add(environment[MARK])
        process = subprocess.Popen(
            argv, start_new_session=True, stdout=subprocess.PIPE, env={**os.environ, **environment}
        )
        started.append(process)
        return process

    yield run
    stopped = stop_members([], marks=marks, seconds=PATIENCE)
    for process in started:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
    assert stopped.survivors == set()


@contextlib.contextmanager
def run_python(code: str, *arguments: str, env: dict[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """Another process of ours that runs some lines; it is killed at the end."""
    with subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, stdin=subprocess.PIPE,
        env={**os.environ, **(env or {})},
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()
