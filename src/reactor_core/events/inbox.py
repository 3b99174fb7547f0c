"""Effects that happen exactly once: stored in the transaction that stores how far their reader has come.

A handler runs at least once: a crash between its work and the note of it makes it run again. An effect that is written
into the journal's own file needs no such luck: either both are there or neither. It gets the connection, inside the
transaction, and keeps its own tables there; an authorizer keeps it off the tables that the proof rests on.
"""

from __future__ import annotations

import inspect
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import apsw

from reactor_core.errors import ConfigError, ReactorError
from reactor_core.events.bus import Bus
from reactor_core.events.event import Event
from reactor_core.events.handlers import QUIET_SECONDS, OnFailure, name_of
from reactor_core.events.journal import Journal
from reactor_core.events.progress import Progress, read_positions, write_positions
from reactor_core.utils.failpoints import reach

__all__ = ["RESERVED", "Effect", "InboxRun", "guard_tables"]

_log = logging.getLogger(__name__)

Effect = Callable[[Event, apsw.Connection], Any]
"""Takes the event and the connection of the running transaction."""

RESERVED = frozenset(
    {
        "meta", "events", "cursors", "early", "checkpoints", "tree_nodes", "confirmations", "confirmation_answers",
        "jobs", "job_events",
    }
)  # fmt: skip
"""The journal's own tables: an effect may read them, and no more."""

BATCH_EVENTS = 256
BATCH_SECONDS = 0.01
"""One transaction's share; nobody else of the workspace can store an event meanwhile."""

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 5.0

_SAVEPOINT = "reactor_effect"


