"""Reading a store onward: what it holds, then what is added, until the reader has had enough."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from reactor_core.errors import StorageError
from reactor_core.events.event import Event
from reactor_core.events.query import EventQuery, EventStore
from reactor_core.events.store import JournalStore

__all__ = ["every", "follow", "last"]

_PAGE = 500
JOURNAL_SECONDS = 0.1
"""Pause between two looks at a journal; a look costs microseconds."""
STORE_SECONDS = 1.0
"""Pause between two looks at a Postgres."""


def every(store: EventStore, query: EventQuery, *, cursor: str | None = None) -> Iterator[Event]:
    """All events that fulfil the query, in order, a page at a time."""
    while True:
        page = store.query(query, limit=_PAGE, cursor=cursor)
        yield from page.events
        if page.next_cursor is None:
            return
        cursor = page.next_cursor


def last(store: EventStore, query: EventQuery, count: int) -> tuple[list[Event], str]:
    """The last ``count`` events in order, and a cursor for what comes after them."""
    page = store.query(query, limit=max(count, 1), newest=True)
    return page.events[::-1] if count else [], page.resume


def follow(
    store: EventStore,
    query: EventQuery,
    cursor: str,
    *,
    ended: Callable[[], bool],
    note: Callable[[str], None],
    pause: Callable[[float], None] = time.sleep,
) -> Iterator[list[Event]]:
    """Groups of events as they are added, without end; an empty group is a pause.

    Args:
        cursor: Where to begin.
        ended: Asked at each pause; true ends the iteration.
        note: Told once when the store cannot be reached, and once when it can be again.
        pause: Waits so many seconds.
    """
    seconds = JOURNAL_SECONDS if isinstance(store, JournalStore) else STORE_SECONDS
    version: int | None = None
    away = False
    while not ended():
        try:
            if isinstance(store, JournalStore):
                seen, version = version, store.data_version()
                looked = seen == version
            else:
                looked = False
            page = None if looked else store.query(query, limit=_PAGE, cursor=cursor)
        except StorageError as error:
            if not away:
                note(f"{error.message}; trying again")
            away = True
            pause(seconds)
            continue
        if away:
            note("the store answers again")
            away = False
        if page is not None:
            cursor = page.resume
            yield page.events
            if page.next_cursor is not None:
                version = None
                continue
        else:
            yield []
        pause(seconds)
