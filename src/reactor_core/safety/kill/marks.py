"""The mark that every action carries in its environment, and actions whose holders have ended.

A mark names the workspace, the process that holds the lease, and the lease. A holder and its watcher may be killed
together; then nobody is left who could stop what acted, and the mark tells the next watcher that it is nobody's.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from reactor_core.safety.kill.processes import MARK, find_member, process_table
from reactor_core.utils.ids import new_id

__all__ = ["abandoned_marks", "carried_marks", "new_mark"]


def new_mark(workspace: Path) -> str:
    """A mark for what acts on behalf of this process."""
    me = find_member(os.getpid())
    assert me is not None
    return f"{_place(workspace)}.{me.pid}.{me.born}.{new_id()}"


def carried_marks(workspace: Path) -> set[str]:
    """Every mark of a workspace that some process of this machine carries."""
    wanted = f"{MARK}={_place(workspace)}.".encode()
    marks = set()
    for pid, member in process_table().items():
        if member.dead or pid == os.getpid():
            continue
        try:
            with open(f"/proc/{pid}/environ", "rb", buffering=0) as file:
                entries = file.read().split(b"\0")
        except OSError:  # another user's, or gone
            continue
        marks |= {each.partition(b"=")[2].decode("ascii", "replace") for each in entries if each.startswith(wanted)}
    return marks


def abandoned_marks(workspace: Path) -> set[str]:
    """Those of them whose holder has ended, however: nobody has a lease for what carries them."""
    return {mark for mark in carried_marks(workspace) if not _held(mark)}


def _held(mark: str) -> bool:
    _, pid, born, _ = mark.split(".", 3)
    holder = find_member(int(pid))
    return holder is not None and holder.born == int(born) and not holder.dead


def _place(workspace: Path) -> str:
    """The workspace's folder on its disk; process numbers mean nothing outside their namespace, so that is in it."""
    found, numbers = workspace.stat(), Path("/proc/self/ns/pid").stat().st_ino
    return hashlib.sha256(f"{numbers} {found.st_dev} {found.st_ino}".encode()).hexdigest()[:16]
