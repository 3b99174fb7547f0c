"""Events become rows: inside a transaction of the writer, and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import apsw

from reactor_core.errors import ConfigError
from reactor_core.events.dedup import DedupWindow
from reactor_core.events.drafts import Append, Appended, Outcome
from reactor_core.events.event import Event
from reactor_core.events.rows import COLUMNS, INSERT, Head, read_event, read_head, row_of

__all__ = ["Sealer", "Store"]

_LOOK_BACK = 65_536
"""Rows that are searched at start for keys of the last minute; the deduplication window holds no more keys."""


class Sealer(Protocol):
    """Signs checkpoints over the rows, inside the transactions that store them."""

    def rows(self, db: apsw.Connection, head: Head, leaves: Sequence[bytes], *, urgent: bool) -> None:
        """New rows were inserted.

        Args:
            head: The last of them.
            leaves: Their hashes, in order.
            urgent: One of them is of lane 1.
        """
        ...

    def deadline(self) -> float | None:
        """When (``time.monotonic``) rows that no checkpoint covers must be covered; None if there are none."""
        ...

    def tail(self, db: apsw.Connection, head: Head) -> None:
        """The deadline has come: cover everything up to the head."""
        ...

    def committed(self) -> None:
        """The transaction is on disk."""
        ...

    def rolled_back(self) -> None:
        """Nothing of the transaction is stored."""
        ...


class Store:
    """Knows what was stored lately, so that nothing is stored twice, and continues the chain.

    Args:
        db: The writing connection.
        journal_id: The journal's id.
        seal: Told of all new rows.
    """

    def __init__(self, db: apsw.Connection, journal_id: str, seal: Sealer | None) -> None:
        self._db = db
        self._journal_id = journal_id
        self._seal = seal
        self._window = DedupWindow()
        self._learned = max(0, read_head(db, journal_id).seq - _LOOK_BACK)
        self._known: Head | None = None
        self._head: Head | None = None
        self._fresh: list[Event] = []
        self._keys: dict[str, tuple[float, int]] = {}
        self._found = 0

    def known(self) -> Head | None:
        """The last row that this process stored; None before the first."""
        return self._known

    def rebind(self, db: apsw.Connection) -> None:
        """Go on with another connection to the same file."""
        self._db = db

    def counts(self) -> tuple[int, int]:
        """Events that this transaction stored, and that it found to be there before."""
        return len(self._fresh), self._found

    def head(self) -> Head:
        """The last row, as this transaction sees it."""
        return read_head(self._db, self._journal_id)

    def add(self, items: Sequence[Append]) -> list[Outcome]:
        """Store events; one that is there already is found instead. Call it inside a transaction only."""
        head = self.head()
        if head.seq != self._learned and self._head is None:
            self._learn(head)
        seq, link = head.seq, head.link
        first = seq + 1
        rows: list[tuple[Any, ...]] = []
        leaves: list[bytes] = []
        fresh: list[Event] = []
        results: list[Outcome] = []
        ids: dict[str, int] = {}
        urgent = False
        for item in items:
            event = item.event
            key = item.dedup_key
            if key or not item.minted:
                earlier = self._earlier(item, ids)
                stored = None
                if earlier is not None:
                    stored = fresh[earlier - first] if earlier >= first else self._read(earlier)
                if stored is not None:
                    results.append(self._again(item, stored))
                    continue
            seq += 1
            row, leaf, link = row_of(item, seq, link)
            event = event.at(seq, item.origin)
            rows.append(row)
            leaves.append(leaf)
            fresh.append(event)
            ids[event.event_id] = seq
            if key:
                self._keys[key] = (event.timestamp.timestamp(), seq)
            if event.priority == 1:
                urgent = True
            if item.uncommitted:
                self._db.execute("INSERT INTO early VALUES (?, ?, ?)", (event.event_id, item.origin, seq))
            results.append(Appended(event, False))
        if rows:
            self._db.executemany(INSERT, rows)
            self._head = Head(seq, link)
            self._fresh += fresh
            if self._seal is not None:
                self._seal.rows(self._db, self._head, leaves, urgent=urgent)
        return results

    def committed(self) -> list[Event]:
        """The transaction is on disk: remember what it stored, and return the new events."""
        for key, (at, seq) in self._keys.items():
            self._window.remember(key, at, seq)
        if self._head is not None:
            self._known = self._head
            self._learned = self._head.seq
        fresh = self._fresh
        self._forget()
        return fresh

    def rolled_back(self) -> None:
        """Nothing of the transaction is stored."""
        self._forget()

    def _forget(self) -> None:
        self._head = None
        self._fresh = []
        self._keys = {}
        self._found = 0

    def _learn(self, head: Head) -> None:
        """Take over the keys that other processes, or this one's predecessor, stored since the last look."""
        for seq, ts_us, key in self._db.execute(
            "SELECT seq, ts_us, dedup_key FROM events WHERE seq > ? AND dedup_key != '' ORDER BY seq", (self._learned,)
        ):
            self._window.remember(key, ts_us / 1e6, seq)
        self._learned = head.seq

    def _earlier(self, item: Append, ids: dict[str, int]) -> int | None:
        """Position of the row that is this event already."""
        if item.dedup_key:
            at = item.event.timestamp.timestamp()
            same = self._keys.get(item.dedup_key)
            earlier = same[1] if same is not None else self._window.find(item.dedup_key, at)
            if earlier is not None:
                return earlier
        if item.minted:
            return None
        return ids.get(item.event.event_id) or self._position(item.event.event_id)

    def _position(self, event_id: str) -> int | None:
        row = self._db.execute("SELECT seq FROM events WHERE event_id = ?", (event_id,)).fetchone()
        return None if row is None else int(row[0])

    def _read(self, seq: int) -> Event | None:
        """The event at a position; None if it was pruned since."""
        row = self._db.execute(f"SELECT {COLUMNS} FROM events WHERE seq = ?", (seq,)).fetchone()  # noqa: S608
        return None if row is None else read_event(row)

    def _again(self, item: Append, stored: Event) -> Outcome:
        """An id that comes again with other content is another event in disguise, and is refused."""
        event = item.event
        if stored.event_id == event.event_id:
            if stored.metadata != {"erased": True} and (stored.event_type, stored.data) != (
                event.event_type,
                event.data,
            ):
                return ConfigError(
                    f"event id {stored.event_id} is taken by an event with other content at {stored.seq}"
                )
            if not item.uncommitted:  # whoever sent it early has committed it by now
                self._db.execute("DELETE FROM early WHERE event_id = ?", (event.event_id,))
        self._found += 1
        return Appended(stored, True)
