"""A disk that behaves like a real one on its bad days: it is full, its fsync fails, or the power goes.

A layer between SQLite and the files. What was written and not yet synced is dirty, page by page. When the power goes,
any part of the dirty pages may be on the disk and the rest is as it was. When fsync fails, the kernel counts the dirty
pages as clean: they can still be read, but they are never written unless somebody writes them again, as Linux does.
"""

from __future__ import annotations

import os
import random
import signal
import sys
from typing import Any

import apsw

PAGE = 4096
SECTOR = 512


class Disk(apsw.VFS):
    """One such disk, for one process.

    Args:
        seed: Decides which dirty pages survive a power cut.
        cut_at: The power goes, and the process with it, at this write or sync; None never.
        fail_syncs: The syncs, by number, that fail.
        full: The first write that finds the disk full, and the first that finds space again.
        lies: It says that it has synced, and has not. No program survives that; it shows that the judges see it.
    """

    def __init__(
        self,
        seed: int,
        *,
        cut_at: int | None = None,
        fail_syncs: tuple[int, ...] = (),
        full: tuple[int, int] = (0, 0),
        lies: bool = False,
    ) -> None:
        self.vfs_name = f"disk-{os.getpid()}-{id(self)}"
        self._chance = random.Random(seed)
        self._cut_at = cut_at
        self._fail_syncs = fail_syncs
        self._full = full
        self.lies = lies
        self._steps = self._writes = self._syncs = 0
        self._files: dict[str, _Pages] = {}
        super().__init__(self.vfs_name, "")
        sys.excepthook = lambda *_: None  # apsw reports errors inside a file layer there as well

    def xOpen(self, name: Any, flags: Any) -> apsw.VFSFile:  # noqa: N802
        return _File(self, name, flags)

    def pages(self, path: str) -> _Pages:
        """The state of a file, shared by all who have it open."""
        if path not in self._files:
            self._files[path] = _Pages(path)
        return self._files[path]

    def writing(self) -> None:
        """Somebody writes.

        Raises:
            apsw.FullError: No space is left.
        """
        self._step()
        self._writes += 1
        if self._full[0] <= self._writes < self._full[1]:
            raise apsw.FullError("no space left (ENOSPC)")

    def syncing(self, pages: _Pages) -> None:
        """Somebody syncs.

        Raises:
            apsw.IOError: It failed, and what was dirty is lost without anybody noticing.
        """
        self._step()
        self._syncs += 1
        if self._syncs in self._fail_syncs:
            pages.dirty.clear()
            raise apsw.IOError("fsync failed (EIO)")

    def _step(self) -> None:
        self._steps += 1
        if self._steps == self._cut_at:
            share = self._chance.choice((0.0, 0.5, 1.0))
            for pages in self._files.values():
                pages.lose(self._chance, share)
            os.kill(os.getpid(), signal.SIGKILL)


class _Pages:
    """What of a file is on the disk for sure."""

    def __init__(self, path: str) -> None:
        self._descriptor = os.open(path, os.O_RDWR)
        self._durable = bytearray(self._now(0, os.fstat(self._descriptor).st_size))
        self.dirty: set[int] = set()

    def write(self, offset: int, size: int) -> None:
        self.dirty.update(range(offset // PAGE, (offset + size - 1) // PAGE + 1))

    def truncate(self, size: int) -> None:
        # The new length counts as durable at once: journalled file systems order it before later writes.
        del self._durable[size:]
        self.dirty = {page for page in self.dirty if page * PAGE < size}

    def sync(self) -> None:
        for page in self.dirty:
            self._keep(page * PAGE, self._now(page * PAGE, PAGE))
        self.dirty.clear()

    def lose(self, chance: random.Random, share: float) -> None:
        """The power goes: a share of the dirty pages arrived, some of them in part."""
        for page in sorted(self.dirty):
            if chance.random() < share:
                arrived = chance.choice((PAGE, chance.randrange(0, PAGE, SECTOR)))
                self._keep(page * PAGE, self._now(page * PAGE, arrived))
        os.pwrite(self._descriptor, self._durable, 0)
        os.ftruncate(self._descriptor, len(self._durable))

    def _now(self, offset: int, size: int) -> bytes:
        return os.pread(self._descriptor, size, offset)

    def _keep(self, offset: int, data: bytes) -> None:
        if not data:
            return
        if len(self._durable) < offset:
            self._durable.extend(bytes(offset - len(self._durable)))
        self._durable[offset : offset + len(data)] = data


class _File(apsw.VFSFile):
    def __init__(self, disk: Disk, name: Any, flags: Any) -> None:
        super().__init__("", name, flags)
        self._disk = disk
        self._pages = disk.pages(name.filename() if isinstance(name, apsw.URIFilename) else str(name))

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        self._disk.writing()
        super().xWrite(data, offset)
        self._pages.write(offset, len(data))

    def xTruncate(self, size: int) -> None:  # noqa: N802
        super().xTruncate(size)
        self._pages.truncate(size)

    def xSync(self, flags: int) -> None:  # noqa: N802
        self._disk.syncing(self._pages)
        super().xSync(flags)
        if not self._disk.lies:
            self._pages.sync()
