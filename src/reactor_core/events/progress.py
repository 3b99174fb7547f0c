"""How far a named reader has come, kept in the journal, so that it goes on there after a restart."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from concurrent.futures import Future

import apsw
import msgspec

from reactor_core.errors import ConfigError
from reactor_core.events.journal import Journal

__all__ = ["NOTE_SECONDS", "Progress", "parse_positions", "read_positions", "spell_positions", "write_positions"]

NOTE_SECONDS = 0.1
"""How often a busy reader's position is written at most; after a crash what came since is read again."""

_NAME = re.compile(r"[A-Za-z0-9_.\-]{1,100}")


class Progress:
    """The positions of one reader, one for each lane. Used by one thread.

    Args:
        kind: Of reader; names of two kinds do not meet.
        name: Letters, digits, ``_``, ``.`` and ``-``.
        after_seq: Where a new name begins; None: behind what is stored now. A known name goes on where it was.

    Raises:
        ConfigError: The name cannot be used.
        JournalError: The beginning of a new name could not be stored.
    """

    def __init__(self, journal: Journal, kind: str, name: str, *, after_seq: int | None = None) -> None:
        if not _NAME.fullmatch(name):
            raise ConfigError(f"name={name!r}: 1 to 100 letters, digits, '_', '.' and '-' are needed")
        self.key = f"{kind}:{name}"
        self._journal = journal
        self._due = 0.0
        self._written: Future[None] | None = None
        kept = journal.cursor(self.key)
        if kept is None:
            begin = journal.head().seq if after_seq is None else after_seq
            self.positions = dict.fromkeys((1, 2, 3, 4), begin)
            journal.set_cursor(self.key, spell_positions(self.positions)).result()
        else:
            self.positions = parse_positions(kept)

    def due(self) -> bool:
        """Whether it is time to :meth:`note`."""
        return time.monotonic() >= self._due

    def note(self, positions: Mapping[int, int]) -> None:
        """Keep the positions. They are on disk a little later."""
        self._due = time.monotonic() + NOTE_SECONDS
        if positions != self.positions:
            self.positions = dict(positions)
            self._written = self._journal.set_cursor(self.key, spell_positions(positions))

    def finish(self, positions: Mapping[int, int]) -> None:
        """Keep the positions and wait until they are on disk.

        Raises:
            JournalError: They could not be stored.
        """
        self.note(positions)
        if self._written is not None:
            self._written.result()


def read_positions(db: apsw.Connection, key: str) -> dict[int, int]:
    """The positions of a reader inside a transaction."""
    return parse_positions(db.execute("SELECT value FROM cursors WHERE name = ?", (key,)).get)


def write_positions(db: apsw.Connection, key: str, positions: Mapping[int, int]) -> None:
    """Keep positions as part of a transaction."""
    db.execute("UPDATE cursors SET value = ? WHERE name = ?", (spell_positions(positions), key))


def spell_positions(positions: Mapping[int, int]) -> str:
    """Positions as the text that the journal keeps."""
    return msgspec.json.encode({str(lane): seq for lane, seq in positions.items()}).decode()


def parse_positions(kept: str) -> dict[int, int]:
    """The inverse of :func:`spell_positions`."""
    return {int(lane): seq for lane, seq in msgspec.json.decode(kept).items()}
