"""Checking what is left of a journal's beginning after it was pruned: a boundary, a record, nodes, old checkpoints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import apsw
import msgspec

from reactor_core.errors import ReactorError
from reactor_core.events import tree
from reactor_core.events.checkpoints import Checkpoint
from reactor_core.events.nodes import STORED_LEVEL, TreeReader, consistency_of, small_nodes
from reactor_core.events.vocabulary import EventType
from reactor_core.events.walk import Problem

__all__ = ["boundary_recorded", "node_count_problems", "prefix_problems"]


class _Cut(msgspec.Struct):
    until: int
    root: str
    link: str


class _CutPayload(msgspec.Struct):
    data: _Cut


def boundary_recorded(db: apsw.Connection, boundary: Checkpoint) -> bool:
    """Whether an event of this workspace records that the rows up to the boundary were pruned."""
    decode = msgspec.json.Decoder(_CutPayload).decode
    wanted = _Cut(boundary.size, boundary.root.hex(), boundary.link.hex())
    for (payload,) in db.execute(
        "SELECT CAST(payload AS BLOB) FROM events WHERE event_type = ? AND origin = '' AND payload IS NOT NULL",
        (EventType.JOURNAL_COMPACTED.value,),
    ):
        try:
            if decode(payload).data == wanted:
                return True
        except (msgspec.MsgspecError, UnicodeDecodeError):
            continue
    return False


def prefix_problems(db: apsw.Connection, boundary: Checkpoint, older: Sequence[Checkpoint]) -> Iterator[Problem]:
    """Whether the stored nodes of the pruned rows make the boundary's tree, and the older checkpoints belong to it.

    Args:
        older: Sound checkpoints of fewer rows.
    """
    yield from _parents(db, boundary)
    reader = TreeReader(db, boundary)
    for old in older:
        try:
            proof = consistency_of(reader, old.size, boundary.size)
            holds = tree.verify_consistency(old.size, boundary.size, old.root, boundary.root, proof)
            holds = holds and _small_peaks_hold(db, old, boundary)
        except ReactorError:
            holds = False
        if not holds:
            yield Problem(
                None,
                f"the checkpoint of {old.size} rows, or a stored node beside it, does not belong to the tree in which"
                f" the rows up to {boundary.size} were pruned",
            )


def node_count_problems(db: apsw.Connection, covered: int, pruned: int, older: Sequence[Checkpoint]) -> list[Problem]:
    """Whether exactly the nodes are stored that belong there; each of them is compared elsewhere."""
    upper = db.execute("SELECT count(*) FROM tree_nodes WHERE level >= ?", (STORED_LEVEL,)).get
    wanted = sum(covered >> level for level in range(STORED_LEVEL, covered.bit_length()))
    problems = []
    if upper != wanted:
        problems.append(Problem(None, f"{upper} nodes of the tree are stored, {wanted} belong there"))
    below = set(db.execute("SELECT level, idx FROM tree_nodes WHERE level < ?", (STORED_LEVEL,)))
    if below != {place for old in older for place in small_nodes(old.size, pruned)}:
        problems.append(Problem(None, "other small nodes of the tree are stored than the old checkpoints need"))
    return problems


def _small_peaks_hold(db: apsw.Connection, old: Checkpoint, boundary: Checkpoint) -> bool:
    """Whether the nodes stored for a checkpoint are its own peaks, where both are there."""
    for (level, index), peak in zip(tree.peak_ranges(old.size), old.peak_list(), strict=True):
        stored = db.execute("SELECT hash FROM tree_nodes WHERE level = ? AND idx = ?", (level, index)).get
        if stored is not None and stored != peak and (index + 1) << level <= boundary.size:
            return False
    return True


def _parents(db: apsw.Connection, boundary: Checkpoint) -> Iterator[Problem]:
    """Each stored node of the pruned rows is the hash of its two children, and the topmost are the boundary's peaks."""
    peaks = dict(zip(tree.peak_ranges(boundary.size), boundary.peak_list(), strict=True))
    level = STORED_LEVEL
    while boundary.size >> level:
        count = boundary.size >> level
        parents = db.execute("SELECT idx, hash FROM tree_nodes WHERE level = ? ORDER BY idx", (level + 1,))
        children = db.execute(
            "SELECT idx, hash FROM tree_nodes WHERE level = ? AND idx < ? ORDER BY idx", (level, count)
        )
        for index, left in children:
            if (level, index) in peaks:
                if peaks[level, index] != left:
                    yield _damaged(level, index)
                continue
            right = children.fetchone()
            parent = parents.fetchone()
            if right is None or parent is None or parent != (index >> 1, tree.node(left, right[1])):
                yield _damaged(level + 1, index >> 1)
        level += 1


def _damaged(level: int, index: int) -> Problem:
    first, last = (index << level) + 1, (index + 1) << level
    return Problem(None, f"the stored node over the pruned rows {first} to {last}, or one below it, is damaged")
