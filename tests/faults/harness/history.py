"""What the processes of a run wrote down, what they left on disk, and what is wrong with it.

Each process appends one JSON object a line to a log of its own, by one ``write`` each, so a killed process loses no
line that it wrote. The judges take records and return sentences; no sentence means that nothing is wrong.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import apsw

PROBE = "fault_probe"
"""Type of the events that a run publishes."""
EFFECTS = "fault_effects"
"""Table of the inbox's effects."""


@dataclass(frozen=True)
class Record:
    """One line of a log, or one row of a journal.

    Args:
        kind: ``tried``, ``acked``, ``refused``, ``handled``, ``stored``; ``ready`` and ``finished`` speak of a process.
        life: Which start of its publisher made the event.
        number: Its place among what that life published in its lane.
        seq: Position in the journal of the workspace that the line speaks of.
    """

    kind: str
    event_id: str
    source: str
    lane: int
    life: int
    number: int
    seq: int | None = None

    def spelled(self) -> str:
        return f"{self.source} lane {self.lane} life {self.life} number {self.number} ({self.event_id}, seq {self.seq})"


class Log:
    """One process's log."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: int | None = None

    def write(self, record: Record) -> None:
        """Add a line; it is the kernel's when this returns, so ``kill -9`` does not lose it."""
        if self._file is None:
            self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.write(self._file, json.dumps(list(vars(record).values())).encode() + b"\n")

    def lines(self) -> int:
        """How many were written."""
        return self.path.read_bytes().count(b"\n") if self.path.exists() else 0

    def records(self, *kinds: str) -> list[Record]:
        """All of these kinds, in order."""
        if not self.path.exists():
            return []
        found = [Record(*json.loads(line)) for line in self.path.read_text(encoding="utf-8").splitlines()]
        return [record for record in found if record.kind in kinds]


def records(folder: Path, kind: str, names: str = "*") -> list[Record]:
    """What the processes with such names wrote, by process."""
    return [record for path in sorted(folder.glob(f"{names}.log")) for record in Log(path).records(kind)]


def stored(journal: Path) -> list[Record]:
    """The probes in a journal, in order of position."""
    db = apsw.Connection(str(journal), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        rows = db.execute(
            "SELECT seq, event_id, source, priority, payload FROM events WHERE event_type = ? ORDER BY seq", (PROBE,)
        ).fetchall()
    finally:
        db.close()
    found = []
    for seq, event_id, source, lane, payload in rows:
        data = json.loads(payload)["data"]
        found.append(Record("stored", event_id, source, lane, data["life"], data["number"], seq))
    return found


def types(journal: Path) -> Counter[str]:
    """How many events of each type a journal has."""
    db = apsw.Connection(str(journal), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        return Counter(dict(db.execute("SELECT event_type, count(*) FROM events GROUP BY 1").fetchall()))
    finally:
        db.close()


def unconfirmed(journal: Path) -> set[str]:
    """Ids of the events of lane 1 whose source may not have stored them."""
    db = apsw.Connection(str(journal), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        return {row[0] for row in db.execute("SELECT event_id FROM early")}
    finally:
        db.close()


def effects(journal: Path) -> list[str]:
    """Ids of the events whose effect the inbox stored, as often as it did."""
    db = apsw.Connection(str(journal), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        return [row[0] for row in db.execute(f"SELECT event_id FROM {EFFECTS} ORDER BY rowid")]
    finally:
        db.close()


def lost(promised: Iterable[Record], there: Iterable[Record], place: str) -> list[str]:
    """Events that were promised and are not there."""
    ids = {record.event_id for record in there}
    return [f"{place} has not {record.spelled()}" for record in promised if record.event_id not in ids]


def repeated(ids: Iterable[str], place: str) -> list[str]:
    """Ids that occur more than once where each may occur once."""
    return [f"{place} has {event_id} {count} times" for event_id, count in Counter(ids).items() if count > 1]


def disordered(seen: Sequence[Record], place: str) -> list[str]:
    """Events that came behind a later one of the same source and lane; coming again is no disorder."""
    wrong: list[str] = []
    last: dict[tuple[str, int], Record] = {}
    met: set[str] = set()
    for record in seen:
        if record.event_id in met:
            continue
        met.add(record.event_id)
        before = last.get((record.source, record.lane))
        if before is not None and (record.life, record.number) < (before.life, before.number):
            wrong.append(f"{place}: {record.spelled()} comes behind {before.spelled()}")
        last[record.source, record.lane] = record
    return wrong


def unknown(seen: Iterable[Record], tried: Iterable[Record], place: str) -> list[str]:
    """Events that nobody published."""
    published = {(record.source, record.life, record.lane, record.number) for record in tried}
    return [
        f"{place}: nobody published {record.spelled()}"
        for record in seen
        if (record.source, record.life, record.lane, record.number) not in published
    ]
