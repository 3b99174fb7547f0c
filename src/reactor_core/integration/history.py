"""Looking back: queries to the journal and the proof that it is untouched."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from reactor_core.events.chain import ChainReport
from reactor_core.events.event import Event
from reactor_core.events.journal import Journal
from reactor_core.events.query import EventFilter, event_filter
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
            after_seq: Only behind this position; with ``limit`` this pages through a long history.
            before_seq: Only before this position.
            limit: At most so many; None for all.
            newest: With ``limit``, the last ones instead of the first.

        Raises:
            ConfigError: The time range cannot be read.
        """
        wanted = _filter(types, time_range, source, text, after_seq, before_seq)
        return await asyncio.to_thread(self.journal.read, wanted, limit=limit, newest=newest)

    def get_events_by_type_sync(
        self,
        types: Iterable[EventType | str] | EventType | str | None,
        time_range: TimeRange = None,
        *,
        source: EventSource | str | Sequence[EventSource | str] | None = None,
        text: str | None = None,
        after_seq: int | None = None,
        before_seq: int | None = None,
        limit: int | None = None,
        newest: bool = False,
    ) -> list[Event]:
        """:meth:`get_events_by_type` for code without a loop."""
        wanted = _filter(types, time_range, source, text, after_seq, before_seq)
        return self.journal.read(wanted, limit=limit, newest=newest)

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
        after_seq=after_seq,
        before_seq=before_seq,
    )
