"""The folder of event files that the services of the family share on one machine.

One event per file, named ``YYYYmmdd_HHMMSS_<event_id>.json`` in local time, in the family's JSON. Ours appear whole,
under their final name; others write theirs in place, so what is not whole JSON yet is looked at again, for a minute.
The file system's notice wakes the reader, and it looks each second anyway.

In the family a file lives for 24 hours. This relay deletes such old files only if their event is in its journal; a
workspace that was away for longer publishes a GAP event. Files of other users are neither read nor deleted: whoever
can write here could order a halt.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import os
import re
import stat
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from watchfiles import awatch

from reactor_core.errors import StorageError
from reactor_core.events.bus import Bus
from reactor_core.events.event import MAX_PAYLOAD_BYTES, Event
from reactor_core.events.journal import Journal
from reactor_core.events.loop_thread import end_tasks
from reactor_core.events.transports.batch import Batch
from reactor_core.events.transports.relay import Relay
from reactor_core.utils.clock import to_iso
from reactor_core.utils.files import storage_errors

__all__ = ["FolderRelay"]

_log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""How often the folder is listed although nobody gave notice, as on network disks."""
HALF_SECONDS = 60.0
"""How long a file may be half."""
LIFE_SECONDS = 86_400.0
"""How long the family keeps a file."""

_SWEEP_SECONDS = 600.0
_OVERLAP_SECONDS = 120.0  # clocks of file systems are coarse, and a file is named before it is written
_MAX_FILE = 8 * MAX_PAYLOAD_BYTES
_UNSAFE = re.compile(r"[^A-Za-z0-9.-]")


@dataclass(frozen=True, slots=True)
class _Found:
    name: str
    modified: float
    mine: bool


class _Place(msgspec.Struct):
    """Up to when the folder was read, in seconds since 1970."""

    read_until: float


