"""What the tests of the API share: waiting, servers in processes of their own, reading event streams."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx

DEADLINE = 30.0
HERE = "http://localhost:8003"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(ready: Callable[[], Any], *, seconds: float = DEADLINE) -> Any:
    """Ask until the answer is true; returns it."""
    deadline = time.monotonic() + seconds
    while not (answer := ready()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
    return answer


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


class Served:
    """A server in a process of its own."""

    def __init__(self, process: subprocess.Popen[bytes], url: str, log: Path) -> None:
        self.process = process
        self.url = url
        self.log = log

    def said(self) -> str:
        return self.log.read_text()


def must_run(served: Served) -> bool:
    assert served.process.poll() is None, served.said()
    return False


def end(process: subprocess.Popen[bytes]) -> None:
    """The whole session: reloaders and workers outlive a killed parent."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, 9)
    process.wait()


def messages(lines: Iterator[str]) -> Iterator[dict[str, str]]:
    """Server-sent events from their lines, as the HTML standard reads them; one with an id alone has no ``data``."""
    fields: dict[str, str] = {}
    for line in lines:
        if not line:
            if fields:
                yield fields
            fields = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
