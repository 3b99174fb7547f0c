"""The signed checkpoints that a journal keeps of itself: a table, one row each.

Old ones are thinned out: the newest :data:`KEEP` stay, of the others the last of each hour. Any size between can be
proved from the rows and nodes; what a checkpoint adds is a signed statement about a moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import apsw

from reactor_core.events import tree
from reactor_core.events.note import NoteError, Statement, Verifier, open_note, origin_of, read_checkpoint

__all__ = [
    "KEEP",
    "Checkpoint",
    "all_checkpoints",
    "at_least",
    "at_most",
    "check",
    "insert",
    "newest",
    "open_statement",
    "thin",
]

KEEP = 256
"""Newest checkpoints that are all kept."""

_HOUR_US = 3_600_000_000
_PRUNED = "pruned"  # key in meta: the checkpoint behind which the rows begin, known before they are deleted
_COLUMNS = "SELECT size, made_us, root, link, peaks, note FROM checkpoints"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One row of the table.

    Args:
        size: Rows that it covers.
        made_us: When it was signed.
        root: Root of the tree over them.
        link: Link of the last of them.
        peaks: The tree's peaks, the largest first, 32 bytes each in a row.
        note: The signed text, which says all of this but the peaks.
    """

    size: int
    made_us: int
    root: bytes
    link: bytes
    peaks: bytes
    note: str

    def peak_list(self) -> list[bytes]:
        """The peaks one by one."""
        return [self.peaks[start : start + 32] for start in range(0, len(self.peaks), 32)]


def newest(db: apsw.Connection) -> Checkpoint | None:
    """The checkpoint of the largest size."""
    row = db.execute(f"{_COLUMNS} ORDER BY size DESC LIMIT 1").fetchone()
    return None if row is None else Checkpoint(*row)


def at_most(db: apsw.Connection, size: int) -> Checkpoint | None:
    """The largest checkpoint that covers no row behind ``size``."""
    row = db.execute(f"{_COLUMNS} WHERE size <= ? ORDER BY size DESC LIMIT 1", (size,)).fetchone()
    return None if row is None else Checkpoint(*row)


def at_least(db: apsw.Connection, size: int) -> Checkpoint | None:
    """The smallest checkpoint that covers row ``size``."""
    row = db.execute(f"{_COLUMNS} WHERE size >= ? ORDER BY size LIMIT 1", (size,)).fetchone()
    return None if row is None else Checkpoint(*row)


def all_checkpoints(db: apsw.Connection, after: int = 0) -> Iterator[Checkpoint]:
    """The checkpoints behind a size, in order; bytes that are no text come as replaced text, so that none is hidden."""
    statement = _COLUMNS.replace("note", "CAST(note AS BLOB)") + " WHERE size > ? ORDER BY size"
    for size, made_us, root, link, peaks, note in db.execute(statement, (after,)):
        yield Checkpoint(size, made_us, root, link, peaks, note.decode(errors="replace"))


def insert(db: apsw.Connection, checkpoint: Checkpoint) -> None:
    """Store a checkpoint in the caller's transaction; one of the same size, which does not hold, is replaced."""
    db.execute(
        "INSERT OR REPLACE INTO checkpoints VALUES (?, ?, ?, ?, ?, ?)",
        (checkpoint.size, checkpoint.made_us, checkpoint.root, checkpoint.link, checkpoint.peaks, checkpoint.note),
    )


def open_statement(note: str, journal_id: str, keys: Iterable[Verifier]) -> Statement:
    """What a note of this journal states.

    Raises:
        NoteError: No key of the journal signed it, or it is about another journal.
    """
    text, key = open_note(note, keys)
    statement = read_checkpoint(text)
    if statement.journal_id != journal_id or key.name != origin_of(journal_id):
        raise NoteError(f"a checkpoint of another journal, {statement.journal_id}")
    return statement


def check(checkpoint: Checkpoint, journal_id: str, keys: Iterable[Verifier]) -> None:
    """Whether a row holds together: signed by a key, every column as in the note, the peaks those of the root.

    Raises:
        NoteError: It does not.
    """
    statement = open_statement(checkpoint.note, journal_id, keys)
    row = Statement(journal_id, checkpoint.size, checkpoint.root, checkpoint.link, checkpoint.made_us)
    if statement != row:
        raise NoteError("the columns of the checkpoint differ from its note")
    peaks = checkpoint.peak_list()
    if len(checkpoint.peaks) != 32 * checkpoint.size.bit_count() or tree.root(peaks) != checkpoint.root:
        raise NoteError("the peaks of the checkpoint do not make its root")


def thin(db: apsw.Connection, *, boundary: int | None = None) -> None:
    """Delete what need not be kept, in the caller's transaction.

    Args:
        boundary: The journal is about to begin behind this size; None while it stays as it is. What lies in front of
            it is thinned only now, since nodes are stored for exactly these checkpoints; itself, it is never deleted.
    """
    after = 0
    if boundary is None:
        after = int(db.execute("SELECT value FROM meta WHERE key = ?", (_PRUNED,)).get or 0)
    else:
        db.execute(
            "INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", (_PRUNED, str(boundary))
        )
    db.execute(
        "DELETE FROM checkpoints"
        " WHERE size < (SELECT min(size) FROM (SELECT size FROM checkpoints ORDER BY size DESC LIMIT ?))"
        " AND size NOT IN (SELECT max(size) FROM checkpoints GROUP BY made_us / ?)"
        " AND size > ? AND size != ?",
        (KEEP, _HOUR_US, after, boundary or 0),
    )
