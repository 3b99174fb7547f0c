"""The walk over a journal's rows that recomputes every hash and compares it with all that was ever said about them.

Rows are read once, in order; what is held in memory does not depend on their number.
"""

from __future__ import annotations

import hashlib
import struct
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import apsw
import msgspec

from reactor_core.events import tree
from reactor_core.events.chain import HEADER_FORMAT, LEAF_START
from reactor_core.events.leaves import RAW_ROWS
from reactor_core.events.nodes import STORED_LEVEL
from reactor_core.events.vocabulary import EventType

__all__ = ["Base", "Problem", "RowWalk", "Spans", "Stop", "erased_on_record"]

_BATCH = 4096
_LAST = (1 << 63) - 1
_MOST = 100  # problems that are held in memory


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that does not hold.

    Args:
        seq: First row that it may concern; None if the rows are not at fault.
        text: What is wrong.
    """

    seq: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Base:
    """What a walk starts from: the tree and the link of rows that need no check."""

    size: int
    peaks: list[bytes]
    link: bytes


@dataclass(frozen=True, slots=True)
class Stop:
    """A statement about the first ``size`` rows that the walk must meet.

    Args:
        root: Of the tree over them; None if only the link is known.
        what: Who says it, as the beginning of a sentence.
    """

    size: int
    root: bytes | None
    link: bytes
    what: str


class Spans:
    """A set of positions, stored as ranges."""

    def __init__(self, positions: Iterable[int]) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for position in positions:
            if self._ends and self._ends[-1] == position - 1:
                self._ends[-1] = position
            elif not self._ends or position > self._ends[-1]:
                self._starts.append(position)
                self._ends.append(position)

    def __contains__(self, position: int) -> bool:
        place = bisect_right(self._starts, position) - 1
        return place >= 0 and position <= self._ends[place]


class RowWalk:
    """Recomputes chain and tree from a base to the last row.

    Args:
        db: The journal, inside a read transaction.
        base: Where to start.
        stops: What must hold, ordered by size, all larger than the base's.
        erased: Rows that may lack their payload.
        covered: Rows that the newest checkpoint covers: for these the nodes of the tree are stored. A stop is there.
    """

    def __init__(self, db: apsw.Connection, base: Base, stops: Sequence[Stop], *, erased: Spans, covered: int) -> None:
        self._db = db
        self._stops = list(reversed(stops))
        self._erased = erased
        self._covered = covered
        self._peaks = base.peaks
        self._held = base.size  # everything up to here met a statement
        self._bad_nodes: list[tuple[int, int]] = []
        self._rewritten = False
        self.size = base.size
        """Rows that hold, from the first one ever."""
        self.link = base.link
        """Link of the last of them."""
        self.erased = 0
        """Rows without payload, erased on record."""
        self.problems: list[Problem] = []
        """What was found, in order."""

    def root(self) -> bytes:
        """Root of the tree over the rows that hold."""
        return tree.root(self._peaks)

    def run(self) -> None:
        """Walk to the last row, or to the first one that does not hold."""
        seq, text = self._rows()
        if text:
            self.problems.append(Problem(seq, f"row {seq}: {text}"))
        elif self._stops:
            last = self._stops[0]
            self.problems.append(Problem(seq, f"row {seq} is missing: {last.what} says that there were {last.size}"))

    def _rows(self) -> tuple[int, str]:
        """The next position, and what is wrong there; nothing if the rows ended."""
        sha256 = hashlib.sha256
        leaves: list[bytes] = []
        previous, expected = self.link, self.size + 1
        until = self._next_stop()
        try:
            for seq, ts_us, lane, one, two, three, four, five, hashed, stored, payload in self._db.execute(
                RAW_ROWS, (expected, _LAST)
            ):
                if seq != expected:
                    return self._end(leaves, expected, f"missing, the next row is {seq}")
                if payload is None:
                    if seq in self._erased:
                        self.erased += 1
                    else:
                        self._spoiled(seq, "the payload is gone and no event records its erasure")
                elif sha256(payload).digest() != hashed:
                    self._spoiled(seq, "the payload does not match its hash")
                lengths = len(one), len(two), len(three), len(four), len(five)
                start = LEAF_START(0, HEADER_FORMAT, seq, ts_us, lane, *lengths)
                leaf = sha256(start + one + two + three + four + five + hashed).digest()
                link = sha256(b"\x02" + previous + leaf).digest()
                if link != stored:
                    return self._end(leaves, seq, "the row does not match the chain")
                leaves.append(leaf)
                previous = self.link = link
                expected += 1
                if seq == until:
                    self._take(leaves)
                    leaves = []
                    until = self._next_stop()
        except (struct.error, TypeError):
            return self._end(leaves, expected, "a value is none that a row can have")
        except (apsw.Error, UnicodeDecodeError) as error:
            return self._end(leaves, expected, f"cannot be read: {error}")
        return self._end(leaves, expected, "")

    def _spoiled(self, seq: int, text: str) -> None:
        """A payload is not the one that was stored; the row's hashes can still hold, so the walk goes on."""
        if len(self.problems) < _MOST:
            self.problems.append(Problem(seq, f"row {seq}: {text}"))

    def _end(self, leaves: list[bytes], seq: int, text: str) -> tuple[int, str]:
        self._take(leaves)
        return seq, text

    def _next_stop(self) -> int:
        """The next row at which to compare, or a batch further."""
        return min(self._stops[-1].size if self._stops else _LAST, self.size + _BATCH)

    def _take(self, leaves: list[bytes]) -> None:
        """Carry the tree forward, and compare it with what is said about this size."""
        keep = self._compare if self.size < self._covered else None
        self._peaks = tree.extend(self._peaks, self.size, leaves, keep=keep)
        self.size += len(leaves)
        met = False
        while self._stops and self._stops[-1].size == self.size:
            stop, met = self._stops.pop(), True
            agrees = self.link == stop.link and stop.root in {None, self.root()}
            if not self._rewritten and not agrees:
                self._contradicted(stop)
        if met and not self._rewritten:
            for first, last in self._bad_nodes:
                self.problems.append(Problem(None, f"the stored node over the rows {first} to {last} is damaged"))
            self._bad_nodes.clear()
            self._held = self.size

    def _contradicted(self, stop: Stop) -> None:
        self._rewritten = True
        # The smallest subtree that differs says most about where.
        suspects = self._bad_nodes or [(self._held + 1, self.size)]
        first, last = min(suspects, key=lambda rows: (rows[1] - rows[0], rows[0]))
        self._bad_nodes.clear()
        self.problems.append(
            Problem(first, f"rows {first} to {last} are not those that were stored: {stop.what} says otherwise")
        )

    def _compare(self, level: int, first: int, nodes: list[bytes]) -> None:
        if level < STORED_LEVEL or self._rewritten:
            return
        stored = dict(
            self._db.execute(
                "SELECT idx, hash FROM tree_nodes WHERE level = ? AND idx BETWEEN ? AND ?",
                (level, first, first + len(nodes) - 1),
            )
        )
        for index, value in enumerate(nodes, start=first):
            if stored.get(index) != value and len(self._bad_nodes) < _MOST:
                self._bad_nodes.append(((index << level) + 1, (index + 1) << level))


class _Erased(msgspec.Struct):
    seqs: list[int]


class _ErasedPayload(msgspec.Struct):
    data: _Erased


def erased_on_record(db: apsw.Connection) -> Spans:
    """Positions whose erasure an event of this workspace records.

    The walk verifies those events like all others; a record that cannot be read allows nothing.
    """
    decode = msgspec.json.Decoder(_ErasedPayload).decode
    positions: list[int] = []
    for (payload,) in db.execute(
        "SELECT CAST(payload AS BLOB) FROM events WHERE event_type = ? AND origin = '' AND payload IS NOT NULL",
        (EventType.PAYLOAD_ERASED.value,),
    ):
        try:
            positions.extend(decode(payload).data.seqs)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            continue
    return Spans(sorted(positions))
