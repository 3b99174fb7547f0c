"""Which process holds a job: named so that it cannot be taken for another one, and ended when it has to be."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import time
from functools import cache
from pathlib import Path

import psutil

from reactor_core.jobs.job import Owner
from reactor_core.safety.kill.processes import find_member, stop_members

__all__ = ["end_group", "is_here", "lives", "this_process"]

_WAIT_SECONDS = 2.0
_LINUX = sys.platform.startswith("linux")


def this_process() -> Owner:
    """The process that calls."""
    born = _born(os.getpid())
    assert born is not None
    return Owner(_host(), os.getpid(), born)


def is_here(owner: Owner) -> bool:
    """Whether its number means a process of this machine, started when it was, in this namespace."""
    return owner.host == _host()


def lives(owner: Owner) -> bool | None:
    """Whether it has not ended; None where that cannot be seen from here."""
    return _born(owner.pid) == owner.born if is_here(owner) else None


def end_group(owner: Owner) -> None:
    """Kill a process that leads a group, and all that it started. Does nothing to one that is not here or has ended.

    Never kills the caller's own group.
    """
    if not lives(owner) or owner.pid == os.getpid():
        return
    if _LINUX:
        member = find_member(owner.pid)
        if member is not None and member.born == owner.born:
            stop_members([member])
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if os.getpgid(owner.pid) == owner.pid != os.getpgrp():
            os.killpg(owner.pid, signal.SIGKILL)
    deadline = time.monotonic() + _WAIT_SECONDS
    while lives(owner) and time.monotonic() < deadline:
        time.sleep(0.01)


def _born(pid: int) -> float | None:
    """When a process began; None if there is none, or it has ended and only its parent has not asked."""
    if _LINUX:  # in ticks since the machine started: not moved when the clock is set
        member = find_member(pid)
        return None if member is None or member.dead else float(member.born)
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.Error:
        return None


@cache
def _host() -> str:
    parts = [socket.gethostname()]
    boot, numbers = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")
    with contextlib.suppress(OSError):
        parts += [boot.read_text().strip(), str(numbers.stat().st_ino)]
    return "/".join(parts)
