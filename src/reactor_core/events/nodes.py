"""The stored part of the tree, and the hash of any range of rows from it.

The roots of full subtrees of 64 rows and more are stored when a checkpoint covers them: 1/32 row per event. Below
that, up to 63 leaves are read back from the rows themselves. So the root of any range takes one short walk over rows
at each end and two look-ups per level.

Where the beginning of the journal was pruned, :func:`keep_before` has stored what is needed of it: the peaks at the
cut (in its checkpoint) and, for each checkpoint before, the small nodes that tie it to the next stored subtree.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import apsw

from reactor_core.errors import JournalError
from reactor_core.events import checkpoints, tree
from reactor_core.events.checkpoints import Checkpoint
from reactor_core.events.leaves import read_leaves

__all__ = ["STORED_LEVEL", "TreeReader", "consistency_of", "keep_before", "small_nodes", "store", "stored_below"]

STORED_LEVEL = 6
"""Roots of 2 ** 6 rows and more are stored."""


class TreeReader:
    """Hashes of ranges of the tree over a journal's rows, inside one read transaction of the caller.

    Args:
        db: The journal.
        boundary: The checkpoint in front of the first row that is left; None if none was pruned.
    """

    def __init__(self, db: apsw.Connection, boundary: Checkpoint | None = None) -> None:
        self._db = db
        self._pruned = 0 if boundary is None else boundary.size
        peaks = [] if boundary is None else boundary.peak_list()
        self._peaks = dict(zip(tree.peak_ranges(self._pruned), peaks, strict=True))

    def range(self, start: int, end: int) -> bytes:
        """Root of the leaves ``[start, end)``, counted from 0, with ``start`` at the beginning of a subtree.

        Raises:
            ChainBroken: A row that is needed is missing.
            JournalError: A node that is needed was pruned or is missing.
        """
        return tree.root([self.node(level, index) for level, index in tree.subtrees(start, end)])

    def ranges(self, wanted: Sequence[tuple[int, int]]) -> list[bytes]:
        """:meth:`range` for each of them."""
        return [self.range(start, end) for start, end in wanted]

    def node(self, level: int, index: int) -> bytes:
        """Root of one full subtree."""
        start, end = index << level, (index + 1) << level
        if end <= self._pruned and (level, index) in self._peaks:
            return self._peaks[level, index]
        if level >= STORED_LEVEL or end <= self._pruned:
            stored = self._db.execute(
                "SELECT hash FROM tree_nodes WHERE level = ? AND idx = ?", (level, index)
            ).fetchone()
            if stored is not None:
                return bytes(stored[0])
            if end <= self._pruned:
                raise JournalError(f"rows {start + 1} to {end} were pruned, and no node stands for them")
        if start < self._pruned or level > STORED_LEVEL:
            return tree.node(self.node(level - 1, 2 * index), self.node(level - 1, 2 * index + 1))
        leaves = [leaf.hash for leaf in read_leaves(self._db, start + 1, end)]
        return tree.extend([], 0, leaves)[0]


def store(db: apsw.Connection) -> Callable[[int, int, list[bytes]], None]:
    """What :func:`tree.extend` calls to store new nodes, in the caller's transaction."""

    def keep(level: int, first: int, nodes: list[bytes]) -> None:
        if level >= STORED_LEVEL:
            rows = [(level, first + offset, value) for offset, value in enumerate(nodes)]
            # A crash cannot leave nodes without their checkpoint, but a checkpoint can be lost to damage.
            db.executemany("INSERT OR REPLACE INTO tree_nodes VALUES (?, ?, ?)", rows)

    return keep


def consistency_of(reader: TreeReader, old: int, new: int) -> list[bytes]:
    """The proof that the tree of ``new`` rows begins with the one of ``old``."""
    return reader.ranges(tree.consistency_ranges(old, new))


def small_nodes(size: int, boundary: int) -> list[tuple[int, int]]:
    """``(level, index)`` of the nodes below :data:`STORED_LEVEL` that tie a checkpoint to the next stored subtree.

    They are its own small peaks and what lies between its end and the end of its subtree of 64. Only full subtrees in
    front of ``boundary`` count, and not its peaks: its checkpoint has those, and the rows behind it the rest.
    """
    start = size >> STORED_LEVEL << STORED_LEVEL
    end = min(start + (1 << STORED_LEVEL), boundary) if size > start else size
    known = set(tree.peak_ranges(boundary))
    return [place for place in (*tree.subtrees(start, size), *tree.subtrees(size, end)) if place not in known]


def stored_below(db: apsw.Connection) -> set[tuple[int, int]]:
    """``(level, index)`` of all stored nodes below :data:`STORED_LEVEL`."""
    return set(db.execute("SELECT level, idx FROM tree_nodes WHERE level < ?", (STORED_LEVEL,)))


def keep_before(db: apsw.Connection, until: int) -> None:
    """Store what proofs will need of rows ``1`` to ``until``, which the caller deletes in the same transaction.

    Raises:
        JournalError: No checkpoint has exactly this size.
        ChainBroken: A row that is needed is missing.
    """
    boundary = checkpoints.at_most(db, until)
    if boundary is None or boundary.size != until:
        raise JournalError(f"row {until} is not the end of a signed checkpoint", remedy="prune up to a checkpoint")
    first = db.execute("SELECT min(seq) FROM events").get or 1
    reader = TreeReader(db, checkpoints.at_most(db, first - 1) if first > 1 else None)
    checkpoints.thin(db, boundary=until)
    wanted = {
        place
        for checkpoint in checkpoints.all_checkpoints(db)
        if checkpoint.size < until
        for place in small_nodes(checkpoint.size, until)
    }
    rows = [(level, index, reader.node(level, index)) for level, index in sorted(wanted)]
    db.execute("DELETE FROM tree_nodes WHERE level < ?", (STORED_LEVEL,))
    db.executemany("INSERT INTO tree_nodes VALUES (?, ?, ?)", rows)