class FolderRelay(Relay):
    """Writes to and reads from a folder.

    Args:
        path: The folder; made, for its owner only, if it is absent.
    """

    def __init__(self, path: Path, *, journal: Journal, bus: Bus, source: str, workspace: Path) -> None:
        self.path = Path(path).expanduser().absolute()
        super().__init__(f"folder://{self.path}", journal=journal, bus=bus, source=source, workspace=workspace)
        self._place_name = f"{self.name}#read"
        self._seen: set[str] = set()
        self._halves: dict[str, float] = {}
        self._swept = 0.0
        kept = journal.cursor(self._place_name)
        # What is older than the workspace's first look is not news.
        self._place = _Place(time.time()) if kept is None else msgspec.json.decode(kept, type=_Place)
        if kept is None:
            self._keep_now_blocking()

    async def session(self) -> None:
        with storage_errors(self.path):
            await asyncio.to_thread(self.path.mkdir, mode=0o700, parents=True, exist_ok=True)
        _check_folder(self.path)
        await self._say_gap()
        self.connected()
        watching = asyncio.ensure_future(self._watch())
        try:
            while True:
                await self._read()
                batch = self.pending()
                if batch.events:
                    with storage_errors(self.path):
                        await asyncio.to_thread(self._write, batch)
                    await self.confirm(batch)
                    continue
                self.confirmed_to(batch.cursors)
                self.bell.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS):
                        await self.bell.wait()
        finally:
            await end_tasks([watching])
            await self.settle()

    def state_rows(self) -> dict[str, str]:
        return super().state_rows() | {self._place_name: msgspec.json.encode(self._place).decode()}

    async def _watch(self) -> None:
        """Wake the reader when something appears. Without it, the look of each second finds it."""
        try:
            async for _ in awatch(self.path, recursive=False, debounce=50, step=10):
                self.bell.set()
        except (OSError, RuntimeError) as error:
            _log.info("%s gives no notice of new files (%s); it is listed each second", self.path, error)

    async def _say_gap(self) -> None:
        away_until = time.time() - LIFE_SECONDS
        if self._place.read_until < away_until:
            await self.gap(
                "files that are older than a day are deleted, and this workspace was away for longer",
                lost_from=_moment(self._place.read_until),
                lost_to=_moment(away_until),
            )
            self._place.read_until = away_until
            await self.keep_now()

    async def _read(self) -> None:
        """Take in the files that are new."""
        began = time.time()
        found = await asyncio.to_thread(_list, self.path)
        names = {file.name for file in found}
        self._seen &= names
        self._halves = {name: since for name, since in self._halves.items() if name in names}
        fresh = [file for file in found if file.name not in self._seen and self._is_news(file)]
        texts = await asyncio.to_thread(lambda: [(file, _content(self.path / file.name)) for file in fresh])
        whole: list[tuple[bytes, bool]] = []
        taken: list[str] = []
        for file, text in texts:
            if text is None:  # deleted meanwhile
                continue
            if not _is_whole(text) and time.monotonic() - self._first_seen(file.name) < HALF_SECONDS:
                continue  # it is being written; what never becomes whole is refused in the end
            self._halves.pop(file.name, None)
            whole.append((text, False))
            taken.append(file.name)
        await self.accept_many(whole)
        await self.settle()
        self._seen.update(taken)
        if not self._halves:
            self._place.read_until = began
            if taken:
                self.keep_soon()
        if began - self._swept > _SWEEP_SECONDS:
            self._swept = began
            self.keep_soon()
            with storage_errors(self.path):
                await asyncio.to_thread(self._sweep, found)

    def _is_news(self, file: _Found) -> bool:
        """Whether a file must be read; what need not is not looked at again."""
        if file.mine and file.modified >= self._place.read_until - _OVERLAP_SECONDS and not self._is_stored(file.name):
            return True
        if not file.mine:
            _log.warning("%s belongs to another user and is not read", self.path / file.name)
        self._seen.add(file.name)
        return False

    def _is_stored(self, name: str) -> bool:
        """Whether the event that a file is named after is in the journal; short family ids do not say."""
        return self._journal.has(_id_in(name))

    def _first_seen(self, name: str) -> float:
        return self._halves.setdefault(name, time.monotonic())

    def _write(self, batch: Batch) -> None:
        for event in batch.events:
            name = _name_for(event)
            part = self.path / f".{name}.part"
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
            descriptor = os.open(part, flags, 0o600)
            try:
                os.write(descriptor, event.to_family_json())
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            part.replace(self.path / name)
        folder = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _sweep(self, found: list[_Found]) -> None:
        """Delete what is old and stored."""
        old = time.time() - LIFE_SECONDS
        for file in found:
            if file.mine and file.modified < old and self._is_stored(file.name):
                (self.path / file.name).unlink(missing_ok=True)

    def _keep_now_blocking(self) -> None:
        self._journal.set_cursors(self.state_rows()).result()


def _name_for(event: Event) -> str:
    """The file name of an event; an id that cannot stand in a name is replaced by its hash."""
    spelled = event.event_id
    if _UNSAFE.search(spelled) or len(spelled) > 100:
        spelled = hashlib.sha256(spelled.encode()).hexdigest()[:32]
    return f"{event.timestamp.astimezone():%Y%m%d_%H%M%S}_{spelled}.json"


def _id_in(name: str) -> str:
    return name.removesuffix(".json").split("_", 2)[-1]


def _list(path: Path) -> list[_Found]:
    """The event files, in order of their names, which is the order of their times."""
    found: list[_Found] = []
    with storage_errors(path), os.scandir(path) as entries:
        for entry in entries:
            if entry.name.endswith(".json") and not entry.name.startswith("."):
                with contextlib.suppress(FileNotFoundError):
                    state = entry.stat(follow_symlinks=False)
                    if stat.S_ISREG(state.st_mode):
                        found.append(_Found(entry.name, state.st_mtime, state.st_uid == os.geteuid()))
    return sorted(found, key=lambda file: file.name)


def _content(path: Path) -> bytes | None:
    """What a file holds, at most a little more than an event can have; None if it is gone."""
    try:
        with path.open("rb") as stream:
            return stream.read(_MAX_FILE)
    except FileNotFoundError:
        return None


def _is_whole(text: bytes) -> bool:
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _check_folder(path: Path) -> None:
    state = path.stat()
    if state.st_uid != os.geteuid() or state.st_mode & stat.S_IWOTH:
        raise StorageError(
            f"{path} belongs to another user or can be written by everybody",
            remedy="set JARVIS_EVENTS_DIR to a folder of your own",
        )


def _moment(seconds: float) -> str:
    return to_iso(datetime.fromtimestamp(seconds, UTC))
