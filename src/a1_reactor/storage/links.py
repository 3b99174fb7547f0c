"""The same file under a second name, and how a file that must not change is told from one that did."""

from __future__ import annotations

import errno
import os
import shutil
import sys
from pathlib import Path

__all__ = ["inodes", "is_sealed", "same_file_as", "seal"]

_FICLONE = 0x40049409  # linux/fs.h: _IOW(0x94, 9, int)
_SEAL_NS = 946_684_800 * 10**9
"""2000-01-01. Whoever writes to a file gives it another time, and so breaks the seal."""
_NO_LINKS = {errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.EACCES}


def seal(path: Path) -> None:
    """Make a finished file read-only and give it the time that says so.

    Raises:
        OSError: The file is not ours to change.
    """
    path.chmod(0o444)
    os.utime(path, ns=(_SEAL_NS, _SEAL_NS))


def is_sealed(stat: os.stat_result) -> bool:
    """Whether nobody wrote to a file since :func:`seal`, short of one who set the time back."""
    return stat.st_mtime_ns == _SEAL_NS and not stat.st_mode & 0o222


def inodes(folder: Path) -> dict[str, tuple[int, int]]:
    """Device and inode of every file in a folder, by name; files with equal ones are one file."""
    device = folder.stat().st_dev
    with os.scandir(folder) as entries:
        return {entry.name: (device, entry.inode()) for entry in entries}


def same_file_as(source: str | Path, target: str | Path) -> str:
    """Make ``target`` hold exactly the bytes of ``source``, as cheaply as the file system can.

    Tried in this order: a hard link (one inode, which is the proof that the bytes are the same; frames are read-only
    files, so neither name is written to), a reflink (shared blocks), a copy.

    Returns:
        ``"hardlink"``, ``"reflink"`` or ``"copy"``.

    Raises:
        OSError: The copy failed too.
    """
    try:
        os.link(source, target)
    except OSError as error:
        # No links on this file system, too many of them, or another device.
        if error.errno not in _NO_LINKS:
            raise
    else:
        return "hardlink"
    source, target = Path(source), Path(target)
    if sys.platform == "linux" and _reflink(source, target):
        seal(target)
        return "reflink"
    shutil.copyfile(source, target)
    seal(target)
    return "copy"


def _reflink(source: Path, target: Path) -> bool:
    import fcntl  # absent on Windows, where this function is not called

    with source.open("rb") as old:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444)
        try:
            fcntl.ioctl(descriptor, _FICLONE, old.fileno())
        except OSError:
            # Most file systems cannot; whatever the reason, a copy comes next.
            target.unlink()
            return False
        finally:
            os.close(descriptor)
    return True
