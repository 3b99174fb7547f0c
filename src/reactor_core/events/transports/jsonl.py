"""A shared file of JSON lines, for neighbours without a network.

Its meaning as ``fallback_to_file``: while none of the configured remote transports is up, events that none of them has
confirmed are appended to the file, where neighbours on this machine read them; and lines that neighbours append are
read at all times. When a remote is back it gets those events too, so a neighbour that reads both sees an id twice.
Each line is one event in the family's JSON. Lines are appended under a lock in one write each, so several processes
can share a file on a local disk; a half line at the end is left until it is whole. A file that belongs to another
user is neither read nor written: whoever can write it could order a halt.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import stat
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path

import msgspec

from reactor_core.errors import StorageError
from reactor_core.events.bus import Bus
from reactor_core.events.event import MAX_PAYLOAD_BYTES
from reactor_core.events.journal import Journal
from reactor_core.events.transports.batch import Batch
from reactor_core.events.transports.relay import Relay
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
        kept = journal.cursor(self._place)
        if kept is None:
            # A file that is new to this workspace is read from its present end: what is older is not news.
            with contextlib.suppress(StorageError):  # the session says what is wrong with the file
                self._inode, self._offset = self._end()
            self._keep_place().result()
        else:
            self._inode, self._offset = msgspec.json.decode(kept, type=tuple[int, int])

    async def session(self) -> None:
        self.connected()
        while True:
            await self._read()
            if self._wanted():
                self._skip_confirmed()
                batch = self.pending()
                if batch.events:
                    with storage_errors(self.path):
                        await asyncio.to_thread(self._append, batch)
                    await self.confirm(batch)
                    continue
                self.confirmed_to(batch.cursors)
            self.bell.clear()
            try:
                async with asyncio.timeout(POLL_SECONDS):
                    await self.bell.wait()
            except TimeoutError:
                pass

    async def _own(self) -> None:
        """Follow the first other way: the process that knows how that one stands is the one that writes."""
        if self._unless:
            self._note("standby", f"follows {self._unless[0].name}")
            await self._unless[0].owned.wait()
        await super()._own()

    def _wanted(self) -> bool:
        """Whether every other way is down; one that has not answered yet is not."""
        return all(relay.status.state == "down" for relay in self._unless if relay.owned.is_set())

    def _skip_confirmed(self) -> None:
        """Begin behind what the other ways have delivered."""
        for lane in self.cursors:
            delivered = min((relay.cursors[lane] for relay in self._unless), default=0)
            self.confirmed_to({lane: delivered})

    def _append(self, batch: Batch) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # A folder such as /tmp is everybody's: never follow a link that somebody else put there.
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(self.path, flags, 0o600)
        try:
            _check_ours(self.path, os.fstat(descriptor))
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            for event in batch.events:
                os.write(descriptor, event.to_family_json() + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    async def _read(self) -> None:
        """Take in the whole lines that are new."""
        inode, end = self._end()
        if inode != self._inode or end < self._offset:  # another file, or cut short: all of it is new
            self._inode, self._offset = inode, 0
        moved = False
        while self._offset < end:
            start = self._offset
            lines, self._offset = _whole_lines(self.path, self._offset)
            await self.accept_many((line, False) for line in lines if line.strip())
            if self._offset == start:
                break
            moved = True
        if moved:
            await self.settle()
            await asyncio.wrap_future(self._keep_place())

    def _keep_place(self) -> Future[None]:
        place = msgspec.json.encode((self._inode, self._offset)).decode()
        return self._journal.set_cursor(self._place, place)

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


def _whole_lines(path: Path, offset: int) -> tuple[list[bytes], int]:
    """Lines that end with a newline from ``offset`` on, about a mebibyte of them, and the offset behind them."""
    with path.open("rb") as stream:
        stream.seek(offset)
        chunk = stream.read(_CHUNK)
        while b"\n" not in chunk and len(chunk) < _MAX_LINE and (more := stream.read(_CHUNK)):
            chunk += more
    end = chunk.rfind(b"\n") + 1
    if end == 0 and len(chunk) >= _MAX_LINE:
        end = len(chunk)  # no event is that long: give it to be refused, and go on behind it
    return chunk[:end].split(b"\n"), offset + end
