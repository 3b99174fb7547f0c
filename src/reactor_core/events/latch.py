"""The kill switch as a state: once tripped it stays, over restarts and for every process, until someone clears it.

An event is over when it was handled; a halt is not. So the switch is a small file in the workspace, beside the
journal::

    {"tripped_epoch": 3, "cleared_epoch": 2, "reason": ..., "event_id": ..., "at": ..., "by": ..., "seen": [...]}

It is tripped while ``tripped_epoch`` is above ``cleared_epoch``. Each trip is one epoch more, and clearing names the
epoch that it clears, so nobody clears a halt that he has not seen. Workspaces tell each other their state whenever
they connect: a trip travels, a clearing never does. A file that cannot be read counts as tripped.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from filelock import FileLock

from reactor_core.errors import ConfigError
from reactor_core.events.doorbell import POLL_SECONDS, Doorbell, drain, wait_readable
from reactor_core.events.event import new_event
from reactor_core.events.vocabulary import EventSource, EventType
from reactor_core.utils.clock import SystemClock, to_iso
from reactor_core.utils.failpoints import reach
from reactor_core.utils.files import fsync_dir, storage_errors
from reactor_core.utils.ids import new_id

if TYPE_CHECKING:
    from reactor_core.events.journal import Journal

__all__ = ["LATCH_NAME", "Latch", "LatchState"]

_log = logging.getLogger(__name__)
_clock = SystemClock()

LATCH_NAME = "latch.json"
"""File name inside a workspace."""

LOOK_SECONDS = 1.0
"""How often a listener looks although nobody woke it."""

LOCK_SECONDS = 10.0
"""How long a change waits for another process that is changing the file."""

_REMEMBERED = 64
_HIGHEST_EPOCH = 2**53


class LatchState(msgspec.Struct, frozen=True):
    """How the switch stands.

    Attributes:
        tripped_epoch: Number of the last trip; 0 if there was none.
        cleared_epoch: Number of the last trip that was cleared.
        reason: Why it was tripped last.
        event_id: Event that tripped it; empty if none did.
        at: When it changed last, ISO 8601 in UTC.
        by: Who changed it last.
    """

    tripped_epoch: int = 0
    cleared_epoch: int = 0
    reason: str = ""
    event_id: str = ""
    at: str = ""
    by: str = ""

    @property
    def tripped(self) -> bool:
        """Whether everything has to stand still."""
        return self.tripped_epoch > self.cleared_epoch

    def as_dict(self) -> dict[str, Any]:
        """For people and programs that ask how it stands."""
        return {
            "tripped": self.tripped,
            "epoch": self.tripped_epoch,
            "reason": self.reason,
            "at": self.at,
            "by": self.by,
            "event_id": self.event_id,
        }


class _Kept(LatchState, frozen=True):
    """What the file holds: the state, and events that need not trip it again however late they come."""

    seen: tuple[str, ...] = ()


Listener = Callable[[LatchState], object]


class Latch:
    """The kill switch of one workspace. Every method may be called from any thread.

    Args:
        workspace: Folder of the file.
        journal: Where a clearing is recorded; None: this one cannot clear.
        source: Who records it.
    """

    def __init__(
        self, workspace: Path, *, journal: Journal | None = None, source: EventSource | str = EventSource.SYSTEM
    ) -> None:
        self.path = Path(workspace) / LATCH_NAME
        self._journal = journal
        self._source = source
        self._bell = Doorbell(self.path.parent, name="latch.bell")
        self._lock = threading.RLock()  # what is in memory; never held while the disk is awaited
        self._keeping = threading.Lock()
        self._changing = threading.Lock()  # the file, among the threads of this process
        self._between = FileLock(self.path.with_name("latch.lock"), timeout=LOCK_SECONDS, thread_local=False)
        self._stamp: tuple[int, ...] | None = None
        self._kept = _Kept()
        self._unwritten: list[_Kept] = []
        self._told = LatchState()
        self._listeners: tuple[Listener, ...] = ()
        self._watcher: threading.Thread | None = None
        self._closed = False

    def state(self) -> LatchState:
        """How it stands now, whichever process changed it. Costs microseconds: ask before each action."""
        with self._lock:
            return _bare(self._unwritten[-1] if self._unwritten else self._load())

    def trip(self, *, reason: str, event_id: str = "", by: str = "") -> int:
        """Halt: this process at once, the others of the workspace within milliseconds, and all that start later.

        Args:
            reason: Why, in words.
            event_id: Event that says so. The same one again, however late, is not another trip.
            by: Who did it.

        Returns:
            The epoch, to clear it with.

        Raises:
            StorageError: The file could not be written; this process is halted nevertheless.
        """
        self.trip_here(reason=reason, event_id=event_id, by=by)
        epoch = self.keep().tripped_epoch
        self.sync()
        return epoch

    def trip_here(self, *, reason: str, event_id: str = "", by: str = "") -> bool:
        """The first part of :meth:`trip`, which does not wait for the disk: halt this process and tell its listeners.

        Returns:
            False if the event has tripped it before. Otherwise call :meth:`keep` and :meth:`sync` soon.
        """
        with self._lock:
            now = self._unwritten[-1] if self._unwritten else self._load()
            if event_id and event_id in now.seen:
                return False
            self._unwritten.append(_tripped(now, _Kept(0, 0, reason, event_id, to_iso(_clock.utc_now()), by)))
        self._tell()
        return True

    def sync(self) -> None:
        """The last part of :meth:`trip`: wait until the disk has what :meth:`keep` wrote.

        Raises:
            StorageError: The disk failed; a power failure may undo the trip.
        """
        with storage_errors(self.path):
            descriptor = os.open(self.path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            fsync_dir(self.path.parent)

    def keep(self) -> LatchState:
        """The second part of :meth:`trip`: write down what was tripped here, so that other processes see it.

        Raises:
            StorageError: The file could not be written; this process stays halted.
        """

        def write(kept: _Kept) -> _Kept:
            for trip in trips:
                if not trip.event_id or trip.event_id not in kept.seen:
                    kept = _tripped(kept, trip)
            return kept

        with self._keeping:
            if trips := tuple(self._unwritten):
                self._change(write)
                with self._lock:
                    del self._unwritten[: len(trips)]
        return self.state()

    def join(self, other: LatchState | Mapping[str, Any]) -> bool:
        """Take over another workspace's state: its trip if this one does not know it, and never its clearing.

        Returns:
            Whether this one changed.

        Raises:
            ConfigError: It is no state of a latch.
            StorageError: The file could not be written.
        """
        theirs = _read_state(other)

        def write(kept: _Kept) -> _Kept:
            known = theirs.event_id in kept.seen if theirs.event_id else theirs.tripped_epoch <= kept.tripped_epoch
            if known and theirs.tripped_epoch <= kept.tripped_epoch:
                return kept
            return _tripped(kept, theirs, at_least=theirs.tripped_epoch, again=known)

        changed = theirs.tripped and self._change(write)
        self._tell()
        if changed:
            self.sync()
        return changed

    def clear(self, epoch: int, *, by: str, evidence: Mapping[str, Any]) -> LatchState:
        """End the halt, after recording who did it and on what grounds as an event of type KILL_SWITCH_CLEARED.

        Args:
            epoch: The trip that is cleared, as :meth:`state` gives it.
            by: Who clears it.
            evidence: What shows that he may, and that the cause is gone.

        Raises:
            ConfigError: It is not tripped, or was tripped again since, or this latch has no journal.
            JournalError: The clearing could not be recorded; the latch stays tripped.
            StorageError: The file could not be written; the latch stays tripped.
        """
        if self._journal is None:
            raise ConfigError("a latch without its journal cannot be cleared", remedy="use the latch of an EventBridge")
        self.keep()
        now = self.state()
        if not now.tripped or now.tripped_epoch != epoch:
            stands = f"tripped with epoch {now.tripped_epoch}" if now.tripped else "not tripped"
            raise ConfigError(f"epoch={epoch} cannot be cleared: the latch is {stands}")
        data = {"action": now.reason, "epoch": epoch, "by": by, "evidence": dict(evidence), "event_id": now.event_id}
        told, payload = new_event(self._source, EventType.KILL_SWITCH_CLEARED, data)
        self._journal.append(told, payload=payload).result()

        def write(kept: _Kept) -> _Kept:
            return msgspec.structs.replace(
                kept, cleared_epoch=max(kept.cleared_epoch, epoch), at=to_iso(_clock.utc_now()), by=by
            )

        self._change(write)
        self._tell()
        self.sync()
        return self.state()

    def listen(self, listener: Listener) -> None:
        """Call ``listener(state)`` after each change by any process, from now on.

        It runs on the thread that made the change, or on a thread that only does this, so a program whose loops are
        all blocked is halted too. It must be quick. What it raises is logged.
        """
        with self._lock:
            if not self._listeners:
                self._told = self.state()
            self._listeners = (*self._listeners, listener)
            if self._watcher is None and not self._closed:
                self._watcher = threading.Thread(target=self._watch, name="reactor-latch", daemon=True)
                self._watcher.start()

    def unlisten(self, listener: Listener) -> None:
        """Undo :meth:`listen`."""
        with self._lock:
            self._listeners = tuple(other for other in self._listeners if other != listener)

    def close(self) -> None:
        """End the thread that looks for changes. The state can still be asked."""
        with self._lock:
            self._closed = True
            watcher = self._watcher
        if watcher is not None and watcher is not threading.current_thread():
            self._bell.ring()
            watcher.join()
        self._bell.close()

    def _change(self, write: Callable[[_Kept], _Kept]) -> bool:
        """Read, change and write the file while nobody else does; returns whether it changed."""
        with storage_errors(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self._changing, self._between:
                with self._lock:
                    kept = self._load()
                changed = write(kept)
                if changed != kept:
                    self._write(changed)
        return changed != kept

    def _write(self, kept: _Kept) -> None:
        """Whole or not at all. Other processes see it before the disk has it: halting cannot wait for an fsync."""
        temporary = self.path.with_name(f".tmp-{new_id()}")
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                os.write(descriptor, msgspec.json.encode(kept))
            finally:
                os.close(descriptor)
            os.replace(temporary, self.path)
        finally:
            temporary.unlink(missing_ok=True)
        reach("latch.written")
        self._bell.ring()

    def _load(self) -> _Kept:
        try:
            found = self.path.stat()
        except FileNotFoundError:
            self._stamp, self._kept = None, _Kept()
            return self._kept
        except OSError as error:
            return _unreadable(self.path, error)
        stamp = (found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_size)
        if stamp != self._stamp:
            try:
                self._kept = msgspec.json.decode(self.path.read_bytes(), type=_Kept)
            except (OSError, msgspec.MsgspecError) as error:
                self._kept = _unreadable(self.path, error)
            self._stamp = stamp
        return self._kept

    def _tell(self) -> None:
        with self._lock:
            now = self.state()
            if now == self._told:
                return
            self._told = now
            listeners = self._listeners
        for listener in listeners:
            try:
                listener(now)
            except Exception:  # noqa: BLE001  the others must be told nevertheless
                _log.exception("a listener of the kill switch failed")

    def _watch(self) -> None:
        watched = self._bell.watch()
        try:
            while not self._closed:
                self._tell()
                if watched is None:
                    threading.Event().wait(POLL_SECONDS)
                else:
                    wait_readable(watched, LOOK_SECONDS)
                    drain(watched)
        finally:
            if watched is not None:
                os.close(watched)


def _bare(kept: _Kept) -> LatchState:
    return LatchState(kept.tripped_epoch, kept.cleared_epoch, kept.reason, kept.event_id, kept.at, kept.by)


def _tripped(kept: _Kept, trip: LatchState, *, at_least: int = 0, again: bool = False) -> _Kept:
    """One epoch further; an event that tripped it before (``again``) only raises the epoch to the other side's."""
    epoch = at_least if again else max(kept.tripped_epoch + 1, at_least)
    seen = (*(other for other in kept.seen if other != trip.event_id), trip.event_id) if trip.event_id else kept.seen
    return _Kept(epoch, kept.cleared_epoch, trip.reason, trip.event_id, trip.at, trip.by, seen[-_REMEMBERED:])


def _read_state(other: LatchState | Mapping[str, Any]) -> LatchState:
    if isinstance(other, LatchState):
        return other
    try:
        state = msgspec.convert(other, LatchState)
    except (msgspec.ValidationError, TypeError, ValueError) as error:
        raise ConfigError(f"not the state of a latch: {error}") from error
    if not (0 <= state.tripped_epoch <= _HIGHEST_EPOCH and 0 <= state.cleared_epoch <= _HIGHEST_EPOCH):
        raise ConfigError(f"not the state of a latch: epoch {max(state.tripped_epoch, state.cleared_epoch)}")
    return state


def _unreadable(path: Path, error: Exception) -> _Kept:
    _log.error("%s cannot be read (%s): everything counts as halted", path, error)
    return _Kept(1, 0, f"{path} cannot be read: {error}")
