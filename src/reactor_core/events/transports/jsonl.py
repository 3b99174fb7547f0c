"""A shared file of JSON lines, for neighbours without a network.

Its meaning as ``fallback_to_file``: while none of the configured remote transports is up, events that none of them has
confirmed are appended to the file, where neighbours on this machine read them; and lines that neighbours append are
read at all times. When a remote is back it gets those events too, so a neighbour that reads both sees an id twice.
Each line is one event in the family's JSON. Batches are appended under a lock in one write each, so several processes
can share a file on a local disk; a half line at the end is left until it is whole, and one that a writer left behind
when it died or the disk was full is ended before the next. A file that was replaced is read to its end first, if it
was open here; if it was not, or if it was cut short, a GAP event says so. A file that belongs to another user is
neither read nor written: whoever can write it could order a halt.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import stat
from collections.abc import Sequence
from pathlib import Path

import msgspec

from reactor_core.errors import StorageError
from reactor_core.events.bus import Bus
from reactor_core.events.event import MAX_PAYLOAD_BYTES
from reactor_core.events.journal import Journal
from reactor_core.events.transports.batch import Batch
from reactor_core.events.transports.relay import Relay
from reactor_core.utils.failpoints import reach
from reactor_core.utils.files import storage_errors

__all__ = ["JsonlRelay"]

POLL_SECONDS = 0.1
"""How often the file is looked at; a look is one ``stat``."""

_CHUNK = 1 << 20
_MAX_LINE = 8 * MAX_PAYLOAD_BYTES


class JsonlRelay(Relay):
    """Writes to and reads from a shared file.

    Args:
        path: The file; made, readable by its owner only, when the first line is written.
        unless: Relays; while one of them is up nothing is written. Empty: everything is written.
    """

    def __init__(
        self, path: Path, *, journal: Journal, bus: Bus, source: str, workspace: Path, unless: Sequence[Relay] = ()
    ) -> None:
        self.path = Path(path).absolute()
        super().__init__(f"file://{self.path}", journal=journal, bus=bus, source=source, workspace=workspace)
        self._unless = tuple(unless)
        # What a hub brought its other clients have too.
        self.not_from = (self.name, *(relay.name for relay in unless))
        self._place = f"{self.name}#read"
        self._inode = self._offset = 0
        self._open: int | None = None
        kept = journal.cursor(self._place)
        if kept is None:
            # A file that is new to this workspace is read from its present end: what is older is not news.
            with contextlib.suppress(StorageError):  # the session says what is wrong with the file
                self._inode, self._offset = self._end()
            journal.set_cursors(self.state_rows()).result()
        else:
            self._inode, self._offset = msgspec.json.decode(kept, type=tuple[int, int])

    async def session(self) -> None:
        self.connected()
        try:
            while True:
                await self._read()
                if self._wanted():
                    self._skip_confirmed()
                    batch = self.pending()
                    if batch.events:
                        with storage_errors(self.path):
                            await asyncio.to_thread(self._append, batch)
                        reach("relay.sent")
                        await self.confirm(batch)
                        continue
                    self.confirmed_to(batch.cursors)
                self.bell.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(POLL_SECONDS):
                        await self.bell.wait()
        finally:
            self._let_go()

    def state_rows(self) -> dict[str, str]:
        return super().state_rows() | {self._place: msgspec.json.encode((self._inode, self._offset)).decode()}

    async def flush(self) -> None:
        if self._wanted():  # else the other ways carry it
            await super().flush()

    async def _own(self) -> None:
        """Follow the first other way: the process that knows how that one stands is the one that writes."""
        if self._unless:
            self._note("standby", f"follows {self._unless[0].name}")
            await self._unless[0].owned.wait()
        await super()._own()
        kept = self._journal.cursor(self._place)
        if kept is not None:  # another process of this workspace may have moved it
            self._inode, self._offset = msgspec.json.decode(kept, type=tuple[int, int])

    def _wanted(self) -> bool:
        """Whether every other way is down; one that has not answered yet is not."""
        return all(relay.status.state == "down" for relay in self._unless if relay.owned.is_set())

    def _skip_confirmed(self) -> None:
        """Begin behind what the other ways have delivered."""
        for lane in self.cursors:
            delivered = min((relay.cursors[lane] for relay in self._unless), default=0)
            self.confirmed_to({lane: delivered})

    def _append(self, batch: Batch) -> None:
        lines = b"".join(event.to_family_json() + b"\n" for event in batch.events)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # A folder such as /tmp is everybody's: never follow a link that somebody else put there.
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(self.path, flags, 0o600)
        try:
            _check_ours(self.path, os.fstat(descriptor))
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            end = os.fstat(descriptor).st_size
            if end and os.pread(descriptor, 1, end - 1) != b"\n":
                lines = b"\n" + lines  # somebody died in the middle of a line
            _write_all(descriptor, lines, end)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    async def _read(self) -> None:
        """Take in the whole lines that are new."""
        inode, end = self._end()
        if inode != self._inode:
            await self._read_rest()
            lost_from = self._offset if self._inode and self._open is None else None
            self._let_go()
            self._inode, self._offset = inode, 0
            if lost_from is not None and inode:
                await self.gap("the file was replaced while nobody here read it", lost_from=lost_from)
        elif end < self._offset:
            await self.gap("the file was cut short", lost_from=end, lost_to=self._offset)
            self._offset = 0
        if self._offset < end:
            if self._open is None:
                self._open = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
                found = os.fstat(self._open)
                _check_ours(self.path, found)
                self._inode = found.st_ino
            await self._read_lines(end)

    async def _read_rest(self) -> None:
        """What the file held that another one has replaced."""
        if self._open is not None:
            await self._read_lines(os.fstat(self._open).st_size)

    async def _read_lines(self, end: int) -> None:
        assert self._open is not None, "opened before"
        while self._offset < end:
            lines, behind = _whole_lines(self._open, self._offset)
            if behind == self._offset:
                return
            await self.accept_many((line, False) for line in lines if line.strip())
            await self.settle()
            self._offset = behind
            self.keep_soon()

    def _let_go(self) -> None:
        if self._open is not None:
            os.close(self._open)
            self._open = None

    def _end(self) -> tuple[int, int]:
        """Which file it is now, and how long."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return 0, 0
        _check_ours(self.path, found)
        return found.st_ino, found.st_size


