"""A Postgres that the journals of many workspaces are copied into, as a store of events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, literal, select

from reactor_core.cloud.postgres import Postgres
from reactor_core.events.event import Event, from_micros, to_micros
from reactor_core.events.query import EventQuery, Page, Summary, like_pattern
from reactor_core.events.rows import read_event
from reactor_core.events.store.copier import trace_digest
from reactor_core.events.store.cursor import Place, check_limit, page_of
from reactor_core.events.store.tables import EVENTS, JOURNALS

__all__ = ["CopiedJournal", "PostgresStore"]

_READ = tuple(
    EVENTS.c[name] for name in ("seq", "event_id", "event_type", "source", "priority", "ts_us", "payload", "origin")
)
_ASCII_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


@dataclass(frozen=True, slots=True)
class CopiedJournal:
    """How far the copy of one journal is.

    Args:
        journal_id: The journal.
        host: Machine that copied last.
        position: Its last row that is here.
        copied_at: When.
    """

    journal_id: str
    host: str
    position: int
    copied_at: datetime


class PostgresStore:
    """Reads what :class:`~reactor_core.events.store.relay.PostgresRelay` copies.

    An :class:`~reactor_core.events.query.EventStore`. The order is that of arrival here, which for the events of one
    journal is the journal's own. An event that reached several journals is shown once, as in the first that was
    copied; a query for one journal shows that journal's rows.

    Args:
        postgres: The database; :meth:`close` closes it.
    """

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres
        self._name = f"postgres:{postgres.database}"

    def query(self, query: EventQuery, *, limit: int = 100, cursor: str | None = None, newest: bool = False) -> Page:
        """See :meth:`EventStore.query`."""
        check_limit(limit)
        place = None if cursor is None else Place.read(cursor, store=self._name)
        newest = newest if place is None else place.newest
        at = EVENTS.c.position
        with self._postgres.begin() as db:
            # Looked up first: what is stored after this moment belongs to a later page. Copiers take turns, so nothing
            # can appear below this position later.
            head: int = db.execute(select(func.coalesce(func.max(at), 0))).scalar_one()
            conditions = [*_conditions(query), at <= head]
            if place is not None:
                conditions.append(at < place.position if newest else at > place.position)
            statement = select(at, *_READ).where(*conditions).order_by(at.desc() if newest else at).limit(limit + 1)
            rows = [(int(row[0]), _event(row[1:])) for row in db.execute(statement)]
        return page_of(rows, limit, store=self._name, head=head, newest=newest)

    def get(self, event_id: str) -> Event | None:
        """See :meth:`EventStore.get`."""
        if "\0" in event_id:
            return None
        with self._postgres.begin() as db:
            row = db.execute(select(*_READ).where(EVENTS.c.event_id == event_id, EVENTS.c.shown)).one_or_none()
        return None if row is None else _event(row)

    def summary(self, query: EventQuery) -> Summary:
        """See :meth:`EventStore.summary`."""
        groups = (EVENTS.c.event_type, EVENTS.c.source, EVENTS.c.priority)
        moment = EVENTS.c.ts_us
        statement = (
            select(*groups, func.count(), func.min(moment), func.max(moment))
            .where(*_conditions(query))
            .group_by(*groups)
        )
        with self._postgres.begin() as db:
            rows = db.execute(statement).all()
        return Summary.of((row[0], row[1], row[2], row[3], from_micros(row[4]), from_micros(row[5])) for row in rows)

    def journals(self) -> list[CopiedJournal]:
        """Every journal that is copied here, the last to copy first."""
        columns = (JOURNALS.c.journal_id, JOURNALS.c.host, JOURNALS.c.head_seq, JOURNALS.c.copied_at)
        with self._postgres.begin() as db:
            rows = db.execute(select(*columns).order_by(JOURNALS.c.copied_at.desc())).all()
        return [CopiedJournal(*row) for row in rows]

    def close(self) -> None:
        """See :meth:`EventStore.close`."""
        self._postgres.close()


def _event(row: Sequence[Any]) -> Event:
    *fields, payload, origin = row
    return read_event((*fields, None if payload is None else payload.encode(), origin))


def _conditions(query: EventQuery) -> list[ColumnElement[bool]]:
    events = EVENTS.c
    found: list[ColumnElement[bool]] = [events.shown if query.journal is None else events.journal_id == query.journal]
    for column, wanted in _among(query):
        found.append(column.in_(wanted))
    if query.since is not None:
        found.append(events.ts_us >= to_micros(query.since))
    if query.until is not None:
        found.append(events.ts_us < to_micros(query.until))
    if query.trace_id is not None:
        found.append(events.trace == trace_digest(query.trace_id))
    if query.text is not None:
        # In collation C only the case of ASCII letters is folded, as SQLite does it.
        pattern = like_pattern(query.text).translate(_ASCII_LOWER)
        found.append(func.lower(events.payload.collate("C")).like(literal(pattern), escape="~"))
    return found


def _among(query: EventQuery) -> Iterable[tuple[Any, tuple[Any, ...]]]:
    for column, wanted in (
        (EVENTS.c.event_type, query.types),
        (EVENTS.c.source, query.sources),
        (EVENTS.c.priority, query.lanes),
    ):
        if wanted is not None:
            yield column, wanted
