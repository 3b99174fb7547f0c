"""A journal's file written step by step, with a clock that stands still until a test moves it."""

from __future__ import annotations

import json
import random
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import apsw

from reactor_core.events import chain, checkpoints, nodes, tree
from reactor_core.events.audit import verify_workspace
from reactor_core.events.audit_report import AuditReport
from reactor_core.events.checkpoints import Checkpoint
from reactor_core.events.note import Verifier
from reactor_core.events.rows import INSERT, Head, read_head
from reactor_core.events.schema import connect, migrate
from reactor_core.events.seal import Sealer


class StandingClock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def utc_now(self) -> datetime:
        return datetime(2026, 11, 21, tzinfo=UTC) + timedelta(seconds=self.now)

    def monotonic(self) -> float:
        return self.now


class Book:
    """One process's view of a journal file: a connection, a sealer, and rows made of random but seeded values."""

    def __init__(self, path: Path, *, clock: StandingClock | None = None, seed: int = 0) -> None:
        self.path = path
        self.clock = clock or StandingClock()
        self.db = connect(path)
        self.db.execute("PRAGMA synchronous = OFF")
        self.journal_id = migrate(self.db, path)
        self.offered: list[tuple[Checkpoint, bool]] = []
        self.sealer = Sealer(path.parent, self.journal_id, offer=self._note, clock=self.clock)
        self._random = random.Random(f"{seed}-{path}")

    def _note(self, checkpoint: Checkpoint, _: Verifier, urgent: bool) -> None:
        self.offered.append((checkpoint, urgent))

    def write(
        self,
        count: int = 1,
        *,
        urgent: bool = False,
        seal: bool = True,
        undo: bool = False,
        event_type: str = "feedback",
        data: object = None,
        origin: str = "hub",
    ) -> list[bytes]:
        """One transaction of ``count`` rows; returns their leaves."""
        self.db.execute("BEGIN IMMEDIATE")
        head = read_head(self.db, self.journal_id)
        leaves = []
        for _ in range(count):
            head, leaf = self._row(head, 1 if urgent else 3, event_type, data, origin)
            leaves.append(leaf)
        if seal:
            self.sealer.rows(self.db, head, leaves, urgent=urgent)
        self._end(undo=undo, seal=seal)
        return leaves

    def tail(self) -> None:
        """The deadline has come."""
        self.db.execute("BEGIN IMMEDIATE")
        self.sealer.tail(self.db, read_head(self.db, self.journal_id))
        self._end(undo=False, seal=True)

    def sizes(self) -> list[int]:
        """Sizes of the stored checkpoints."""
        return [size for (size,) in self.db.execute("SELECT size FROM checkpoints ORDER BY size")]

    def close(self) -> None:
        self.db.close()

    def _end(self, *, undo: bool, seal: bool) -> None:
        self.db.execute("ROLLBACK" if undo else "COMMIT")
        if undo and seal:
            self.sealer.rolled_back()
        elif seal:
            self.sealer.committed()

    def _row(self, head: Head, priority: int, event_type: str, data: object, origin: str) -> tuple[Head, bytes]:
        seq = head.seq + 1
        event_id = str(uuid.UUID(int=self._random.getrandbits(128)))
        payload = json.dumps({"data": {"n": seq} if data is None else data, "metadata": {"trace": "t"}})
        texts = (event_id, event_type, "user", origin, f"key-{seq}")
        hashed = chain.payload_hash(payload.encode())
        row_header = chain.header(seq, 1_790_000_000_000_000 + seq, priority, *(text.encode() for text in texts))
        leaf = chain.leaf(row_header, hashed)
        link = chain.link(head.link, leaf)
        values = (seq, *texts[:3], priority, 1_790_000_000_000_000 + seq, *texts[3:], payload, hashed, link)
        self.db.execute(INSERT, values)
        return Head(seq, link), leaf


def prune(book: Book, until: int) -> None:
    """What retention does: record the cut, keep the nodes, delete the rows."""
    boundary = checkpoints.at_most(book.db, until)
    assert boundary is not None
    cut = {"until": until, "root": boundary.root.hex(), "link": boundary.link.hex(), "count": until}
    book.write(event_type="journal_compacted", data=cut, origin="")
    book.db.execute("BEGIN IMMEDIATE")
    nodes.keep_before(book.db, until)
    book.db.execute("DELETE FROM events WHERE seq <= ?", (until,))
    book.db.execute("COMMIT")


def naive_root(leaves: list[bytes]) -> bytes:
    """RFC 6962's definition."""
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return tree.node(naive_root(leaves[:k]), naive_root(leaves[k:]))


def flip(db: apsw.Connection, table: str, key: str, column: str, bit: int) -> None:
    """Change one bit of one stored value."""
    value = db.execute(f"SELECT {column} FROM {table} WHERE {key}").get
    if isinstance(value, int):
        changed: object = value ^ (1 << bit % 62)
        marker = "?"
    else:
        raw = bytearray(value.encode() if isinstance(value, str) else value)
        raw[bit // 8 % len(raw)] ^= 1 << (bit % 8)
        changed, marker = bytes(raw), "CAST(? AS TEXT)" if isinstance(value, str) else "?"
    db.execute(f"UPDATE {table} SET {column} = {marker} WHERE {key}", (changed,))


def verify(book: Book, anchor: Path | None = None, **options: Any) -> AuditReport:
    """Verify a book's file, against one anchor or none."""
    return verify_workspace(book.path, anchors=[] if anchor is None else [str(anchor)], **options)


def written(folder: Path, *, pruned: bool = False) -> Book:
    """A journal with checkpoints, stored nodes, an erased payload and rows that nothing covers yet."""
    book = Book(folder / "reactor.db")
    for count in (30, 41, 60, 66):
        book.write(count, urgent=True)
    book.db.execute("UPDATE events SET payload = NULL WHERE seq IN (135, 150)")
    book.write(event_type="payload_erased", data={"seqs": [135, 150], "reason": "asked"}, origin="", urgent=True)
    if pruned:
        prune(book, 131)
        book.tail()
    book.write(5)
    return book
