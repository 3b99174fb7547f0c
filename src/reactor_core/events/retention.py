"""Making the journal smaller while it stays provable: erasing payloads, and pruning the oldest rows.

Rows are pruned up to a signed checkpoint. The checkpoint and the nodes of the tree stay, and an event of type
``journal_compacted`` says what was pruned, so the chain goes on from the checkpoint's link, and proofs about later
rows and between checkpoints still hold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import apsw
import msgspec

from reactor_core.errors import ConfigError, JournalError, NotFound
from reactor_core.events import chain, checkpoints, nodes
from reactor_core.events.archive import Archive, write_archive
from reactor_core.events.checkpoints import Checkpoint
from reactor_core.events.drafts import read_draft
from reactor_core.events.event import Event, new_event, to_micros
from reactor_core.events.query import EventFilter
from reactor_core.events.schema import connect, journal_errors
from reactor_core.events.vocabulary import EventSource, EventType
from reactor_core.events.writer import Writer

__all__ = ["ROWS_AT_ONCE", "CompactReport", "Retention"]

ROWS_AT_ONCE = 100_000
"""About how many rows one transaction deletes: it holds up the writers of the workspace for about a second."""
_ERASED_AT_ONCE = 10_000
_RECORDS = (EventType.PAYLOAD_ERASED.value, EventType.JOURNAL_COMPACTED.value)


@dataclass(frozen=True, slots=True)
class CompactReport:
    """What was pruned.

    Args:
        rows: Number of rows that are gone.
        until: The last of them; 0 if there never were any.
        records: The events that say so, one for each transaction.
        archive: The file that has them; None if none was asked for, or nothing was pruned.
        archive_sha256: Its hash, which the events name too.
    """

    rows: int
    until: int
    records: tuple[Event, ...] = field(default=())
    archive: Path | None = None
    archive_sha256: str | None = None


class Retention:
    """What a journal does to become smaller; made by it."""

    def __init__(self, path: Path, journal_id: str, writer: Writer, *, vfs: str | None) -> None:
        self._path = path
        self._journal_id = journal_id
        self._writer = writer
        self._vfs = vfs

    def erase(self, seqs: Sequence[int], *, reason: str, source: EventSource | str) -> Event:
        """See :meth:`Journal.erase`."""
        record, payload = new_event(source, EventType.PAYLOAD_ERASED, {"seqs": sorted(seqs), "reason": reason})
        wanted = msgspec.json.encode(sorted(set(seqs))).decode()

        def work(db: apsw.Connection) -> Event:
            db.execute("PRAGMA secure_delete = ON")
            found = db.execute(
                "SELECT count(*) FROM events WHERE seq IN (SELECT value FROM json_each(?))", (wanted,)
            ).get
            if found != len(set(seqs)):
                raise NotFound(f"{len(set(seqs)) - found} of the positions {wanted} are not in {self._path}")
            db.execute("UPDATE events SET payload = NULL WHERE seq IN (SELECT value FROM json_each(?))", (wanted,))
            return self._writer.store(read_draft(record, payload))

        event = self._writer.work(work).result()
        self._empty_log()
        return event

    def erase_matching(self, wanted: EventFilter, *, reason: str, source: EventSource | str) -> int:
        """See :meth:`Journal.erase_matching`."""
        erased = after = 0
        marks = ",".join("?" * len(_RECORDS))
        statement = (
            f"SELECT seq FROM events WHERE ({wanted.where}) AND seq > ? AND payload IS NOT NULL"  # noqa: S608
            f" AND event_type NOT IN ({marks}) ORDER BY seq LIMIT ?"
        )
        with self._reading() as db:
            until = db.execute("SELECT max(seq) FROM events").get or 0
            while True:
                values = (*wanted.values, after, *_RECORDS, _ERASED_AT_ONCE)
                seqs = [seq for (seq,) in db.execute(statement, values) if seq <= until]
                if not seqs:
                    return erased
                self.erase(seqs, reason=reason, source=source)
                erased += len(seqs)
                after = seqs[-1]

    def compact(
        self,
        *,
        keep_after_seq: int | None = None,
        before: datetime | None = None,
        archive: Path | None = None,
        force: bool = False,
    ) -> CompactReport:
        """See :meth:`Journal.compact`."""
        if (keep_after_seq is None) == (before is None):
            raise ConfigError("compact() takes either keep_after_seq or before")
        with self._reading() as db:
            first = db.execute("SELECT min(seq) FROM events").get or 1
            wanted = _last_older(db, before) if keep_after_seq is None else keep_after_seq
            until = checkpoints.at_most(db, wanted)
            if until is None or until.size < first:
                return CompactReport(0, first - 1)
            if not force:
                _refuse_unread(db, until.size)
            kept = None
            if archive is not None:
                before_first = _link_before(db, first, self._journal_id)
                kept = write_archive(db, archive, journal_id=self._journal_id, before=before_first, until=until)
        records: list[Event] = []
        rows = 0
        while (pruned := self._writer.work(self._prune(first, until.size, kept, force)).result()) is not None:
            first, count, record = pruned
            rows += count
            records.append(record)
        if kept is None:
            return CompactReport(rows, first - 1, tuple(records))
        return CompactReport(rows, first - 1, tuple(records), kept.path, kept.sha256)

    def _prune(
        self, first: int, until: int, archive: Archive | None, force: bool
    ) -> Callable[[apsw.Connection], tuple[int, int, Event] | None]:
        """One transaction: delete rows from ``first`` on, at most to ``until``; None if nothing is left to delete."""

        def work(db: apsw.Connection) -> tuple[int, int, Event] | None:
            if (db.execute("SELECT min(seq) FROM events").get or 1) != first:
                raise JournalError(f"{self._path}: somebody else pruned it at the same time", remedy="try again")
            bound = _boundary(db, first, until)
            if bound is None:
                return None
            if not force:
                _refuse_unread(db, bound.size)
            if archive is not None:
                _refuse_erased(db, bound.size, archive)
            nodes.keep_before(db, bound.size)
            # Nothing is erased here: pages that become free need not be overwritten, which would triple the time.
            db.execute("PRAGMA secure_delete = OFF")
            db.execute("DELETE FROM early WHERE seq <= ?", (bound.size,))
            count = bound.size - first + 1
            said: dict[str, Any] = {
                "first": first,
                "until": bound.size,
                "count": count,
                "link": bound.link.hex(),
                "root": bound.root.hex(),
                "archive": None if archive is None else archive.path.name,
                "archive_sha256": None if archive is None else archive.sha256,
            }
            # The record comes first: it may follow the last of the rows that go.
            record = self._writer.store(read_draft(*new_event(EventSource.SYSTEM, EventType.JOURNAL_COMPACTED, said)))
            db.execute("DELETE FROM events WHERE seq <= ?", (bound.size,))
            return bound.size + 1, count, record

        return work

    def shrink(self) -> None:
        """See :meth:`Journal.shrink`."""
        db = connect(self._path, vfs=self._vfs)
        try:
            with journal_errors(self._path):
                db.execute("VACUUM")
        finally:
            db.close()
        self._empty_log()

    def _reading(self) -> _Reading:
        return _Reading(self._path, self._vfs)

    def _empty_log(self) -> None:
        db = connect(self._path, vfs=self._vfs)
        try:
            with journal_errors(self._path):
                db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            db.close()


class _Reading:
    """A connection for the length of a block."""

    def __init__(self, path: Path, vfs: str | None) -> None:
        self._path = path
        self._db = connect(path, vfs=vfs, read_only=True)

    def __enter__(self) -> apsw.Connection:
        return self._db

    def __exit__(self, *_: object) -> None:
        self._db.close()


def _last_older(db: apsw.Connection, before: datetime | None) -> int:
    """The last row such that it and all before it are older; a clock that was set back makes it an earlier one."""
    assert before is not None, "compact() looked"
    younger = db.execute("SELECT seq FROM events WHERE ts_us >= ? ORDER BY seq LIMIT 1", (to_micros(before),)).get
    return int(younger) - 1 if younger is not None else db.execute("SELECT max(seq) FROM events").get or 0


def _boundary(db: apsw.Connection, first: int, until: int) -> Checkpoint | None:
    """The checkpoint up to which the next transaction prunes."""
    found = checkpoints.at_most(db, min(until, first - 1 + ROWS_AT_ONCE))
    if found is None or found.size < first:
        found = checkpoints.at_least(db, first)
    return None if found is None or found.size > until else found


def _link_before(db: apsw.Connection, first: int, journal_id: str) -> bytes:
    if first == 1:
        return chain.genesis(journal_id)
    found = checkpoints.at_most(db, first - 1)
    assert found is not None, "rows are pruned up to a checkpoint, and it stays"
    return found.link


def _refuse_unread(db: apsw.Connection, until: int) -> None:
    """Relays and durable handlers keep a position for each lane; names with # are private notes of a relay."""
    cursors: list[tuple[str, str]] = db.execute("SELECT name, value FROM cursors").fetchall()  # type: ignore[assignment]
    for name, value in cursors:
        kept = msgspec.json.decode(value) if "#" not in name else None
        if not isinstance(kept, dict) or kept.keys() != {"1", "2", "3", "4"}:
            continue
        for lane, seq in kept.items():
            unread = db.execute(
                "SELECT seq FROM events WHERE priority = ? AND seq > ? AND seq <= ? LIMIT 1", (int(lane), seq, until)
            ).get
            if unread is not None:
                raise JournalError(
                    f"{name} has not got the event at {unread} yet; pruning up to {until} would lose it there",
                    remedy="wait for it, keep more, or pass force=True and accept a gap event",
                )


def _refuse_erased(db: apsw.Connection, until: int, archive: Archive) -> None:
    erased = {seq for (seq,) in db.execute("SELECT seq FROM events WHERE seq <= ? AND payload IS NULL", (until,))}
    if not erased <= archive.erased:
        raise JournalError(
            f"payloads were erased while {archive.path} was written, and it still has them",
            remedy=f"delete {archive.path} and try again",
        )
