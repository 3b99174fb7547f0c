"""How much memory this process may still take, and who says so: the system, or a control group with a lower limit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import psutil

__all__ = ["GroupMemory", "MemoryRoom", "memory_room", "probe_memory", "read_groups"]

GIB = 2**30
_GROUPS = Path("/sys/fs/cgroup")
_OWN = Path("/proc/self/cgroup")


@dataclass(frozen=True)
class GroupMemory:
    """One control group that this process is in.

    Attributes:
        name: Its path.
        limit: Bytes that it may use.
        used: Bytes that it uses and that the kernel cannot simply take back.
    """

    name: str
    limit: int
    used: int


@dataclass(frozen=True)
class MemoryRoom:
    """What there is.

    Attributes:
        total: Bytes of the machine, or the lowest limit of a control group.
        available: Bytes that may be taken before something is killed or swapped out.
        reason: Who sets the tighter bound on ``available``.
    """

    total: int
    available: int
    reason: str


def memory_room(total: int, available: int, groups: Iterable[GroupMemory] = ()) -> MemoryRoom:
    """The tightest of all bounds.

    Args:
        total: Physical memory in bytes.
        available: What the system could give without swapping.
        groups: The control groups above this process; one with a limit above ``total`` bounds nothing.
    """
    room = MemoryRoom(total, available, f"the system has {available / GIB:.1f} of {total / GIB:.1f} GiB free")
    for group in groups:
        if group.limit >= total:  # version 1 writes "no limit" as a number near 2^63
            continue
        left = max(0, group.limit - group.used)
        reason = room.reason
        if left < room.available:
            reason = f"control group {group.name} has {left / GIB:.1f} of {group.limit / GIB:.1f} GiB free"
        room = MemoryRoom(min(room.total, group.limit), min(room.available, left), reason)
    return room


def read_groups(own: str, root: Path) -> Sequence[GroupMemory]:
    """The control groups with a memory limit that a process is in, versions 1 and 2.

    Args:
        own: Content of the process's ``/proc/self/cgroup``.
        root: Where the control groups are mounted. Inside a container the named path may not be visible, and the
            mount itself is then the process's group.
    """
    found: list[GroupMemory] = []
    for line in own.splitlines():
        number, kinds, path = line.split(":", 2)
        if number == "0":
            mounts = [root / "unified", root]
            names = ("memory.max", "memory.current", "inactive_file")
        elif "memory" in kinds.split(","):
            mounts = [root / "memory"]
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        else:
            continue
        pure = PurePosixPath(path)
        for part in (pure, *pure.parents):
            for mount in mounts:
                group = _read_group(mount / str(part).lstrip("/"), str(part), names)
                if group is not None:
                    found.append(group)
    return found


def _read_group(folder: Path, name: str, names: tuple[str, str, str]) -> GroupMemory | None:
    """None where there is no limit, or the group ended while it was read."""
    limit_file, used_file, reclaimable = names
    try:
        limit = (folder / limit_file).read_text().strip()
        if limit == "max":
            return None
        used = int((folder / used_file).read_text())
        lines = (folder / "memory.stat").read_text().splitlines()
    except FileNotFoundError:
        return None
    cached = sum(int(line.split()[1]) for line in lines if line.split()[0] == reclaimable)
    return GroupMemory(name, int(limit), max(0, used - cached))


def probe_memory() -> MemoryRoom:
    """Look at this machine and at this process's control groups."""
    system = psutil.virtual_memory()
    groups = read_groups(_OWN.read_text(), _GROUPS) if _OWN.is_file() else ()
    return memory_room(system.total, system.available, groups)
