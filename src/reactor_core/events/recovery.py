"""After a failed write: what is said, and how the file is opened anew."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import apsw

from reactor_core.errors import JournalError
from reactor_core.events.rows import Head
from reactor_core.events.schema import connect, journal_errors

__all__ = ["Health", "delays", "reopen"]

_FIRST_DELAY = 0.05
_LAST_DELAY = 5.0


@dataclass(frozen=True, slots=True)
class Health:
    """Whether events are being stored.

    Args:
        ok: The last write succeeded, or there was none yet.
        since: When that began to be so.
        detail: What failed last; empty while all is well.
    """

    ok: bool
    since: datetime
    detail: str = ""


def delays() -> Iterator[float]:
    """Seconds to wait before each attempt to write again."""
    delay = _FIRST_DELAY
    while True:
        yield delay
        delay = min(2 * delay, _LAST_DELAY)


def reopen(old: apsw.Connection, path: Path, *, vfs: str | None, known: Head | None) -> apsw.Connection:
    """A new connection to a file of which a write has failed, once that file is known to be sound.

    When an fsync fails, Linux counts the pages as clean although they are not on disk: a second fsync succeeds and
    proves nothing. So what the write-ahead log holds is written once more, into the main file, and the log is
    emptied. Rows of the failed transaction may be among it: it was neither acknowledged nor refused by the disk.

    Args:
        known: The last row that this process acknowledged; the file must have it.

    Raises:
        JournalError: The file cannot be written yet, or does not hold what was acknowledged.
        StorageFull: No space is left.
    """
    with contextlib.suppress(apsw.Error):
        old.close()
    db = connect(path, vfs=vfs)
    try:
        with journal_errors(path):
            busy, _, _ = next(db.execute("PRAGMA wal_checkpoint(TRUNCATE)"))
            if busy:
                raise JournalError(f"{path}: another process is reading, the log cannot be written anew yet")
            if known is not None and known.seq:
                link = db.execute("SELECT chain FROM events WHERE seq = ?", (known.seq,)).get
                if link != known.link:
                    raise JournalError(
                        f"{path} no longer holds row {known.seq} as it was acknowledged", remedy="check the disk"
                    )
            db.execute("BEGIN IMMEDIATE")
            db.execute("INSERT OR REPLACE INTO meta SELECT 'reopened', datetime('now')")
            db.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(apsw.Error):
            db.close()
        raise
    return db
