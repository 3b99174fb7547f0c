"""Time ranges as people write them: ``"last_24h"``, ``("2026-01-01T00:00:00Z", None)``."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from reactor_core.errors import ConfigError
from reactor_core.utils.clock import parse_timestamp

__all__ = ["TimeRange", "between", "parse_time_range"]

TimeRange = str | timedelta | tuple[datetime | str | None, datetime | str | None] | None
"""``"last_24h"``, ``"last_30_days"``, a timedelta back from now, ``(from, to)`` with either side None, or None: all."""

_SPAN = re.compile(r"(last_)?(\d+_?)?[a-z]+")
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


def between(since: str | None, until: str | None = None, *, now: datetime) -> TimeRange:
    """The range that a person types as two options: ``24h``, ``15_minutes``, ``last_7_days`` or an ISO text, each open.

    Args:
        since: None for all from the beginning.
        until: An ISO text; None for no end.
        now: The moment that a span counts back from, aware.

    Raises:
        ConfigError: A span cannot be read; an ISO text is looked at by :func:`parse_time_range`.
    """
    if since is None or not _SPAN.fullmatch(since):
        return (since, until)
    try:
        first, _ = parse_time_range(f"last_{since.removeprefix('last_')}", now=now)
    except ConfigError as error:
        raise ConfigError(
            f"--since {since} cannot be read", remedy="examples: 24h, 15_minutes, 30_days, 2026-01-31T12:00"
        ) from error
    return (first, until)


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
