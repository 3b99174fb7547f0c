"""Reading the journal: one connection, any thread."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from reactor_core.events.event import Event
from reactor_core.events.query import EVERYTHING, EventFilter
from reactor_core.events.rows import COLUMNS, Head, read_event, read_head
from reactor_core.events.schema import connect, journal_errors

__all__ = ["JournalReader"]


class JournalReader:
    """A connection that only reads; its callers take turns.

    Args:
        path: The journal file, which exists.
        journal_id: The journal's id.
        vfs: SQLite's name of another file system layer.
    """

    def __init__(self, path: Path, journal_id: str, *, vfs: str | None = None) -> None:
        self._path = path
        self._journal_id = journal_id
        self._lock = threading.Lock()
        self._db = connect(path, vfs=vfs, read_only=True)

    def read(self, wanted: EventFilter = EVERYTHING, *, limit: int | None = None, newest: bool = False) -> list[Event]:
        """Stored events in order of position.

        Args:
            wanted: Made by :func:`event_filter`.
            limit: At most so many; None for all.
            newest: With ``limit``, keep the last ones instead of the first.
        """
        where = wanted.where
        values = wanted.values
        if limit is not None:
            # An index by type leaves the order to a sort: of positions, so that whole rows are not sorted.
            order = "DESC" if newest else "ASC"
            where = f"seq IN (SELECT seq FROM events WHERE {where} ORDER BY seq {order} LIMIT ?)"  # noqa: S608
            values = (*values, limit)
        rows = self._query(f"SELECT {COLUMNS} FROM events WHERE {where} ORDER BY seq", values)  # noqa: S608
        return [read_event(row) for row in rows]

    def count(self, wanted: EventFilter = EVERYTHING) -> dict[str, int]:
        """Number of stored events by type, the most frequent first."""
        rows = self._query(
            f"SELECT event_type, count(*) FROM events WHERE {wanted.where} GROUP BY 1 ORDER BY 2 DESC, 1",  # noqa: S608
            wanted.values,
        )
        return dict(rows)

    def head(self) -> Head:
        """Position and link of the last row."""
        with self._lock, journal_errors(self._path):
            return read_head(self._db, self._journal_id)

    def first_seq(self) -> int:
        """Position of the first row that is still here; of the next row while there is none."""
        rows = self._query("SELECT min(seq) FROM events", ())
        return 1 if rows[0][0] is None else int(rows[0][0])

    def waiting(self, priority: int, after_seq: int) -> int:
        """Number of events of a lane behind a position."""
        rows = self._query("SELECT count(*) FROM events WHERE priority = ? AND seq > ?", (priority, after_seq))
        return int(rows[0][0])

    def unconfirmed(self) -> list[Event]:
        """Events that a peer sent before its own commit, and that it has not sent again since."""
        statement = f"SELECT {COLUMNS} FROM events WHERE seq IN (SELECT seq FROM early) ORDER BY seq"  # noqa: S608
        rows = self._query(statement, ())
        return [read_event(row) for row in rows]

    def data_version(self) -> int:
        """A number that changes when anybody commits to the file; costs microseconds."""
        return int(self._query("PRAGMA data_version", ())[0][0])

    def cursor(self, name: str) -> str | None:
        """The value that :meth:`Journal.set_cursor` stored last under this name."""
        rows = self._query("SELECT value FROM cursors WHERE name = ?", (name,))
        return None if not rows else str(rows[0][0])

    def has(self, event_id: str) -> bool:
        """Whether an event with this id is stored."""
        return bool(self._query("SELECT 1 FROM events WHERE event_id = ?", (event_id,)))

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._db.close()

    def _query(self, statement: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        with self._lock, journal_errors(self._path):
            return self._db.execute(statement, values).fetchall()
