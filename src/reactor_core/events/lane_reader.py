"""Reading the journal lane by lane, in steps that are short however long the backlog is."""

from __future__ import annotations

from reactor_core.events.event import Event
from reactor_core.events.reader import JournalReader
from reactor_core.events.rows import COLUMNS, read_event
from reactor_core.events.schema import journal_errors

__all__ = ["LaneReader"]

_WINDOW = 2048
"""Rows of a lane that are searched at once for types that may be rare."""


class LaneReader(JournalReader):
    """A reading connection for the bus; see :class:`JournalReader`."""

    def read_lane(
        self, lane: int, *, after: int, until: int, types: frozenset[str] | None, events: int, size: int
    ) -> tuple[list[Event], int]:
        """Events of one lane in order of position.

        Args:
            after: Position behind which to begin.
            until: Last position.
            types: Only these; None for all.
            events: At most so many.
            size: Stop when the payloads have so many bytes together.

        Returns:
            The events, and the position up to which all are among them.
        """
        where = "priority = ? AND seq > ? AND seq <= ?"
        with self._lock, journal_errors(self._path):
            if types is not None:
                # A type that is rare in a long lane must not hold up everything else while it is searched.
                last = self._db.execute(
                    f"SELECT seq FROM events WHERE {where} ORDER BY seq LIMIT 1 OFFSET ?",  # noqa: S608  no user text
                    (lane, after, until, _WINDOW - 1),
                ).get
                until = until if last is None else last
            return self._read(where, (lane, after, until), until, types, events, size)

    def read_next(self, *, after: int, events: int) -> list[Event]:
        """Events of all lanes behind a position, at most so many: all there is to read where little was written."""
        rows = self._query(f"SELECT {COLUMNS} FROM events WHERE seq > ? ORDER BY seq LIMIT ?", (after, events))  # noqa: S608
        return [read_event(row) for row in rows]

    def read_urgent(self, *, after: int, events: int) -> list[Event]:
        """Events of lane 1 behind a position, at most so many."""
        rows = self._query(
            f"SELECT {COLUMNS} FROM events WHERE priority = 1 AND seq > ? ORDER BY seq LIMIT ?",  # noqa: S608
            (after, events),
        )
        return [read_event(row) for row in rows]

    def read_rest(
        self, *, after: int, until: int, types: frozenset[str] | None, events: int, size: int
    ) -> tuple[list[Event], int]:
        """Events of the lanes 2 to 4, as :meth:`read_lane`."""
        with self._lock, journal_errors(self._path):
            # The plus keeps SQLite from using the index of the lanes, which would make it sort.
            where = "+priority > 1 AND seq > ? AND seq <= ?"
            return self._read(where, (after, until), until, types, events, size)

    def _read(
        self, where: str, values: tuple[int, ...], until: int, types: frozenset[str] | None, events: int, size: int
    ) -> tuple[list[Event], int]:
        """Row by row, so that a few large events end it early."""
        names = () if types is None else tuple(types)
        typed = "" if types is None else f" AND +event_type IN ({','.join('?' * len(names))})"
        read: list[Event] = []
        for row in self._db.execute(
            f"SELECT {COLUMNS} FROM events WHERE {where}{typed} ORDER BY seq LIMIT ?",  # noqa: S608  no user text
            (*values, *names, events),
        ):
            event = read_event(row)
            read.append(event)
            size -= len(event.payload())
            if size <= 0 or len(read) == events:
                assert event.seq is not None, "rows have a position"
                return read, event.seq
        return read, until
