"""The one thread of a process that writes to the journal: many waiting events, one transaction, one fsync."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

import apsw

from reactor_core.errors import ConfigError, JournalClosed, JournalError, ReactorError
from reactor_core.events.dedup import DedupWindow
from reactor_core.events.event import Event
from reactor_core.events.rows import COLUMNS, INSERT, Head, read_event, read_head, row_of
from reactor_core.events.schema import connect, journal_errors, migrate

__all__ = ["MAX_BATCH", "Append", "Appended", "Writer"]

T = TypeVar("T")

MAX_BATCH = 512
"""Most events in one transaction."""
LINGER_SECONDS = 0.002
"""How long a transaction waits for companions while several publishers are active; a lone one never waits."""
_LOOK_BACK = 65_536
"""Rows that are searched at start for keys of the last minute; the deduplication window holds no more keys."""


class Appended(NamedTuple):
    """Outcome of an append: the stored event, and whether it was there before."""

    event: Event
    duplicate: bool


@dataclass(slots=True)
class Append:
    """An event on its way in.

    Args:
        minted: The id was made in this process just now, so no other row can have it.
        reply: Answered after the commit. One of an event loop is answered on that loop, in one call for all that
            were committed together.
    """

    event: Event
    payload: bytes
    origin: str
    dedup_key: str
    minted: bool
    reply: Future[Appended] | asyncio.Future[Appended]


@dataclass(slots=True)
class _Work(Generic[T]):
    call: Callable[[apsw.Connection], T]
    reply: Future[T] = field(default_factory=Future)


class Writer:
    """Owns the writing connection; its thread starts with the first append.

    Args:
        path: The journal file.
        vfs: SQLite's name of another file system layer.
        on_commit: Called on the writer's thread with the new events of each commit, in order of position.
    """

    def __init__(self, path: Path, *, vfs: str | None, on_commit: Callable[[list[Event]], None]) -> None:
        self._path = path
        self._on_commit = on_commit
        self._db = connect(path, vfs=vfs)
        self.journal_id = migrate(self._db, path)
        self._window = DedupWindow()
        self._learned = max(0, read_head(self._db, self.journal_id).seq - _LOOK_BACK)
        self._wake = threading.Condition()
        self._queue: deque[Append | _Work[Any]] = deque()
        self._want: float = 1
        self._last_batch = 0
        self._closing = False
        self._failed: JournalError | None = None
        self._thread: threading.Thread | None = None

    def append(self, item: Append) -> None:
        """Queue an event; its ``reply`` is answered after the commit.

        Raises:
            JournalClosed: After :meth:`close`.
            JournalError: An earlier write failed in a way that leaves the disk in doubt.
        """
        self._submit(item)

    def work(self, call: Callable[[apsw.Connection], T]) -> Future[T]:
        """Run ``call`` on the writing connection in a transaction of its own; what it raises undoes it."""
        item = _Work(call)
        self._submit(item)
        return item.reply

    def close(self) -> None:
        """Commit what waits, then end the thread and close the connection."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        if self._thread is not None:
            self._thread.join()
        with journal_errors(self._path):
            self._db.close()

    def _submit(self, item: Append | _Work[Any]) -> None:
        with self._wake:
            if self._failed is not None:
                raise self._failed
            if self._closing:
                raise JournalClosed(f"{self._path} is closed")
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="reactor-journal", daemon=True)
                self._thread.start()
            self._queue.append(item)
            if len(self._queue) >= self._want:
                self._wake.notify()

    def _run(self) -> None:
        while batch := self._take():
            if isinstance(batch[0], _Work):
                self._settle(batch, self._commit_work)
            else:
                self._settle(batch, self._commit_events)

    def _take(self) -> list[Any]:
        """The next transaction's items: one piece of work, or up to MAX_BATCH events. Empty when closed and done."""
        with self._wake:
            while True:
                self._wait(1, None)
                if self._last_batch > 1:
                    # Publishers that were answered together come back together: one fsync for all of them.
                    self._wait(self._last_batch, LINGER_SECONDS)
                batch = self._drain()
                self._last_batch = len(batch)
                if batch or (self._closing and not self._queue):
                    self._want = float("inf")  # nobody need wake a thread that is busy
                    return batch

    def _wait(self, want: int, timeout: float | None) -> None:
        self._want = want
        self._wake.wait_for(lambda: len(self._queue) >= want or self._closing, timeout)

    def _drain(self) -> list[Any]:
        batch: list[Any] = []
        while self._queue and len(batch) < MAX_BATCH:
            if batch and isinstance(self._queue[0], _Work):
                break
            item = self._queue.popleft()
            if _claim(item.reply):
                batch.append(item)
                if isinstance(item, _Work):
                    break
        return batch

    def _settle(self, batch: list[Any], commit: Callable[[list[Any]], list[Any]]) -> None:
        """Commit, then answer every future; a failure is answered to all, as none of the batch is stored."""
        try:
            with journal_errors(self._path):
                try:
                    results = commit(batch)
                except apsw.IOError as error:
                    # After a failed fsync the kernel may count lost pages as clean, so a retry could report as
                    # stored what is not. Nothing is acknowledged any more until the file is opened anew.
                    self._failed = JournalError(
                        f"{self._path}: writing failed ({error}); no event is accepted until the journal is reopened",
                        remedy="check the disk, then restart this process",
                    )
                    raise self._failed from error
                finally:
                    if self._db.in_transaction:
                        self._db.execute("ROLLBACK")
        except Exception as error:  # noqa: BLE001  it is raised where the event was appended, not on this thread
            results = [error] * len(batch)
        loops: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], Any]]] = {}
        for item, result in zip(batch, results, strict=True):
            if isinstance(item.reply, Future):
                _answer(item.reply, result)
            else:
                loops.setdefault(item.reply.get_loop(), []).append((item.reply, result))
        for loop, answers in loops.items():
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(_answer_all, answers)

    def _commit_work(self, batch: list[_Work[T]]) -> list[T]:
        self._db.execute("BEGIN IMMEDIATE")
        result = batch[0].call(self._db)
        self._db.execute("COMMIT")
        return [result]

    def _commit_events(self, batch: list[Append]) -> list[Appended | ReactorError]:
        self._db.execute("BEGIN IMMEDIATE")
        head = read_head(self._db, self.journal_id)
        if head.seq != self._learned:
            self._learn(head)
        rows: list[tuple[Any, ...]] = []
        fresh: list[Event] = []
        ids: dict[str, int] = {}
        keys: dict[str, int] = {}
        results: list[Appended | ReactorError] = []
        first = head.seq + 1
        for item in batch:
            earlier = keys.get(item.dedup_key) or self._window.find(item.dedup_key, _seconds(item.event))
            if earlier is None and not item.minted:
                earlier = ids.get(item.event.event_id) or self._position(item.event.event_id)
            if earlier is not None:
                stored = fresh[earlier - first] if earlier >= first else self._read(earlier)
                results.append(_same_or_taken(item, stored))
                continue
            row, head = row_of(item.event, item.payload, after=head, origin=item.origin, dedup_key=item.dedup_key)
            event = item.event.at(head.seq)
            rows.append(row)
            fresh.append(event)
            ids[event.event_id] = head.seq
            if item.dedup_key:
                keys[item.dedup_key] = head.seq
            results.append(Appended(event, duplicate=False))
        self._db.executemany(INSERT, rows)
        self._db.execute("COMMIT")
        self._learned = head.seq
        for key, seq in keys.items():
            self._window.remember(key, _seconds(fresh[seq - first]), seq)
        if fresh:
            self._on_commit(fresh)
        return results

    def _learn(self, head: Head) -> None:
        """Take over the keys that other processes, or this one's predecessor, stored since the last look."""
        for seq, ts_us, key in self._db.execute(
            "SELECT seq, ts_us, dedup_key FROM events WHERE seq > ? AND dedup_key != '' ORDER BY seq", (self._learned,)
        ):
            self._window.remember(key, ts_us / 1e6, seq)
        self._learned = head.seq

    def _position(self, event_id: str) -> int | None:
        row = self._db.execute("SELECT seq FROM events WHERE event_id = ?", (event_id,)).fetchone()
        return None if row is None else int(row[0])

    def _read(self, seq: int) -> Event:
        row = self._db.execute(f"SELECT {COLUMNS} FROM events WHERE seq = ?", (seq,)).fetchone()  # noqa: S608
        assert row is not None, "a position that was just looked up"
        return read_event(row)


def _claim(reply: Future[Any] | asyncio.Future[Any]) -> bool:
    """Whether somebody still wants it; from now on it cannot be withdrawn."""
    return reply.set_running_or_notify_cancel() if isinstance(reply, Future) else not reply.cancelled()


def _answer(future: Future[Any] | asyncio.Future[Any], result: Any) -> None:
    if isinstance(result, Exception):
        future.set_exception(result)
    else:
        future.set_result(result)


def _answer_all(answers: list[tuple[asyncio.Future[Any], Any]]) -> None:
    for waiter, result in answers:
        if not waiter.done():  # it was cancelled meanwhile
            _answer(waiter, result)


def _seconds(event: Event) -> float:
    return event.timestamp.timestamp()


def _same_or_taken(item: Append, stored: Event) -> Appended | ReactorError:
    """An id that comes again with other content is another event in disguise, and is refused."""
    if stored.event_id == item.event.event_id and (stored.event_type, stored.data) != (
        item.event.event_type,
        item.event.data,
    ):
        return ConfigError(f"event id {stored.event_id} is taken by an event with other content at {stored.seq}")
    return Appended(stored, duplicate=True)
