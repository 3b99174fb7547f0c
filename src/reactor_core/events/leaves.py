"""The leaves of the tree, read back from stored rows."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

import apsw

from reactor_core.errors import ChainBroken
from reactor_core.events import chain

__all__ = ["RAW_ROWS", "Leaf", "entry_of", "read_leaves"]

# Bytes instead of text: a flipped bit can make text that is no UTF-8.
RAW_ROWS = (
    "SELECT seq, ts_us, priority, CAST(event_id AS BLOB), CAST(event_type AS BLOB), CAST(source AS BLOB),"
    " CAST(origin AS BLOB), CAST(dedup_key AS BLOB), payload_hash, chain, CAST(payload AS BLOB)"
    " FROM events WHERE seq BETWEEN ? AND ? ORDER BY seq"
)
"""Everything that is proved of a row; the first eight columns make its header."""


class Leaf(NamedTuple):
    """One row as the proofs see it: position, hash of the row, its link in the chain."""

    seq: int
    hash: bytes
    link: bytes


def entry_of(db: apsw.Connection, seq: int) -> bytes | None:
    """Header and payload hash of a row: the leaf is SHA-256 of 0x00 and these bytes. None if there is no such row."""
    row = db.execute(RAW_ROWS, (seq, seq)).fetchone()
    return None if row is None else _header(row) + bytes(row[8])


def read_leaves(db: apsw.Connection, first: int, last: int, *, after: bytes | None = None) -> Iterator[Leaf]:
    """The leaves of rows ``first`` to ``last``, positions from 1.

    Args:
        after: Link of row ``first - 1``: each row's link is checked then.

    Raises:
        ChainBroken: A row is missing or, with ``after``, does not follow from the one before it.
    """
    expected = first
    for row in db.execute(RAW_ROWS, (first, last)):
        if row[0] != expected:
            break
        leaf = chain.leaf(_header(row), row[8])
        if after is not None:
            after = chain.link(after, leaf)
            if after != row[9]:
                raise ChainBroken(f"row {row[0]} does not match the chain", seq=row[0])
        yield Leaf(row[0], leaf, row[9])
        expected += 1
    if expected <= last:
        raise ChainBroken(f"row {expected} is missing", seq=expected)


def _header(row: tuple[int, int, int, bytes, bytes, bytes, bytes, bytes, bytes, bytes, bytes | None]) -> bytes:
    try:
        return chain.header(*row[:8])
    except struct.error as error:
        raise ChainBroken(f"row {row[0]}: a number is out of range", seq=row[0]) from error
