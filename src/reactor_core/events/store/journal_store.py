"""A workspace's own journal as a store of events."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import apsw

from reactor_core.errors import NotFound
from reactor_core.events.event import Event, from_micros
from reactor_core.events.query import EventFilter, EventQuery, Page, Summary, event_filter
from reactor_core.events.rows import COLUMNS, read_event
from reactor_core.events.schema import connect, journal_errors
from reactor_core.events.store.cursor import Place, check_limit, page_of

__all__ = ["JournalStore"]


_NEAR = 10_000  # rows that are read in order before an index is asked; a few milliseconds


class JournalStore:
    """Reads the file of a journal on a connection of its own; writers go on meanwhile.

    An :class:`~reactor_core.events.query.EventStore`. It neither makes nor changes the file.

    Args:
        path: The journal file.
        vfs: SQLite's name of another file system layer.

    Raises:
        NotFound: There is no such file.
        JournalError: The file is no journal.
    """

    def __init__(self, path: Path, *, vfs: str | None = None) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise NotFound(f"no journal at {path}", remedy="name the workspace: REACTOR_WORKSPACE=DIR")
        self._lock = threading.Lock()
        self._db = connect(self.path, vfs=vfs, read_only=True)
        self.journal_id = str(self._rows("SELECT value FROM meta WHERE key = 'journal_id'")[0][0])

    def query(self, query: EventQuery, *, limit: int = 100, cursor: str | None = None, newest: bool = False) -> Page:
        """See :meth:`EventStore.query`."""
        check_limit(limit)
        place = None if cursor is None else Place.read(cursor, store=self.journal_id)
        newest = newest if place is None else place.newest
        first, head = self._ends()  # looked up now: what is stored after this moment belongs to a later page
        low, high = first - 1, head + 1
        if place is not None:
            low, high = (low, min(place.position, high)) if newest else (max(place.position, low), high)
        rows = self._newest_or_oldest(query, low, high, limit + 1, newest=newest)
        return page_of(
            [(row[0], read_event(row)) for row in rows], limit, store=self.journal_id, head=head, newest=newest
        )

    def get(self, event_id: str) -> Event | None:
        """See :meth:`EventStore.get`."""
        rows = self._rows(f"SELECT {COLUMNS} FROM events WHERE event_id = ?", (event_id,))  # noqa: S608
        return read_event(rows[0]) if rows else None

    def summary(self, query: EventQuery) -> Summary:
        """See :meth:`EventStore.summary`."""
        wanted = _filter(query, self.journal_id)
        rows = self._rows(
            "SELECT event_type, source, priority, count(*), min(ts_us), max(ts_us) FROM events"  # noqa: S608
            f" WHERE {wanted.where} GROUP BY 1, 2, 3",
            wanted.values,
        )
        return Summary.of((*row[:4], from_micros(row[4]), from_micros(row[5])) for row in rows)

    def data_version(self) -> int:
        """A number that changes when anybody commits to the file; costs microseconds."""
        return int(self._rows("PRAGMA data_version")[0][0])

    def close(self) -> None:
        """See :meth:`EventStore.close`."""
        with self._lock:
            # Who closes the file last writes into it what a writer that died has left beside it. That takes seconds on
            # a busy disk, and is for the next writer: a reader changes nothing.
            self._db.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, int(self._has_log()))
            self._db.close()

    def _has_log(self) -> bool:
        """Whether there are commits beside the file that may not be in it yet."""
        try:
            return self.path.with_name(f"{self.path.name}-wal").stat().st_size > 0
        except FileNotFoundError:
            return False

    def head(self) -> int:
        """Position of the last row; 0 while there is none."""
        return self._ends()[1]

    def _ends(self) -> tuple[int, int]:
        """The first position and the last; 1 and 0 while there is none."""
        statement = "SELECT coalesce((SELECT min(seq) FROM events), 1), coalesce((SELECT max(seq) FROM events), 0)"
        first, head = self._rows(statement)[0]
        return int(first), int(head)

    def _newest_or_oldest(
        self, query: EventQuery, low: int, high: int, limit: int, *, newest: bool
    ) -> list[tuple[Any, ...]]:
        """The first or the last rows between two positions.

        What is frequent is found among the nearest rows, read in their order. What is rare is found by its index, whose
        order is another one: all that it holds must be sorted, so the rows themselves are fetched afterwards.
        """
        order = "DESC" if newest else "ASC"
        border = max(low, high - 1 - _NEAR) if newest else min(high - 1, low + _NEAR)
        near, far = ((border, high), (low, border + 1)) if newest else ((low, border + 1), (border, high))
        wanted = _filter(query, self.journal_id, *near)
        rows = self._rows(
            f"SELECT {COLUMNS} FROM events NOT INDEXED WHERE {wanted.where} ORDER BY seq {order} LIMIT ?",  # noqa: S608
            (*wanted.values, limit),
        )
        if len(rows) < limit and far[0] + 1 < far[1]:
            wanted = _filter(query, self.journal_id, *far)
            rows += self._rows(
                f"SELECT {COLUMNS} FROM events WHERE seq IN"  # noqa: S608
                f" (SELECT seq FROM events WHERE {wanted.where} ORDER BY seq {order} LIMIT ?) ORDER BY seq {order}",
                (*wanted.values, limit - len(rows)),
            )
        return rows

    def _rows(self, statement: str, values: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
        with self._lock, journal_errors(self.path):
            return self._db.execute(statement, tuple(values)).fetchall()


def _filter(
    query: EventQuery, journal_id: str, after_seq: int | None = None, before_seq: int | None = None
) -> EventFilter:
    if query.journal not in (None, journal_id):
        return EventFilter("FALSE", ())
    return event_filter(
        query.types,
        sources=query.sources,
        lanes=query.lanes,
        since=query.since,
        until=query.until,
        text=query.text,
        trace_id=query.trace_id,
        after_seq=after_seq,
        before_seq=before_seq,
    )
