"""The journal: the one file of a workspace in which every event is stored before anyone is told that it is.

SQLite through ``apsw``, write-ahead log, an fsync for each commit. Each process has one writing thread that commits
what waits as one transaction; several processes share the file and continue one hash chain.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import apsw

from reactor_core.errors import JournalClosed, JournalError
from reactor_core.events.anchors import Anchors
from reactor_core.events.audit import chain_report
from reactor_core.events.chain import ChainReport
from reactor_core.events.doorbell import Doorbell
from reactor_core.events.drafts import Appended, Draft, Outcome, Reply, read_draft
from reactor_core.events.event import Event
from reactor_core.events.metrics import Sample
from reactor_core.events.query import EVERYTHING, EventFilter
from reactor_core.events.reader import JournalReader
from reactor_core.events.recovery import Health
from reactor_core.events.retention import CompactReport, Retention
from reactor_core.events.rows import Head
from reactor_core.events.schema import JOURNAL_NAME
from reactor_core.events.seal import Sealer
from reactor_core.events.vocabulary import EventSource
from reactor_core.events.writer import Writer
from reactor_core.utils.settings import Settings, load_settings

__all__ = ["JOURNAL_NAME", "Journal"]

T = TypeVar("T")
R = TypeVar("R", bound=JournalReader)

_shared: dict[tuple[int, Path], tuple[Journal, int]] = {}
_shared_lock = threading.Lock()


class Journal:
    """An append-only, hash-chained log of events in one file.

    Every method may be called from any thread. After a fork the child opens its own.

    Args:
        path: The file; made with its folder if absent.
        vfs: SQLite's name of another file system layer; None takes the system's.
        settings: Where checkpoints are anchored; None reads the environment.

    Raises:
        ConfigError: A setting has a value that cannot be used.
        EnvironmentMissing: The SQLite in ``apsw`` is older than 3.51.3.
        JournalError: The file cannot be opened, or was made by a newer version.
        StorageFull: No space is left for the tables of a new file.
    """

    def __init__(self, path: Path, *, vfs: str | None = None, settings: Settings | None = None) -> None:
        self.path = Path(path)
        self._settings = settings or load_settings()
        self._pid = os.getpid()
        self._vfs = vfs
        self._listeners: tuple[Callable[[list[Event]], None], ...] = ()
        self.doorbell = Doorbell(self.path.parent)
        self._writer = Writer(self.path, vfs=vfs, on_commit=self._committed, sealer=self._make_sealer)
        self.journal_id = self._writer.journal_id
        self._retention = Retention(self.path, self.journal_id, self._writer, vfs=vfs)
        self._reader: JournalReader = self.open_reader()
        self._closed = False

    @classmethod
    def shared(cls, path: Path, *, settings: Settings | None = None) -> Journal:
        """The journal of this file that the whole process uses: one writing thread, however many bridges.

        It has the settings of the first of them. Give it back with :meth:`release`.
        """
        key = (os.getpid(), Path(path).absolute())
        with _shared_lock:
            journal, users = _shared.get(key) or (cls(key[1], settings=settings), 0)
            _shared[key] = (journal, users + 1)
            return journal

    def release(self) -> None:
        """Give back what :meth:`shared` lent; the last user closes it."""
        key = (self._pid, self.path)
        with _shared_lock:
            journal, users = _shared[key]
            if users > 1:
                _shared[key] = (journal, users - 1)
                return
            del _shared[key]
        journal.close()

    def append(
        self,
        event: Event,
        *,
        payload: bytes | None = None,
        origin: str = "",
        dedup_key: str | None = None,
        uncommitted: bool = False,
    ) -> Future[Appended]:
        """Store an event.

        Args:
            event: Its ``seq`` and ``origin`` are not looked at.
            payload: The event's payload bytes if they are known. Without an ``origin`` they say that the caller made
                the event with :func:`new_event`, so that its id is new; any other id is looked up.
            origin: Relay that brought it; empty for an event of this workspace.
            dedup_key: An event with the same key in the last 60 s is the same event; None compares ids only.
            uncommitted: The peer that sent it has not committed it yet (lane 1). It is noted as unconfirmed until it
                comes again without this.

        Returns:
            A future, answered after the commit is on disk with the stored event and whether it was there before.
            It raises StorageFull or JournalError if the event is not stored, and ConfigError if its id belongs to an
            event with other content. Cancelling it before the writer takes it withdraws the event.

        Raises:
            ConfigError: The event has no lane, or data without a JSON form.
            JournalClosed: After :meth:`close`.
            JournalError: An earlier write left the disk in doubt, or this is a forked child.
        """
        self._check()
        reply: Future[Appended] = Future()
        self._writer.append(read_draft(event, payload, origin, dedup_key, uncommitted, reply))
        return reply

    async def append_async(
        self,
        event: Event,
        *,
        payload: bytes | None = None,
        origin: str = "",
        dedup_key: str | None = None,
        uncommitted: bool = False,
    ) -> Appended:
        """:meth:`append` for code on a loop: the loop is called once for all events of a commit."""
        self._check()
        reply: asyncio.Future[Appended] = asyncio.get_running_loop().create_future()
        self._writer.append(read_draft(event, payload, origin, dedup_key, uncommitted, reply))
        return await reply

    def append_many(self, items: Iterable[Draft]) -> Future[list[Outcome]]:
        """Store events as one entry of the queue, which costs much less than one by one.

        Their order is kept, except that lane 1 overtakes. They are stored in transactions of at most 512.

        Returns:
            A future with one outcome for each, in their order: what :meth:`append` answers, or the ConfigError that it
            would raise. If one of the transactions fails it raises that error, and events of the others may be stored.

        Raises:
            As :meth:`append`.
        """
        reply: Future[list[Outcome]] = Future()
        self._append_many(items, reply)
        return reply

    async def append_many_async(self, items: Iterable[Draft]) -> list[Outcome]:
        """:meth:`append_many` for code on a loop."""
        reply: asyncio.Future[list[Outcome]] = asyncio.get_running_loop().create_future()
        self._append_many(items, reply)
        return await reply

    def health(self) -> Health:
        """Whether events are being stored, since when, and if not, why."""
        return self._writer.health()

    def metrics(self) -> list[Sample]:
        """Figures of this process's commits, of what waits for one, and of the checkpoints."""
        return [*self._writer.metrics(), *self._sealer.metrics(), *self._anchors.metrics()]

    def work(self, call: Callable[[apsw.Connection], T]) -> Future[T]:
        """Run ``call(connection)`` on the writing thread, in a transaction of its own.

        For state that must be as durable as the events: cursors, inbox effects, ledgers. What it raises undoes the
        transaction and reaches the future.
        """
        self._check()
        return self._writer.work(call)

    def work_with_events(self, call: Callable[[apsw.Connection], tuple[T, Sequence[Draft]]]) -> Future[T]:
        """:meth:`work` whose call also gives events, stored in the same transaction: both are there or neither."""

        def both(db: apsw.Connection) -> T:
            result, items = call(db)
            for item in items:
                self._writer.store(read_draft(item.event, item.payload, item.origin, item.dedup_key, item.uncommitted))
            return result

        return self.work(both)

    def open_reader(self, kind: type[R] = JournalReader) -> R:  # type: ignore[assignment]
        """A reading connection of its own, for who reads much or must not wait for other readers; close it."""
        return kind(self.path, self.journal_id, vfs=self._vfs)

    def read(self, wanted: EventFilter = EVERYTHING, *, limit: int | None = None, newest: bool = False) -> list[Event]:
        """Stored events in order of position; see :meth:`JournalReader.read`."""
        self._check()
        return self._reader.read(wanted, limit=limit, newest=newest)

    def count(self, wanted: EventFilter = EVERYTHING) -> dict[str, int]:
        """Number of stored events by type; see :meth:`JournalReader.count`."""
        self._check()
        return self._reader.count(wanted)

    def has(self, event_id: str) -> bool:
        """Whether an event with this id is stored."""
        self._check()
        return self._reader.has(event_id)

    def unconfirmed(self) -> list[Event]:
        """Events of peers that were sent before their commit and never confirmed; see :meth:`append`."""
        self._check()
        return self._reader.unconfirmed()

    def waiting(self, priority: int, after_seq: int) -> int:
        """Number of stored events of a lane behind a position."""
        self._check()
        return self._reader.waiting(priority, after_seq)

    def first_seq(self) -> int:
        """Position of the first row that is still here; of the next row while there is none."""
        self._check()
        return self._reader.first_seq()

    def head(self) -> Head:
        """Position and link of the last row."""
        self._check()
        return self._reader.head()

    def cursor(self, name: str) -> str | None:
        """The value that :meth:`set_cursor` stored last under this name."""
        self._check()
        return self._reader.cursor(name)

    def verify(self, *, anchor: tuple[int, str] | None = None) -> ChainReport:
        """Verify the journal on a connection of its own; see :func:`~reactor_core.events.audit.chain_report`."""
        self._check()
        return chain_report(self.path, anchor=anchor, vfs=self._vfs)

    def erase(self, seqs: list[int], *, reason: str, source: EventSource | str = EventSource.SYSTEM) -> Event:
        """Delete the payloads of some events for good; the chain still verifies.

        An event of type ``payload_erased`` that names positions and reason is stored in the same transaction. The
        bytes are overwritten in the file and the write-ahead log is emptied; copies made earlier are not reached.

        Raises:
            NotFound: A position does not exist.
            JournalError: The erasure could not be stored; nothing is erased.
        """
        self._check()
        return self._retention.erase(seqs, reason=reason, source=source)

    def erase_matching(
        self, wanted: EventFilter, *, reason: str, source: EventSource | str = EventSource.SYSTEM
    ) -> int:
        """:meth:`erase` for all events that a filter finds now; returns their number.

        Records of erasing and pruning stay. Each 10,000 events are one transaction.
        """
        self._check()
        return self._retention.erase_matching(wanted, reason=reason, source=source)

    def compact(
        self,
        *,
        keep_after_seq: int | None = None,
        before: datetime | None = None,
        archive: Path | None = None,
        force: bool = False,
    ) -> CompactReport:
        """Delete the oldest rows, up to a signed checkpoint; the rest stays provable.

        What a ``journal_compacted`` event records takes their place. An id that was pruned is forgotten: if a peer
        sends that event again, it is stored again. The space in the file is used for later events; :meth:`shrink`
        gives it back.

        Args:
            keep_after_seq: Rows behind this position stay.
            before: Or: rows stay from the first one that is not older than this moment.
            archive: New file for the pruned rows, as JSON lines with their hashes; see
                :func:`~reactor_core.events.archive.verify_archive`.
            force: Delete also what a relay or a durable handler has not got yet; it will report a gap.

        Raises:
            ConfigError: Not exactly one of the two limits is given, or the archive exists.
            JournalError: A relay or a durable handler has not got some of the rows yet, or nothing could be deleted.
            StorageError: The archive could not be written; nothing is deleted.
        """
        self._check()
        return self._retention.compact(keep_after_seq=keep_after_seq, before=before, archive=archive, force=force)

    def shrink(self) -> None:
        """Rewrite the file without the space that pruned rows left. Writers of all processes wait meanwhile."""
        self._check()
        self._retention.shrink()

    def set_cursor(self, name: str, value: str) -> Future[None]:
        """Store how far a relay has come; durable when the future is answered."""
        return self.set_cursors({name: value})

    def set_cursors(self, values: Mapping[str, str]) -> Future[None]:
        """:meth:`set_cursor` for several names at once. It costs no fsync of its own while events are stored too."""
        self._check()
        return self._writer.note(
            "INSERT INTO cursors VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", list(values.items())
        )

    def listen(self, listener: Callable[[list[Event]], None]) -> None:
        """Call ``listener`` on the writing thread with the new events of each of this process's commits.

        It must return at once and not raise. Events of other processes are not announced; see :meth:`data_version`.
        """
        self._listeners = (*self._listeners, listener)

    def unlisten(self, listener: Callable[[list[Event]], None]) -> None:
        """Undo :meth:`listen`."""
        self._listeners = tuple(other for other in self._listeners if other != listener)

    def close(self) -> None:
        """Commit what waits and close the file. Calling it again does nothing."""
        if self._closed or os.getpid() != self._pid:
            return
        self._closed = True
        with ExitStack() as ending:  # each step is taken even if one before it fails
            ending.callback(self.doorbell.close)
            ending.callback(self._reader.close)
            ending.callback(self._anchors.close)
            ending.callback(self._writer.close)

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _make_sealer(self, journal_id: str) -> Sealer:
        self._anchors = Anchors.of(journal_id, self._settings)
        self._sealer = Sealer(self.path.parent, journal_id, offer=self._anchors.offer)
        return self._sealer

    def _committed(self, events: list[Event]) -> None:
        self.doorbell.ring()
        for listener in self._listeners:
            listener(events)

    def _append_many(self, items: Iterable[Draft], reply: Reply) -> None:
        self._check()
        drafts = [read_draft(item.event, item.payload, item.origin, item.dedup_key, item.uncommitted) for item in items]
        if drafts:
            self._writer.append_many(drafts, reply)
        else:
            reply.set_result([])

    def _check(self) -> None:
        if self._closed:
            raise JournalClosed(f"{self.path} is closed")
        if os.getpid() != self._pid:
            raise JournalError(f"{self.path} was opened before a fork", remedy="open it in the child process")
