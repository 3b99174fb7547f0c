"""Looking back: queries to the journal and the proof that it is untouched."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import closing

from reactor_core.events.chain import ChainReport
from reactor_core.events.event import Event
from reactor_core.events.journal import Journal
from reactor_core.events.query import EventFilter, EventQuery, Page, event_filter
from reactor_core.events.store.journal_store import JournalStore
from reactor_core.events.time_range import TimeRange, parse_time_range
from reactor_core.events.vocabulary import EventSource, EventType
from reactor_core.utils.clock import SystemClock

__all__ = ["History"]

_clock = SystemClock()


class History:
    """What whoever holds a journal can ask it."""

    journal: Journal

    async def get_events_by_type(
        self,
        types: Iterable[EventType | str] | EventType | str | None,
        time_range: TimeRange = None,
        *,
        source: EventSource | str | Sequence[EventSource | str] | None = None,
        text: str | None = None,
        trace_id: str | None = None,
        after_seq: int | None = None,
        before_seq: int | None = None,
        limit: int | None = None,
        newest: bool = False,
    ) -> list[Event]:
        """Stored events of these types, oldest first, from every process of the workspace.

        Args:
            types: One type, several, or None for all.
            time_range: ``"last_24h"``, ``"last_30_days"``, ``"last_15_minutes"``, a timedelta, ``(from, to)``, or None.
            source: Only from this source, or these.
            text: Only with this text in data or metadata (ASCII letters match in either case).
            trace_id: Only with this ``metadata["trace_id"]``.
            after_seq: Only behind this position; with ``limit`` this pages through a long history.
            before_seq: Only before this position.
            limit: At most so many; None for all.
            newest: With ``limit``, the last ones instead of the first.

        Raises:
            ConfigError: The time range cannot be read.
        """
        wanted = _filter(types, time_range, source, text, trace_id, after_seq, before_seq)
        return await asyncio.to_thread(self.journal.read, wanted, limit=limit, newest=newest)

    def get_events_by_type_sync(
        self,
        types: Iterable[EventType | str] | EventType | str | None,
        time_range: TimeRange = None,
        *,
        source: EventSource | str | Sequence[EventSource | str] | None = None,
        text: str | None = None,
        trace_id: str | None = None,
        after_seq: int | None = None,
        before_seq: int | None = None,
        limit: int | None = None,
        newest: bool = False,
    ) -> list[Event]:
        """:meth:`get_events_by_type` for code without a loop."""
        wanted = _filter(types, time_range, source, text, trace_id, after_seq, before_seq)
        return self.journal.read(wanted, limit=limit, newest=newest)

    async def query(
        self, query: EventQuery, *, limit: int = 100, cursor: str | None = None, newest: bool = False
    ) -> Page:
        """One page of stored events, in the order in which they were stored.

        Args:
            query: Made by :func:`~reactor_core.events.query.event_query`.
            limit: At most so many, 1 to 10,000.
            cursor: ``next_cursor`` or ``resume`` of an earlier page; None begins at the start.
            newest: Begin with the last one and go back.

        Raises:
            ConfigError: The limit or the cursor cannot be used.
        """
        return await asyncio.to_thread(self.query_sync, query, limit=limit, cursor=cursor, newest=newest)

    def query_sync(
        self, query: EventQuery, *, limit: int = 100, cursor: str | None = None, newest: bool = False
    ) -> Page:
        """:meth:`query` for code without a loop."""
        with closing(JournalStore(self.journal.path)) as store:
            return store.query(query, limit=limit, cursor=cursor, newest=newest)

    def verify(self, *, anchor: tuple[int, str] | None = None) -> ChainReport:
        """Walk the journal's hash chain.

        Args:
            anchor: Position and head that an earlier report gave, kept elsewhere; finds rows cut off at the end too.
        """
        return self.journal.verify(anchor=anchor)


def _filter(
    types: Iterable[EventType | str] | EventType | str | None,
    time_range: TimeRange,
    source: EventSource | str | Sequence[EventSource | str] | None,
    text: str | None,
    trace_id: str | None,
    after_seq: int | None,
    before_seq: int | None,
) -> EventFilter:
    since, until = parse_time_range(time_range, now=_clock.utc_now())
    return event_filter(
        types,
        sources=source,
        since=since,
        until=until,
        text=text,
        trace_id=trace_id,
        after_seq=after_seq,
        before_seq=before_seq,
    )
