"""The one thread of a process that writes to the journal: many waiting events, one transaction, one fsync."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

import apsw

from reactor_core.errors import JournalClosed, JournalError, ReactorError
from reactor_core.events.commits import CommitFigures
from reactor_core.events.drafts import Append, Appended, Chunk, Entry, Many, Note, Reply, Work
from reactor_core.events.event import Event
from reactor_core.events.intake import MAX_BATCH, Intake
from reactor_core.events.metrics import Sample
from reactor_core.events.recovery import Health, delays, reopen
from reactor_core.events.schema import connect, journal_errors, migrate
from reactor_core.events.storing import Sealer, Store
from reactor_core.utils.clock import SystemClock
from reactor_core.utils.failpoints import reach

__all__ = ["MAX_BATCH", "Append", "Appended", "Sealer", "Writer"]

T = TypeVar("T")

_ILLNESSES = (apsw.IOError, apsw.FullError, apsw.BusyError, apsw.CantOpenError, apsw.ReadOnlyError, apsw.CorruptError)
"""What is wrong with the file or the disk, and not with what somebody wanted to store."""

_log = logging.getLogger(__name__)
_clock = SystemClock()


class Writer:
    """Owns the writing connection; its thread starts with the first entry.

    Events of lane 1 overtake what waits, and get a transaction of their own.

    Args:
        path: The journal file.
        vfs: SQLite's name of another file system layer.
        on_commit: Called on the writer's thread with the new events of each commit, in order of position.
        sealer: Makes what signs the rows, from the journal's id; None leaves them unsigned.
    """

    def __init__(
        self,
        path: Path,
        *,
        vfs: str | None,
        on_commit: Callable[[list[Event]], None],
        sealer: Callable[[str], Sealer] | None = None,
    ) -> None:
        self._path = path
        self._vfs = vfs
        self._on_commit = on_commit
        self._db = connect(path, vfs=vfs)
        self.journal_id = migrate(self._db, path)
        self._seal = None if sealer is None else sealer(self.journal_id)
        self._store = Store(self._db, self.journal_id, self._seal)
        self._intake = Intake()
        self._health = Health(True, _clock.utc_now())
        self._figures = CommitFigures()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._doubt: JournalError | None = None

    def append(self, item: Append) -> None:
        """Queue an event; its ``reply`` is answered after the commit.

        Raises:
            JournalClosed: After :meth:`close`.
            JournalError: An earlier write failed in a way that leaves the disk in doubt.
        """
        if self._thread is None:
            self._start()
        self._intake.put(item, urgent=item.event.priority == 1)

    def append_many(self, items: Sequence[Append], reply: Reply) -> None:
        """Queue events that are answered together, in their order; raises as :meth:`append` does."""
        if self._thread is None:
            self._start()
        if isinstance(reply, Future):
            reply.set_running_or_notify_cancel()  # what is queued here is not withdrawn
        many = Many(len(items), reply)
        urgent = [position for position, item in enumerate(items) if item.event.priority == 1]
        usual: Sequence[int] = range(len(items))
        if urgent:
            usual = [position for position, item in enumerate(items) if item.event.priority != 1]
        for positions, overtakes in ((urgent, True), (usual, False)):
            for start in range(0, len(positions), MAX_BATCH):
                some = positions[start : start + MAX_BATCH]
                self._intake.put(Chunk([items[position] for position in some], some, many), urgent=overtakes)

    def note(self, statement: str, values: Sequence[tuple[Any, ...]]) -> Future[None]:
        """Run a statement, which cannot fail by its content, in the next transaction, whatever else is in that."""
        reply: Future[None] = Future()
        self._put(Note(statement, values, reply))
        return reply

    def work(self, call: Callable[[apsw.Connection], T]) -> Future[T]:
        """Run ``call`` on the writing connection in a transaction of its own; what it raises undoes it."""
        reply: Future[T] = Future()
        self._put(Work(call, reply))
        return reply

    def store(self, item: Append) -> Event:
        """Store an event as part of the work that is running now."""
        outcome = self._store.add([item])[0]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome.event

    def health(self) -> Health:
        """Whether events are being stored."""
        return self._health

    def metrics(self) -> list[Sample]:
        """Figures of this process's commits, and of what waits for one."""
        return self._figures.samples(self._intake.waiting())

    def close(self) -> None:
        """Commit what waits, seal it, then end the thread and close the connection."""
        self._intake.end(JournalClosed(f"{self._path} is closed"))
        if self._thread is not None:
            self._thread.join()
        if self._doubt is None and self._seal is not None and self._seal.deadline() is not None:
            self._settle([], self._tail)
        try:
            self._db.close()
        except apsw.Error as error:
            # What was acknowledged is in the log; whoever opens the file next copies it into the main file.
            _log.warning("%s: closed without a checkpoint: %s", self._path, error)

    def _put(self, entry: Entry) -> None:
        if self._thread is None:
            self._start()
        self._intake.put(entry)

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="reactor-journal", daemon=True)
                thread.start()
                self._thread = thread

    def _run(self) -> None:
        try:
            self._serve()
        except BaseException as fault:
            # A fault of ours: nobody may wait for ever for a thread that is gone.
            ended = JournalError(f"{self._path}: the writing thread ended by a fault: {type(fault).__name__}: {fault}")
            self._health = Health(False, _clock.utc_now(), str(ended))
            self._intake.end(ended)
            waiting = self._intake.clear()
            self._answer(waiting, [ended] * len(waiting))
            raise

    def _serve(self) -> None:
        while True:
            batch = self._intake.take(None if self._seal is None else self._seal.deadline())
            if batch is None:
                return
            if not batch:
                self._settle(batch, self._tail)
            elif isinstance(batch[0], Work):
                self._settle(batch, self._work)
            else:
                self._settle(batch, self._events)
            if self._doubt is not None:
                self._mend(self._doubt)

    def _settle(self, batch: list[Entry], body: Callable[[list[Any]], list[Any]]) -> None:
        """One transaction; then answer everybody. A failure is answered to all, as none of the batch is stored."""
        try:
            with journal_errors(self._path):
                try:
                    results = self._transact(batch, body)
                except apsw.ConstraintError:
                    if body != self._events:
                        raise
                    # An event whose commit failed may be on disk after all, and its publisher tries again.
                    _look_up_all(batch)
                    results = self._transact(batch, body)
        except Exception as error:  # noqa: BLE001  it is raised where the event was appended, not on this thread
            if isinstance(error.__cause__, _ILLNESSES):
                self._fell_ill(error)
            self._answer(batch, [self._doubt or error] * len(batch))
        else:
            try:
                reach("journal.committed")
                self._committed()
            finally:
                self._answer(batch, results)
        reach("journal.answered")

    def _committed(self) -> None:
        if not self._health.ok:
            self._health = Health(True, _clock.utc_now())
        fresh = self._store.committed()
        if self._seal is not None:
            self._seal.committed()
        if fresh:
            self._on_commit(fresh)

    def _transact(self, batch: list[Entry], body: Callable[[list[Any]], list[Any]]) -> list[Any]:
        db = self._db
        try:
            db.execute("BEGIN IMMEDIATE")
            reach("journal.begin")
            results = body(batch)
            reach("journal.inserted")
            begun = time.perf_counter()
            db.execute("COMMIT")
            self._figures.committed(*self._store.counts(), time.perf_counter() - begun)
        except BaseException:
            if db.in_transaction:
                with contextlib.suppress(apsw.Error):  # the first error is the one that tells
                    db.execute("ROLLBACK")
            self._store.rolled_back()
            if self._seal is not None:
                self._seal.rolled_back()
            raise
        return results

    def _fell_ill(self, error: Exception) -> None:
        """Say that a write failed; after a failed read, write or fsync the disk is in doubt, too."""
        self._figures.failed += 1
        if self._health.ok or self._health.detail != str(error):
            since = _clock.utc_now() if self._health.ok else self._health.since
            self._health = Health(False, since, str(error))
        if isinstance(error.__cause__, apsw.IOError):
            self._doubt = JournalError(
                f"{self._path}: writing failed ({error.__cause__}); no event is accepted until that is mended",
                remedy="check the disk; the journal tries again by itself",
            )
            self._intake.refuse(self._doubt)

    def _mend(self, doubt: JournalError) -> None:
        """Refuse everything until the file, opened anew, can be written."""
        waiting = self._intake.clear()
        self._answer(waiting, [doubt] * len(waiting))
        _log.error("%s", doubt)
        for delay in delays():
            if self._intake.pause(delay):
                return
            try:
                self._db = reopen(self._db, self._path, vfs=self._vfs, known=self._store.known())
            except ReactorError as error:
                if str(error) != self._health.detail:
                    _log.error("%s", error)
                self._health = Health(False, self._health.since, str(error))
                continue
            self._store.rebind(self._db)
            self._doubt = None
            self._health = Health(True, _clock.utc_now())
            _log.warning("%s can be written again", self._path)
            self._intake.refuse(None)
            return

    def _events(self, batch: list[Append | Chunk | Note]) -> list[Any]:
        """Store all events of a batch at once, and give each entry its own outcome."""
        items: list[Append] = []
        for entry in batch:
            if type(entry) is Append:
                items.append(entry)
            elif type(entry) is Chunk:
                items += entry.items
        outcomes = self._store.add(items)
        if len(items) == len(batch) and not any(type(entry) is Chunk for entry in batch):
            return outcomes
        results: list[Any] = []
        done = 0
        for entry in batch:
            if type(entry) is Append:
                results.append(outcomes[done])
                done += 1
            elif type(entry) is Chunk:
                results.append(outcomes[done : done + len(entry.items)])
                done += len(entry.items)
            elif type(entry) is Note:
                self._db.executemany(entry.statement, entry.values)
                results.append(None)
        return results

    def _work(self, batch: list[Work]) -> list[Any]:
        return [batch[0].call(self._db)]

    def _tail(self, _: list[Entry]) -> list[Any]:
        assert self._seal is not None, "only a sealer has deadlines"
        self._seal.tail(self._db, self._store.head())
        return []

    def _answer(self, batch: list[Entry], results: list[Any]) -> None:
        loops: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], Any]]] = {}
        for entry, result in zip(batch, results, strict=True):
            if isinstance(entry, Chunk):
                reply, result = _gather(entry, result)
            else:
                reply = entry.reply
            if reply is None:
                continue
            if isinstance(reply, Future):
                _set(reply, result)
                continue
            loop = reply.get_loop()
            if loop in loops:
                loops[loop].append((reply, result))
            else:
                loops[loop] = [(reply, result)]
        for loop, answers in loops.items():
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(_set_all, answers)


def _look_up_all(batch: list[Entry]) -> None:
    """Take no id for new any more."""
    for entry in batch:
        for item in entry.items if isinstance(entry, Chunk) else (entry,):
            if isinstance(item, Append):
                item.minted = False


def _gather(chunk: Chunk, result: Any) -> tuple[Reply | None, Any]:
    """The answer to all of them, if this chunk was the last that they waited for."""
    many = chunk.many
    if isinstance(result, Exception):
        many.error = result
    else:
        for position, outcome in zip(chunk.positions, result, strict=True):
            many.results[position] = outcome
    many.left -= len(chunk.items)
    return (None, None) if many.left else (many.reply, many.error or many.results)


def _set(future: Reply, result: Any) -> None:
    if isinstance(result, Exception):
        future.set_exception(result)
    else:
        future.set_result(result)


def _set_all(answers: list[tuple[asyncio.Future[Any], Any]]) -> None:
    for waiter, result in answers:
        if waiter.done():  # it was cancelled meanwhile
            continue
        if isinstance(result, Exception):
            waiter.set_exception(result)
        else:
            waiter.set_result(result)