def _check_ours(path: Path, found: os.stat_result) -> None:
    """A folder such as /tmp is everybody's: take only a plain file of our own user."""
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
        raise StorageError(
            f"{path} is no plain file of this user", remedy="set EVENT_BRIDGE_FALLBACK_FILE to another path"
        )


def _write_all(descriptor: int, data: bytes, end: int) -> None:
    """Append; if there is no space for all of it, leave nothing of it, unless somebody wrote behind it meanwhile."""
    written = 0
    try:
        while written < len(data):
            written += os.write(descriptor, data[written:])
    except OSError:
        if os.fstat(descriptor).st_size == end + written:
            os.ftruncate(descriptor, end)
        raise


def _whole_lines(descriptor: int, offset: int) -> tuple[list[bytes], int]:
    """Lines that end with a newline from ``offset`` on, about a mebibyte of them, and the offset behind them."""
    chunk = os.pread(descriptor, _CHUNK, offset)
    while b"\n" not in chunk and len(chunk) < _MAX_LINE and (more := os.pread(descriptor, _CHUNK, offset + len(chunk))):
        chunk += more
    end = chunk.rfind(b"\n") + 1
    if end == 0 and len(chunk) >= _MAX_LINE:
        end = len(chunk)  # no event is that long: give it to be refused, and go on behind it
    return chunk[:end].split(b"\n"), offset + end
