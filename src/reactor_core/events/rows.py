"""Events as rows of the journal, and rows as events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import apsw

from reactor_core.events import chain
from reactor_core.events.drafts import Append
from reactor_core.events.event import Event, stored_event
from reactor_core.events.vocabulary import EventType, as_event_type, as_source

__all__ = ["COLUMNS", "INSERT", "PAYLOAD_ERASED", "Head", "read_event", "read_head", "row_of"]

PAYLOAD_ERASED = "payload_erased"
"""Type of the event that records an erasure: data has ``seqs`` and ``reason``."""

COLUMNS = "seq, event_id, event_type, source, priority, ts_us, CAST(payload AS BLOB), origin"
"""What :func:`read_event` needs, in its order."""

INSERT = "INSERT INTO events VALUES (?,?,?,?,?,?,?,?,?,?,?)"

_COMPACTED = EventType.JOURNAL_COMPACTED.value.encode()
_ERASED = b'{"data":{},"metadata":{"erased":true}}'


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the journal: position and link of its last row; ``seq`` is 0 while it is empty."""

    seq: int
    link: bytes


def read_head(db: apsw.Connection, journal_id: str) -> Head:
    """The last row's position and link."""
    row = db.execute("SELECT seq, chain FROM events ORDER BY seq DESC LIMIT 1").fetchone()
    return Head(0, chain.genesis(journal_id)) if row is None else Head(row[0], row[1])


def row_of(item: Append, seq: int, link: bytes) -> tuple[tuple[Any, ...], bytes, bytes]:
    """The row at a position, its leaf and its link.

    Args:
        link: Link of the row before it.
    """
    event, payload, origin, key = item.event, item.payload, item.origin, item.dedup_key
    event_id, event_type, source, priority = event.event_id, event.event_type, event.source, event.priority
    ts_us = event.micros()
    hashed, leaf, here = chain.extend(link, seq, ts_us, priority, event_id, event_type, source, origin, key, payload)
    row = (seq, event_id, event_type, source, priority, ts_us, origin, key, payload.decode(), hashed, here)
    return row, leaf, here


def read_event(row: tuple[Any, ...]) -> Event:
    """An event from :data:`COLUMNS`. Where the payload was erased, data is empty and metadata says so."""
    seq, event_id, event_type, source, priority, ts_us, payload, origin = row
    return stored_event(
        event_id,
        as_event_type(event_type),
        as_source(source),
        priority,
        _ERASED if payload is None else payload,
        ts_us,
        seq,
        origin,
    )
