"""The hash chain over the journal, as pure functions.

For the row at position ``seq``::

    leaf(seq)  = SHA-256(0x00 || header || SHA-256(payload))        the leaf of RFC 6962, section 2.1
    link(0)    = SHA-256("reactor-journal-1" || journal id)
    link(seq)  = SHA-256(0x02 || link(seq - 1) || leaf(seq))

The header covers every stored column but the payload, whose hash stands in for it: a payload can be erased and all
proofs still hold. 0x00 and 0x01 are RFC 6962's prefixes for leaves and inner nodes; 0x02 keeps links apart from both.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass

__all__ = [
    "HEADER_FORMAT",
    "LEAF_START",
    "ChainReport",
    "extend",
    "genesis",
    "header",
    "leaf",
    "link",
    "payload_hash",
]

_FIXED = struct.Struct(">BQqB5I")
HEADER_FORMAT = 1
"""First byte of every header."""
LEAF_START = struct.Struct(">BBQqB5I").pack
"""0x00 and the numbers of a header in one go, for who reads or writes many rows."""


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What a walk over the whole journal found.

    Args:
        ok: Every row is as it was written, none is missing or added, every missing payload was erased on record.
        events: Rows that verified, counted from the first.
        head: Link of the last row that verified, 64 hex digits. Kept elsewhere, it also proves the end of the log.
        first_bad: Position of the first row that does not verify; None if all do; with ``ok=False`` the rows
            hold, but an index is damaged, so that queries can miss some.
        detail: What is wrong there, or a sentence that says all is well.
        erased: Rows whose payload was erased on record.
    """

    ok: bool
    events: int
    head: str
    first_bad: int | None
    detail: str
    erased: int = 0


def genesis(journal_id: str) -> bytes:
    """The link before the first row; it differs between journals, so rows cannot move from one to another."""
    return hashlib.sha256(b"reactor-journal-1" + journal_id.encode()).digest()


def payload_hash(payload: bytes) -> bytes:
    """SHA-256 of the stored payload."""
    return hashlib.sha256(payload).digest()


def header(
    seq: int,
    ts_us: int,
    priority: int,
    event_id: bytes,
    event_type: bytes,
    source: bytes,
    origin: bytes,
    dedup_key: bytes,
) -> bytes:
    """All columns but the payload, without ambiguity: fixed-width integers, the lengths of the texts, the texts.

    Raises:
        struct.error: A number does not fit its width, which no written row has.
    """
    lengths = (len(event_id), len(event_type), len(source), len(origin), len(dedup_key))
    fixed = _FIXED.pack(HEADER_FORMAT, seq, ts_us, priority, *lengths)
    return b"".join((fixed, event_id, event_type, source, origin, dedup_key))


def leaf(row_header: bytes, hashed_payload: bytes) -> bytes:
    """Hash of one row."""
    return hashlib.sha256(b"\x00" + row_header + hashed_payload).digest()


def link(previous: bytes, row_leaf: bytes) -> bytes:
    """Hash of the row and of everything before it."""
    return hashlib.sha256(b"\x02" + previous + row_leaf).digest()


def extend(
    previous: bytes,
    seq: int,
    ts_us: int,
    priority: int,
    event_id: str,
    event_type: str,
    source: str,
    origin: str,
    dedup_key: str,
    payload: bytes,
) -> tuple[bytes, bytes, bytes]:
    """Hashed payload, leaf and link of a new row: the functions above in one go, as each event passes here."""
    sha256 = hashlib.sha256
    hashed = sha256(payload).digest()
    one, two, three = event_id.encode(), event_type.encode(), source.encode()
    four, five = origin.encode(), dedup_key.encode()
    start = LEAF_START(0, HEADER_FORMAT, seq, ts_us, priority, len(one), len(two), len(three), len(four), len(five))
    row_leaf = sha256(start + one + two + three + four + five + hashed).digest()
    return hashed, row_leaf, sha256(b"\x02" + previous + row_leaf).digest()
