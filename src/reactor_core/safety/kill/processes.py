"""Which processes belong to an action, and ending all of them at once.

An action is the process that was started, its group and session, and every descendant. A descendant that leaves group
and session and whose parents have ended is found by a variable in its environment (:data:`MARK`), which it inherits.

Not covered: a process of another user (``sudo``), which this one may not signal and which is reported as a survivor;
one that forks and ends every few milliseconds for ever, which a reading of the process list may miss;
and one that leaves group and session, outlives its parents and clears its environment, all before anybody looks. Only
the operating system contains that.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from reactor_core.errors import EnvironmentMissing

__all__ = [
    "MARK",
    "Member",
    "Stopped",
    "alive",
    "find_member",
    "members",
    "need_pidfds",
    "process_table",
    "stop_members",
]

MARK = "REACTOR_LEASE"
"""Environment variable that names the lease under which a process runs."""

STOP_SECONDS = 2.0
"""How long dying processes are waited for. One that sleeps in the kernel dies when it wakes; it is reported."""

_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Member:
    """A process, as the kernel lists it.

    Args:
        pid: Its number; numbers are used again.
        parent: Its parent's.
        group: Its process group.
        session: Its session.
        born: When it began, in clock ticks since the machine did: with ``pid`` it names one process for ever.
        dead: It has ended, and only its parent has not asked for its status.
    """

    pid: int
    parent: int
    group: int
    session: int
    born: int
    dead: bool = False


@dataclass(slots=True)
class Stopped:
    """What stopping came to.

    Args:
        members: Processes that were ended.
        survivors: Processes that could not be, or not in time.
        last_dead: When the last one was dead, on the monotonic clock; None if there was none.
    """

    members: set[int] = field(default_factory=set)
    survivors: set[int] = field(default_factory=set)
    last_dead: float | None = None

    def add(self, other: Stopped) -> None:
        """Count another stop with this one."""
        self.members |= other.members
        self.survivors |= other.survivors
        ends = [each for each in (self.last_dead, other.last_dead) if each is not None]
        self.last_dead = max(ends, default=None)


def need_pidfds() -> None:
    """Raise EnvironmentMissing where processes cannot be named safely."""
    if not sys.platform.startswith("linux") or not hasattr(os, "pidfd_open"):
        raise EnvironmentMissing("the kill switch can stop processes on Linux only", remedy="run agents on Linux")


def process_table() -> dict[int, Member]:
    """Every process of the machine."""
    table = {}
    with os.scandir(_PROC) as entries:
        for entry in entries:
            if entry.name.isdigit() and (member := find_member(int(entry.name))) is not None:
                table[member.pid] = member
    return table


def find_member(pid: int) -> Member | None:
    """A process by its number; None if there is none."""
    try:
        # /proc/PID/stat: "pid (name) state ppid pgrp session ... starttime"; the name may hold blanks and brackets.
        with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:
            rest = file.read(1024).rpartition(b")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return Member(pid, int(rest[1]), int(rest[2]), int(rest[3]), int(rest[19]), dead=rest[0] in (b"Z", b"X"))


def alive(member: Member) -> bool:
    """Whether this very process is there and has not ended."""
    now = find_member(member.pid)
    return now is not None and now.born == member.born and not now.dead


def members(
    roots: Iterable[Member], *, marks: Collection[str] = (), table: Mapping[int, Member] | None = None
) -> dict[int, Member]:
    """The processes of some actions that have not ended.

    Args:
        roots: The processes that were started, and others that were seen to belong to them. One whose number is used
            again by another process counts for nothing.
        marks: Values of :data:`MARK`; whoever has one belongs to them.
        table: The machine's processes; None looks.
    """
    table = process_table() if table is None else table
    found: set[int] = set()
    groups: set[int] = set()
    for root in roots:
        now = table.get(root.pid)
        if now is not None and now.born == root.born:
            found.add(root.pid)
        if root.group == root.pid and (now is None or now.born == root.born):
            # The number of a leader that has ended is not used again while its group or session has members.
            groups.add(root.pid)
    found |= {each.pid for each in table.values() if each.group in groups or each.session in groups}
    if marks:
        wanted = {f"{MARK}={mark}".encode() for mark in marks}
        found |= {pid for pid in table if pid not in found and _marked(pid, wanted)}
    found.discard(os.getpid())
    children: dict[int, list[int]] = {}
    for each in table.values():
        children.setdefault(each.parent, []).append(each.pid)
    waiting = list(found)
    while waiting:
        for child in children.get(waiting.pop(), ()):
            if child not in found and child != os.getpid():
                found.add(child)
                waiting.append(child)
    return {pid: table[pid] for pid in found if not table[pid].dead}


def stop_members(
    roots: Collection[Member],
    *,
    marks: Collection[str] = (),
    spare: Collection[int] = (),
    seconds: float = STOP_SECONDS,
) -> Stopped:
    """Kill the processes of some actions, and wait until they are dead.

    Groups die as a whole in one call; then it looks again until nobody is left, so that a process which was just being
    made does not get away.

    Args:
        roots: As for :func:`members`.
        marks: As for :func:`members`.
        spare: Processes that are left alone.
        seconds: How long to wait for them.
    """
    stopped = Stopped()
    deadline = time.monotonic() + seconds
    for root in roots:
        if root.group != root.pid or root.pid == os.getpgrp():
            continue
        now = find_member(root.pid)
        if now is not None and now.born == root.born:
            stopped.members.add(root.pid)
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(root.pid, signal.SIGKILL)
    refused: set[int] = set()
    while left := {
        pid: each for pid, each in members(roots, marks=marks).items() if pid not in refused and pid not in spare
    }:
        if time.monotonic() > deadline:
            stopped.survivors |= set(left)
            break
        _kill_all(left, stopped, refused, deadline)
    stopped.survivors |= refused
    stopped.members -= stopped.survivors
    if stopped.members and stopped.last_dead is None:
        stopped.last_dead = time.monotonic()
    return stopped


def _kill_all(left: Mapping[int, Member], stopped: Stopped, refused: set[int], deadline: float) -> None:
    """Kill each of them by a descriptor that stands for this very process, and wait for their ends."""
    dying: dict[int, int] = {}
    try:
        for pid, member in left.items():
            try:
                descriptor = os.pidfd_open(pid)
            except (ProcessLookupError, OSError):
                continue
            if not alive(member):  # the number is another process's by now
                os.close(descriptor)
                continue
            try:
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            except ProcessLookupError:
                os.close(descriptor)
            except PermissionError:
                refused.add(pid)
                os.close(descriptor)
            else:
                dying[descriptor] = pid
        poll = select.poll()
        for descriptor in dying:
            poll.register(descriptor, select.POLLIN)
        waiting = set(dying)
        while waiting and (left_seconds := deadline - time.monotonic()) > 0:
            for descriptor, _ in poll.poll(left_seconds * 1000):
                poll.unregister(descriptor)
                waiting.discard(descriptor)
                stopped.members.add(dying[descriptor])
                stopped.last_dead = time.monotonic()
    finally:
        for descriptor in dying:
            os.close(descriptor)


def _marked(pid: int, wanted: Collection[bytes]) -> bool:
    try:
        with open(f"/proc/{pid}/environ", "rb", buffering=0) as file:
            return not set(file.read().split(b"\0")).isdisjoint(wanted)
    except OSError:  # another user's, or gone
        return False
