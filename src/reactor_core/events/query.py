"""Questions about stored events: queries, filters, pages, counts. No I/O here.

An :class:`EventQuery` is the question, whoever answers it: every :class:`EventStore` gives the same answer to it. An
:class:`EventFilter` is the same as SQL over the journal's own table, with what only its relays and readers ask.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import msgspec

from reactor_core.errors import ConfigError
from reactor_core.events.event import Event, is_lane, to_micros
from reactor_core.events.time_range import TimeRange, parse_time_range
from reactor_core.events.vocabulary import as_event_type, as_source
from reactor_core.utils.clock import SystemClock

__all__ = [
    "EVERYTHING",
    "MAX_PAGE",
    "EventFilter",
    "EventQuery",
    "EventStore",
    "Page",
    "Summary",
    "count_by_type",
    "event_filter",
    "event_query",
    "like_pattern",
    "seq_range",
]

_clock = SystemClock()

MAX_PAGE = 10_000
"""Most events in one page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventQuery:
    """What an event must fulfil; every condition that is given must hold. Made by :func:`event_query`.

    Args:
        types: Values of event types; None for all, empty for none.
        sources: Same for sources.
        lanes: Same for priorities.
        since: Earliest timestamp, included.
        until: Latest timestamp, not included.
        text: A piece of text in data or metadata, compared without regard to the case of ASCII letters.
        trace_id: ``metadata["trace_id"]``.
        journal: Only this journal's rows. A store that holds several journals answers with each event once
            otherwise, however many journals it reached.
    """

    types: tuple[str, ...] | None = None
    sources: tuple[str, ...] | None = None
    lanes: tuple[int, ...] | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str | None = None
    trace_id: str | None = None
    journal: str | None = None


def event_query(
    types: Iterable[str] | str | None = None,
    *,
    sources: Iterable[str] | str | None = None,
    lanes: Iterable[int] | None = None,
    time_range: TimeRange = None,
    now: datetime | None = None,
    text: str | None = None,
    trace_id: str | None = None,
    journal: str | None = None,
) -> EventQuery:
    """Build a query from what people write.

    Args:
        types: Event types, as members, values or constant names; None for all, an empty list for none.
        sources: Same for sources.
        lanes: Priorities from 1 to 4; None for all.
        time_range: See :func:`parse_time_range`.
        now: The moment that "last" counts back from; None is now.
        text: See :class:`EventQuery`; an empty text is no condition.
        trace_id: See :class:`EventQuery`.
        journal: See :class:`EventQuery`.

    Raises:
        ConfigError: The time range, a lane, the text or a name cannot be used.
    """
    since, until = parse_time_range(time_range, now=now or _clock.utc_now())
    wanted_lanes = None if lanes is None else tuple(lanes)
    for lane in wanted_lanes or ():
        if not is_lane(lane):
            raise ConfigError(f"lane {lane!r} is no lane", remedy="use 1 (most urgent) to 4")
    if text is not None:
        like_pattern(text)
    return EventQuery(
        types=None if types is None else tuple(_printable("type", name) for name in _names(types, as_event_type)),
        sources=None if sources is None else tuple(_printable("source", name) for name in _names(sources, as_source)),
        lanes=wanted_lanes,
        since=since,
        until=until,
        text=text or None,
        trace_id=None if trace_id is None else _printable("trace id", trace_id),
        journal=None if journal is None else _printable("journal", journal),
    )


@dataclass(frozen=True, slots=True)
class Page:
    """One page of an answer.

    Args:
        events: In order of the store, or against it where the newest were asked for first.
        next_cursor: Where the next page begins; None when there is none now.
        resume: A cursor for what is stored after this look, always onward; on a page that another one follows, equal
            to ``next_cursor`` unless the newest were asked for first.
    """

    events: list[Event]
    next_cursor: str | None
    resume: str


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts over the events that fulfil a query.

    Args:
        total: How many.
        first: Earliest timestamp; None if there are none.
        last: Latest timestamp.
        types: Number by type, the most frequent first.
        sources: Number by source, the most frequent first.
        lanes: Number by priority, the most urgent first.
    """

    total: int
    first: datetime | None
    last: datetime | None
    types: dict[str, int]
    sources: dict[str, int]
    lanes: dict[int, int]

    @classmethod
    def of(cls, groups: Iterable[tuple[str, str, int, int, datetime, datetime]]) -> Summary:
        """Add up ``(type, source, priority, count, first, last)`` groups."""
        types: Counter[str] = Counter()
        sources: Counter[str] = Counter()
        lanes: Counter[int] = Counter()
        moments: list[datetime] = []
        for event_type, source, priority, count, first, last in groups:
            types[event_type] += count
            sources[source] += count
            lanes[priority] += count
            moments += (first, last)
        return cls(
            total=lanes.total(),
            first=min(moments, default=None),
            last=max(moments, default=None),
            types=_ranked(types),
            sources=_ranked(sources),
            lanes=dict(sorted(lanes.items())),
        )


class EventStore(Protocol):
    """Stored events, wherever they are. Any thread may call; each call waits for the disk or the network."""

    def query(self, query: EventQuery, *, limit: int = 100, cursor: str | None = None, newest: bool = False) -> Page:
        """One page of the events that fulfil ``query``, in the order in which they were stored.

        Args:
            limit: At most so many, 1 to :data:`MAX_PAGE`.
            cursor: ``next_cursor`` or ``resume`` of an earlier page; None begins at the start. The direction is the
                cursor's own.
            newest: Begin with the last one and go back.

        Raises:
            ConfigError: The limit or the cursor cannot be used.
        """
        ...

    def get(self, event_id: str) -> Event | None:
        """The event with this id; None if it is not stored."""
        ...

    def summary(self, query: EventQuery) -> Summary:
        """Counts over the events that fulfil ``query``."""
        ...

    def close(self) -> None:
        """Let go of file and connections."""
        ...


@dataclass(frozen=True, slots=True)
class EventFilter:
    """What an event must fulfil, as a WHERE clause over the journal's table and its values."""

    where: str
    values: tuple[Any, ...]


