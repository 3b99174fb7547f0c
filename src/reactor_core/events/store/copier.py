"""Copying a journal into a Postgres, row by row as it stands, with the columns that prove it.

Every step is a transaction that can come again: a row that is there stays as it is. Copiers of one database take turns
(an advisory lock until the commit), so the order of arrival is the order in which rows become visible, and who reads
onward from a position misses none.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, text

from reactor_core.cloud.postgres import Postgres
from reactor_core.errors import JournalError, StorageError
from reactor_core.events.event import decode_payload
from reactor_core.events.rows import PAYLOAD_ERASED
from reactor_core.events.schema import connect, journal_errors
from reactor_core.events.store.schema import upgrade
from reactor_core.utils.failpoints import reach

__all__ = ["Copied", "Copier", "trace_digest"]

MAX_ROWS = 1000
"""Most rows in one transaction."""
MAX_BYTES = 4 << 20
"""Payload bytes after which a transaction takes no more rows."""

_COPY_LOCK = 0x7265_6163_746F_7202

_READ = (
    "SELECT seq, event_id, event_type, source, priority, ts_us, origin, dedup_key, payload, payload_hash, chain"
    " FROM events WHERE seq > ? ORDER BY seq"
)

_COLUMNS = "seq, event_id, event_type, source, priority, ts_us, origin, dedup_key, payload, payload_hash, chain, trace"
_TYPES = ("int8", "text", "text", "text", "int2", "int8", "text", "bytea", "text", "bytea", "bytea", "bytea")
# Rows arrive by COPY in a table of this connection: five times as fast as parameters.
_STAGE = text(
    """
    CREATE TEMPORARY TABLE IF NOT EXISTS reactor_incoming (
        seq bigint, event_id text, event_type text, source text, priority smallint, ts_us bigint, origin text,
        dedup_key bytea, payload text, payload_hash bytea, chain bytea, trace bytea
    ) ON COMMIT DELETE ROWS
    """
)
_COPY = f"COPY reactor_incoming ({_COLUMNS}) FROM STDIN (FORMAT BINARY)"
_INSERT = text(
    f"""
    INSERT INTO reactor_events (journal_id, shown, {_COLUMNS})
    SELECT :journal, NOT EXISTS (SELECT FROM reactor_events e WHERE e.event_id = new.event_id AND e.shown), {_COLUMNS}
    FROM reactor_incoming new ORDER BY seq
    ON CONFLICT (journal_id, seq) DO NOTHING
    """  # noqa: S608  constants
)
_DIFFERENT = text(
    """
    SELECT min(e.seq) FROM reactor_events e JOIN reactor_incoming new ON e.seq = new.seq
    WHERE e.journal_id = :journal AND e.chain <> new.chain
    """
)
_HEAD = text("SELECT head_seq, head_chain FROM reactor_journals WHERE journal_id = :journal")
_ENTER = text(
    "INSERT INTO reactor_journals VALUES (:journal, :host, 0, ''::bytea, now()) ON CONFLICT (journal_id) DO NOTHING"
)
_ADVANCE = text(
    """
    UPDATE reactor_journals SET host = :host, copied_at = now(), head_seq = :seq, head_chain = :chain
    WHERE journal_id = :journal AND head_seq < :seq
    """
)
_ERASE = text(
    """
    UPDATE reactor_events SET payload = NULL, trace = NULL
    WHERE journal_id = :journal AND seq = ANY (CAST(:seqs AS bigint[])) AND payload IS NOT NULL
    """
)


@dataclass(frozen=True, slots=True)
class Copied:
    """One step.

    Args:
        rows: Rows that were read; 0 when the copy is complete.
        position: Where the copy stands now.
        lost: First and last position that the journal had dropped before they could be copied.
    """

    rows: int
    position: int
    lost: tuple[int, int] | None = None


class Copier:
    """Copies one journal into one database. Blocking; one thread at a time.

    Args:
        path: The journal file.
        journal_id: The journal.
        postgres: The database, whose tables are brought up to date first.

    Raises:
        StorageError: The database cannot be reached, or holds another history of this journal.
    """

    def __init__(self, path: Path, journal_id: str, postgres: Postgres) -> None:
        self._path = path
        self._journal_id = journal_id
        self._postgres = postgres
        upgrade(postgres)
        with postgres.begin() as db:
            db.execute(_ENTER, {"journal": journal_id, "host": platform.node()})
            head = db.execute(_HEAD, {"journal": journal_id}).one()
        self.position: int = head.head_seq
        self._db = connect(path, read_only=True)
        self._check(bytes(head.head_chain))

    def step(self) -> Copied:
        """Copy the next rows in one transaction.

        Raises:
            StorageError: The database cannot be reached, or holds another history of this journal.
            JournalError: The journal cannot be read.
        """
        rows = self._next()
        if not rows:
            return Copied(0, self.position)
        first, last = rows[0][0], rows[-1][0]
        lost = (self.position + 1, first - 1) if first > self.position + 1 else None
        with self._postgres.begin() as db:
            db.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _COPY_LOCK})
            self._insert(db, rows)
            if erased := self._erased(rows):
                db.execute(_ERASE, {"journal": self._journal_id, "seqs": erased})
            db.execute(
                _ADVANCE,
                {"journal": self._journal_id, "host": platform.node(), "seq": last, "chain": rows[-1][-1]},
            )
        reach("relay.sent")
        self.position = last
        return Copied(len(rows), last, lost)

    def close(self) -> None:
        """Close the journal; the database stays open."""
        self._db.close()

    def _check(self, link: bytes) -> None:
        """That the journal still holds the row where the copy stands: its file may have been put back to an older
        state, and what it wrote since then would collide with what is here."""
        if self.position == 0:
            return
        with journal_errors(self._path):
            row = self._db.execute("SELECT chain FROM events WHERE seq = ?", (self.position,)).fetchone()
            first = self._db.execute("SELECT min(seq) FROM events").get
        if row is None and first is not None and first > self.position:
            return  # dropped by compaction after it was copied
        if row is None or row[0] != link:
            self._db.close()
            raise self._forked(self.position)

    def _next(self) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = []
        size = 0
        try:
            with journal_errors(self._path):
                for row in self._db.execute(_READ, (self.position,)):
                    rows.append(row)
                    size += len(row[8] or "")
                    if len(rows) == MAX_ROWS or size >= MAX_BYTES:
                        break
        except UnicodeDecodeError as error:
            raise JournalError(
                f"{self._path}: a row after {self.position + len(rows)} is damaged: {error}",
                remedy="reactor audit verify",
            ) from error
        return rows

    def _insert(self, db: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        db.execute(_STAGE)
        driver: Any = db.connection.driver_connection
        with driver.cursor() as cursor, cursor.copy(_COPY) as copy:
            copy.set_types(_TYPES)
            for row in rows:
                copy.write_row((*row[:7], row[7].encode(), *row[8:], _trace(row[8])))
        added = db.execute(_INSERT, {"journal": self._journal_id}).rowcount
        if added < len(rows):
            other = db.execute(_DIFFERENT, {"journal": self._journal_id}).scalar()
            if other is not None:
                raise self._forked(other)

    def _erased(self, rows: Sequence[tuple[Any, ...]]) -> list[int]:
        """Positions whose payload an event of this very journal says is erased, and which have none there now."""
        named: set[int] = set()
        for row in rows:
            if row[2] == PAYLOAD_ERASED and row[6] == "" and row[8] is not None:
                seqs = decode_payload(row[8])[0].get("seqs")
                named.update(seq for seq in seqs if isinstance(seq, int)) if isinstance(seqs, list) else None
        if not named:
            return []
        wanted = msgspec.json.encode(sorted(named)).decode()
        with journal_errors(self._path):
            kept = self._db.execute(
                "SELECT seq FROM events WHERE payload IS NOT NULL AND seq IN (SELECT value FROM json_each(?))",
                (wanted,),
            ).fetchall()
        return sorted(named - {seq for (seq,) in kept})

    def _forked(self, seq: int) -> StorageError:
        return StorageError(
            f"{self._postgres.name} holds another history of journal {self._journal_id} from position {seq}: the file"
            f" {self._path} was put back to an older state, or copied and written in both places",
            remedy="publish from a new workspace; what is in the store stays as it is",
        )


def trace_digest(trace_id: str) -> bytes:
    """What the store keeps of a trace id: any length, any characters."""
    return hashlib.sha256(trace_id.encode()).digest()


def _trace(payload: str | None) -> bytes | None:
    if payload is None or '"trace_id"' not in payload:
        return None
    trace_id = decode_payload(payload)[1].get("trace_id")
    return trace_digest(trace_id) if isinstance(trace_id, str) else None
