"""Events as rows of the journal, and the walk that proves that no row was touched."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw
import msgspec

from reactor_core.events import chain
from reactor_core.events.chain import ChainReport
from reactor_core.events.drafts import Append
from reactor_core.events.event import Event, stored_event
from reactor_core.events.vocabulary import EventType, as_event_type, as_source

__all__ = ["COLUMNS", "INSERT", "PAYLOAD_ERASED", "Head", "read_event", "read_head", "row_of", "verify_chain"]

PAYLOAD_ERASED = "payload_erased"
"""Type of the event that records an erasure: data has ``seqs`` and ``reason``."""

COLUMNS = "seq, event_id, event_type, source, priority, ts_us, CAST(payload AS BLOB), origin"
"""What :func:`read_event` needs, in its order."""

INSERT = "INSERT INTO events VALUES (?,?,?,?,?,?,?,?,?,?,?)"

_COMPACTED = EventType.JOURNAL_COMPACTED.value.encode()
_ERASED = b'{"data":{},"metadata":{"erased":true}}'

# Bytes instead of text: a flipped bit can make text that is no UTF-8.
_RAW_COLUMNS = (
    "seq, ts_us, priority, CAST(event_id AS BLOB), CAST(event_type AS BLOB), CAST(source AS BLOB),"
    " CAST(origin AS BLOB), CAST(dedup_key AS BLOB), CAST(payload AS BLOB), payload_hash, chain"
)


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


def verify_chain(
    db: apsw.Connection, journal_id: str, path: Path, *, anchor: tuple[int, str] | None = None
) -> ChainReport:
    """Walk all rows from the first to the last. Where the oldest were pruned on record, the walk begins behind them.

    Signed checkpoints are not looked at; :func:`~reactor_core.events.audit.verify_workspace` does that too.

    Args:
        anchor: A position and its link (hex) that were noted earlier elsewhere; the walk must meet them, so rows cut
            off behind the anchor are found too.

    Returns:
        The report; damage of any kind is a report with ``ok=False``, not an error.
    """
    previous = chain.genesis(journal_id)
    seq = 0
    missing: dict[int, None] = {}
    allowed: set[int] = set()
    pruned: tuple[int, bytes] | None = None  # where the walk begins, until the event is met that says so

    def bad(position: int, detail: str) -> ChainReport:
        return ChainReport(False, seq, previous.hex(), position, f"{path}: row {position}: {detail}", len(allowed))

    try:
        # One snapshot for the walk and the check of the indexes.
        db.execute("BEGIN")
        for row in db.execute(f"SELECT {_RAW_COLUMNS} FROM events ORDER BY seq"):  # noqa: S608  a constant
            number, ts_us, priority, *texts, payload, hashed, stored = row
            if seq == 0 and number > 1 and (link := _checkpoint_link(db, number - 1)) is not None:
                seq, previous = number - 1, link
                pruned = (seq, link)
            if number != seq + 1:
                return bad(seq + 1, f"missing, the next row is {number}")
            if payload is None:
                missing[number] = None
            elif chain.payload_hash(payload) != hashed:
                return bad(number, "the payload does not match its hash")
            try:
                row_header = chain.header(number, ts_us, priority, *texts)
            except struct.error:
                return bad(number, "a number is out of range")
            here = chain.link(previous, chain.leaf(row_header, hashed))
            if here != stored:
                return bad(number, "the row does not match the chain")
            if anchor is not None and number == anchor[0] and here.hex() != anchor[1]:
                return bad(number, "the chain does not meet the anchor; rows up to here were rewritten")
            if texts[1] == PAYLOAD_ERASED.encode() and payload is not None:
                allowed.update(msgspec.json.decode(payload)["data"].get("seqs", ()))
            if pruned is not None and texts[1] == _COMPACTED and texts[3] == b"" and payload is not None:
                said = msgspec.json.decode(payload)["data"]
                if (said.get("until"), said.get("link")) == (pruned[0], pruned[1].hex()):
                    pruned = None
            seq, previous = number, here
        indexes = db.execute("PRAGMA integrity_check(1)").get
        db.execute("COMMIT")
    except (apsw.Error, UnicodeDecodeError) as error:
        return bad(seq + 1, f"cannot be read: {error}")
    if pruned is not None:
        return bad(1, f"missing, and no event records that the rows up to {pruned[0]} were pruned")
    for number in missing:
        if number not in allowed:
            return bad(number, "the payload is gone and no event records its erasure")
    if anchor is not None and seq < anchor[0]:
        return bad(seq + 1, f"missing; the anchor says that there were {anchor[0]} rows")
    if indexes != "ok":
        return ChainReport(
            False,
            seq,
            previous.hex(),
            None,
            f"{path}: every link holds, but an index is damaged: {indexes}",
            len(missing),
        )
    return ChainReport(True, seq, previous.hex(), None, f"{seq} events, every link holds", len(missing))


def _checkpoint_link(db: apsw.Connection, size: int) -> bytes | None:
    row = db.execute("SELECT link FROM checkpoints WHERE size = ?", (size,)).fetchone()
    return None if row is None else bytes(row[0])