def event_filter(
    types: Iterable[str] | str | None = None,
    *,
    sources: Iterable[str] | str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    text: str | None = None,
    after_seq: int | None = None,
    before_seq: int | None = None,
    not_from: Iterable[str] = (),
    priority: int | None = None,
    lanes: Iterable[int] | None = None,
    trace_id: str | None = None,
) -> EventFilter:
    """Build a filter; every condition that is given must hold.

    Args:
        types: Event types, as members, values or constant names; None for all, an empty list for none.
        sources: Same for sources.
        since: Earliest timestamp, included.
        until: Latest timestamp, not included.
        text: A piece of text in data or metadata, compared without regard to the case of ASCII letters.
        after_seq: Positions above this one.
        before_seq: Positions below this one.
        not_from: Leave out what these relays brought.
        priority: Only this lane.
        lanes: Only these lanes.
        trace_id: ``metadata["trace_id"]``.
    """
    clauses: list[str] = []
    values: list[Any] = []
    for column, wanted in (
        ("event_type", None if types is None else _names(types, as_event_type)),
        ("source", None if sources is None else _names(sources, as_source)),
        ("priority", None if lanes is None else list(lanes)),
    ):
        if wanted is not None:
            clauses.append(f"{column} IN ({','.join('?' * len(wanted))})")
            values.extend(wanted)
    for relay in not_from:
        clauses.append("origin != ?")
        values.append(relay)
    for clause, value in (
        ("ts_us >= ?", None if since is None else to_micros(since)),
        ("ts_us < ?", None if until is None else to_micros(until)),
        ("seq > ?", after_seq),
        ("seq < ?", before_seq),
        ("priority = ?", priority),
        ("payload LIKE ? ESCAPE '~'", None if text is None else like_pattern(text)),
        # The first condition is only there because it is ten times as fast as reading every payload as JSON.
        ("instr(payload, ?) > 0", None if trace_id is None else f'"trace_id":{_spelled(trace_id)}'),
        ("json_extract(payload, '$.metadata.trace_id') = ?", trace_id),
    ):
        if value is not None:
            clauses.append(clause)
            values.append(value)
    return EventFilter(" AND ".join(clauses) or "TRUE", tuple(values))


EVERYTHING = EventFilter("TRUE", ())
"""No condition."""


def count_by_type(events: Iterable[Event]) -> dict[str, int]:
    """How many events there are of each type, the most frequent first."""
    return dict(Counter(str(event.event_type) for event in events).most_common())


def seq_range(events: Sequence[Event]) -> tuple[int, int] | None:
    """First and last journal position among committed events; None if there are none."""
    positions = [event.seq for event in events if event.seq is not None]
    return (min(positions), max(positions)) if positions else None


def _names(names: Iterable[str] | str, spell: Callable[[str], str]) -> list[str]:
    return [str(spell(name)) for name in ([names] if isinstance(names, str) else names)]


def like_pattern(text: str) -> str:
    """The text as stored JSON spells it (quotes and backslashes escaped), with LIKE's wildcards taken literally.

    The escape character is ``~``.

    Raises:
        ConfigError: The text has no UTF-8 form.
    """
    return "%" + re.sub(r"([~%_])", r"~\1", _spelled(text)[1:-1]) + "%"


def _spelled(text: str) -> str:
    try:
        return msgspec.json.encode(text).decode()
    except UnicodeEncodeError as error:
        raise ConfigError(f"text {text!r:.80} cannot be searched for: {error}") from error


def _printable(what: str, name: str) -> str:
    if not name or not name.isprintable():
        raise ConfigError(f"{what} {name!r:.80} cannot be searched for: printable characters are needed")
    return name


def _ranked(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
