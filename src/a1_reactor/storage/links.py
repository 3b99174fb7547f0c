"""The same file under a second name."""

from __future__ import annotations

import errno
import os
import shutil
import sys
from pathlib import Path

__all__ = ["same_file_as"]

_FICLONE = 0x40049409  # linux/fs.h: _IOW(0x94, 9, int)


def same_file_as(source: Path, target: Path) -> str:
    """Make ``target`` hold exactly the bytes of ``source``, as cheaply as the file system can.

    Tried in this order: a reflink (shares blocks, and a later change of one leaves the other alone), a hard link
    (frames are read-only files, so neither name is written to), a copy.

    Returns:
        ``"reflink"``, ``"hardlink"`` or ``"copy"``.

    Raises:
        OSError: The copy failed too.
    """
    if sys.platform == "linux" and _reflink(source, target):
        return "reflink"
    try:
        os.link(source, target)
    except OSError as error:
        # No links on this file system, too many of them, or another device.
        if error.errno not in {errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.EACCES}:
            raise
        shutil.copyfile(source, target)
        target.chmod(0o444)
        return "copy"
    return "hardlink"


def _reflink(source: Path, target: Path) -> bool:
    import fcntl  # absent on Windows, where this function is not called

    with source.open("rb") as old:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444)
        try:
            fcntl.ioctl(descriptor, _FICLONE, old.fileno())
        except OSError:
            # Most file systems cannot; whatever the reason, a hard link or a copy comes next.
            target.unlink()
            return False
        finally:
            os.close(descriptor)
    return True