class InboxRun:
    """One effect and what waits for it.

    Only committed events come. Several processes may consume under one name: each event is applied by one of them.
    An effect that raises is undone and tried again after a pause; after its last attempt the event is passed over, and
    its owner is told before that is noted.

    Args:
        effect: Runs on the journal's writing thread. Must be short, and must not use the bridge.
        progress: How far it has come, and under which name.
        types: Values of the wanted types; None for all.
        attempts: How often it is tried.
        on_failure: Told when an event was given up, before that is noted.
        on_idle: Called whenever nothing is left to do.

    Raises:
        ConfigError: There is no attempt, or the effect is a coroutine function.
    """

    def __init__(
        self,
        effect: Effect,
        progress: Progress,
        types: frozenset[str] | None,
        *,
        journal: Journal,
        bus: Bus,
        attempts: int,
        on_failure: OnFailure,
        on_idle: Callable[[], None],
    ) -> None:
        if inspect.iscoroutinefunction(effect):
            raise ConfigError(f"{progress.key}: an effect runs inside a transaction and cannot be a coroutine function")
        if attempts < 1:
            raise ConfigError(f"attempts={attempts}: at least one is needed")
        self.handler = effect
        self.name = name_of(effect)
        self.progress = progress
        self.handled = self.failed = 0
        self._journal = journal
        self._bus = bus
        self._attempts = attempts
        self._on_failure = on_failure
        self._on_idle = on_idle
        self._stopped = threading.Event()
        self._busy = False
        self._signal = threading.Event()
        self.subscription = bus.attach(types, wake=self._signal.set, after=self.progress.positions, early_again=True)
        self._worker = threading.Thread(target=self._run, name=f"reactor-{progress.key}", daemon=True)
        self._worker.start()

    def idle(self) -> bool:
        """Whether nothing waits and nothing runs."""
        return not self._busy and self.subscription.idle()

    def stop(self, deadline: float) -> None:
        """Take no further event; wait until ``deadline`` (``time.monotonic``) for the transaction that runs now."""
        self._stopped.set()
        self._bus.detach(self.subscription)
        self._signal.set()
        if threading.current_thread() is not self._worker:
            self._worker.join(max(0.0, deadline - time.monotonic()))

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._signal.clear()
            self._busy = True
            while batch := self._take():
                self._apply(batch)
            self._busy = False
            self._on_idle()
            if not self._signal.wait(QUIET_SECONDS):
                self._move_on()

    def _take(self) -> list[Event]:
        batch: list[Event] = []
        while len(batch) < BATCH_EVENTS and not self._stopped.is_set() and (event := self.subscription.pop()):
            if event.seq is not None:  # the others come again with their commit
                batch.append(event)
        return batch

    def _apply(self, batch: list[Event]) -> None:
        """Until all of the batch is applied or given up, or this is stopped."""
        tried = 0
        while batch and not self._stopped.is_set():
            try:
                done, error = self._journal.work(lambda db, batch=batch: self._in_transaction(db, batch)).result()  # type: ignore[misc]
            except ReactorError as refused:
                _log.error("%s waits, as the journal cannot be written: %s", self.progress.key, refused)
                self._stopped.wait(LONGEST_PAUSE)
                continue
            reach("inbox.committed")
            batch = batch[done:]
            if error is None:
                continue
            tried = 1 if done else tried + 1
            if tried < self._attempts:
                _log.warning("%s failed on %s, attempt %d: %r", self.progress.key, batch[0].event_id, tried, error)
                self._stopped.wait(min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (tried - 1)))
                continue
            self.failed += 1
            self._on_failure(self.name, batch[0], error)
            self._pass_over(batch[0])
            batch, tried = batch[1:], 0

    def _in_transaction(self, db: apsw.Connection, batch: list[Event]) -> tuple[int, Exception | None]:
        """Apply as many as fit into one transaction; returns how many are done, and what the next one raised."""
        positions = read_positions(db, self.progress.key)
        until = time.monotonic() + BATCH_SECONDS
        done = 0
        error: Exception | None = None
        for event in batch:
            assert event.seq is not None, "only committed events are applied"
            if event.seq > positions[event.priority]:  # else another process did it
                error = self._once(db, event)
                if error is not None:
                    break
                positions[event.priority] = event.seq
                self.handled += 1
            done += 1
            if time.monotonic() >= until:
                break
        if done:
            write_positions(db, self.progress.key, positions)
            reach("inbox.applied")
        return done, error

    def _once(self, db: apsw.Connection, event: Event) -> Exception | None:
        db.execute(f"SAVEPOINT {_SAVEPOINT}")
        db.authorizer = guard_tables
        try:
            self.handler(event, db)
        except Exception as error:  # noqa: BLE001  it is told to the owner after the last attempt
            db.authorizer = None
            db.execute(f"ROLLBACK TO {_SAVEPOINT}")
            return error
        finally:
            db.authorizer = None
            db.execute(f"RELEASE {_SAVEPOINT}")
        return None

    def _pass_over(self, event: Event) -> None:
        def move(db: apsw.Connection) -> None:
            positions = read_positions(db, self.progress.key)
            assert event.seq is not None, "only committed events are applied"
            positions[event.priority] = max(positions[event.priority], event.seq)
            write_positions(db, self.progress.key, positions)

        self._try_work(move)

    def _move_on(self) -> None:
        """While it is quiet: go past what is not of its types, so that the journal can be pruned."""
        mine = self.subscription.positions()

        def move(db: apsw.Connection) -> None:
            stored = read_positions(db, self.progress.key)
            write_positions(db, self.progress.key, {lane: max(seq, mine[lane]) for lane, seq in stored.items()})

        if mine != self.progress.positions:
            self.progress.positions = mine
            self._try_work(move)

    def _try_work(self, call: Callable[[apsw.Connection], None]) -> None:
        try:
            self._journal.work(call).result()
        except ReactorError as refused:
            _log.error("%s: how far it has come could not be noted: %s", self.progress.key, refused)


def guard_tables(operation: int, first: str | None, second: str | None, *_: object) -> int:
    """SQLite's authorizer while an effect runs: it may do what it likes with tables of its own."""
    if operation in _NEVER or (operation in _ON_FIRST and first in RESERVED):
        return apsw.SQLITE_DENY
    if operation in _ON_SECOND and second in RESERVED:
        return apsw.SQLITE_DENY
    if operation == apsw.SQLITE_SAVEPOINT and second == _SAVEPOINT:
        return apsw.SQLITE_DENY
    return apsw.SQLITE_OK


_NEVER = frozenset({apsw.SQLITE_TRANSACTION, apsw.SQLITE_PRAGMA, apsw.SQLITE_ATTACH, apsw.SQLITE_DETACH})
_ON_FIRST = frozenset({apsw.SQLITE_INSERT, apsw.SQLITE_UPDATE, apsw.SQLITE_DELETE, apsw.SQLITE_DROP_TABLE})
_ON_SECOND = frozenset(
    {
        apsw.SQLITE_ALTER_TABLE,
        apsw.SQLITE_CREATE_INDEX,
        apsw.SQLITE_DROP_INDEX,
        apsw.SQLITE_CREATE_TRIGGER,
        apsw.SQLITE_DROP_TRIGGER,
        apsw.SQLITE_CREATE_TEMP_TRIGGER,
    }
)
