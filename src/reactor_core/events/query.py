"""Questions to the journal: time ranges, filters, counts. No I/O here; the journal runs what this builds."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from reactor_core.errors import ConfigError
from reactor_core.events.event import Event, to_micros
from reactor_core.events.vocabulary import as_event_type, as_source
from reactor_core.utils.clock import parse_timestamp

__all__ = ["EVERYTHING", "EventFilter", "TimeRange", "count_by_type", "event_filter", "parse_time_range", "seq_range"]

TimeRange = str | timedelta | tuple[datetime | str | None, datetime | str | None] | None
"""``"last_24h"``, ``"last_30_days"``, a timedelta back from now, ``(from, to)`` with either side None, or None: all."""

_LAST = re.compile(r"last_(\d{1,9})_?([a-z]+)")
_UNITS = {
    **dict.fromkeys(("s", "sec", "second", "seconds"), timedelta(seconds=1)),
    **dict.fromkeys(("m", "min", "minute", "minutes"), timedelta(minutes=1)),
    **dict.fromkeys(("h", "hour", "hours"), timedelta(hours=1)),
    **dict.fromkeys(("d", "day", "days"), timedelta(days=1)),
    **dict.fromkeys(("w", "week", "weeks"), timedelta(weeks=1)),
}


def parse_time_range(time_range: TimeRange, *, now: datetime) -> tuple[datetime | None, datetime | None]:
    """Read a time range as ``(from, to)``: from is included, to is not, None is open.

    ``last_<n>_<unit>`` and ``last_<n><unit>`` take seconds, minutes, hours, days and weeks, in full or as s, m, h, d,
    w; ``last_hour``, ``last_day`` and the like mean one. A month has no fixed length and is not a unit.
    ISO texts and datetimes without a zone are local time.

    Args:
        now: The moment that "last" counts back from, aware.

    Raises:
        ConfigError: The range cannot be read, reaches before the year 1, or ends before it begins.
    """
    if time_range is None:
        return None, None
    if isinstance(time_range, str):
        return _back(_span(time_range), now, time_range), None
    if isinstance(time_range, timedelta):
        return _back(time_range, now, time_range), None
    try:
        first, last = time_range
    except (TypeError, ValueError) as error:
        raise _unreadable(time_range) from error
    since, until = _moment(first), _moment(last)
    if since is not None and until is not None and until < since:
        raise ConfigError(f"time_range={time_range!r} ends before it begins")
    return since, until


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
    """
    clauses: list[str] = []
    values: list[Any] = []
    for column, names in (("event_type", _names(types, as_event_type)), ("source", _names(sources, as_source))):
        if names is not None:
            clauses.append(f"{column} IN ({','.join('?' * len(names))})")
            values.extend(names)
    for relay in not_from:
        clauses.append("origin != ?")
        values.append(relay)
    for clause, value in (
        ("ts_us >= ?", None if since is None else to_micros(since)),
        ("ts_us < ?", None if until is None else to_micros(until)),
        ("seq > ?", after_seq),
        ("seq < ?", before_seq),
        ("priority = ?", priority),
        ("payload LIKE ? ESCAPE '~'", None if text is None else _like(text)),
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


def _names(names: Iterable[str] | str | None, spell: Callable[[str], str]) -> list[str] | None:
    if names is None:
        return None
    return [str(spell(name)) for name in ([names] if isinstance(names, str) else names)]


def _like(text: str) -> str:
    """The text as stored JSON spells it (quotes and backslashes escaped), with LIKE's wildcards taken literally."""
    stored = msgspec.json.encode(text).decode()[1:-1]
    return "%" + re.sub(r"([~%_])", r"~\1", stored) + "%"


def _span(text: str) -> timedelta:
    single = text.removeprefix("last_")
    if text.startswith("last_") and single in ("second", "minute", "hour", "day", "week"):
        return _UNITS[single]
    match = _LAST.fullmatch(text)
    if match is None or match[2] not in _UNITS:
        raise _unreadable(text)
    try:
        return int(match[1]) * _UNITS[match[2]]
    except OverflowError as error:
        raise _unreadable(text) from error


def _back(span: timedelta, now: datetime, given: object) -> datetime:
    if span < timedelta(0):
        raise _unreadable(given)
    try:
        return now - span
    except OverflowError as error:
        raise _unreadable(given) from error


def _moment(value: datetime | str | None) -> datetime | None:
    if value is None:
        return None
    try:
        return parse_timestamp(value) if isinstance(value, str) else value.astimezone(UTC)
    except (AttributeError, ValueError, OverflowError) as error:
        raise _unreadable(value) from error


def _unreadable(given: object) -> ConfigError:
    return ConfigError(
        f"time_range={given!r} cannot be read",
        remedy='examples: "last_24h", "last_30_days", "last_15_minutes", (from, to) with ISO texts or datetimes',
    )
