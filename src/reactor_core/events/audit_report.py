"""What verification says: to a terminal, to a program, as an exit status."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = ["AnchorReport", "AuditReport"]


@dataclass(frozen=True, slots=True)
class AnchorReport:
    """What one anchor said.

    Args:
        where: The place.
        checkpoints: Its checkpoints of this journal.
        size: Rows that the newest of them covers; 0 if there is none.
        compared: How many of them lie where the rows, or a checkpoint of the journal, could be compared with them.
    """

    where: str
    checkpoints: int
    size: int
    compared: int


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What verification found.

    Args:
        ok: Everything is as it was stored.
        events: Position of the last row that holds.
        head: Link of that row, 64 hex digits.
        root: Root of the tree over the rows that hold, 64 hex digits.
        first_bad: First row that does not hold; None if all do, also where only a checkpoint, a node of the tree, an
            index or an anchor is damaged.
        detail: The first problem, or a sentence that says all is well.
        problems: All of them, the first twenty.
        verified_from: First row that was walked; rows in front of it were taken from a signed checkpoint.
        pruned: Rows at the beginning that were pruned on record.
        erased: Walked rows whose payload was erased on record.
        checkpoints: Checkpoints that hold together.
        sealed: Rows that the newest of them covers.
        keys: Public keys that the journal names; more than one means that its key was replaced.
        anchors: What was compared outside the file.
        unconfirmed: Events of lane 1 that a peer sent ahead of its own commit and never confirmed.
        notes: What is no fault but worth knowing.
        proof: The proof that was asked for.
    """

    ok: bool
    events: int
    head: str
    root: str
    first_bad: int | None
    detail: str
    problems: tuple[str, ...]
    verified_from: int
    pruned: int
    erased: int
    checkpoints: int
    sealed: int
    keys: tuple[str, ...]
    anchors: tuple[AnchorReport, ...]
    unconfirmed: tuple[dict[str, Any], ...]
    notes: tuple[str, ...]
    proof: dict[str, Any] | None = field(default=None)

    @property
    def exit_code(self) -> int:
        """0 if everything holds, else 1."""
        return 0 if self.ok else 1

    def as_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)

    def lines(self) -> list[str]:
        """Sentences for a terminal."""
        answer = [self.detail, *self.problems[1:]] if not self.ok else [self.detail]
        answer.append(f"head {self.head}")
        answer.append(f"root {self.root}")
        answer += [
            f"anchor {anchor.where}: {anchor.checkpoints} checkpoints, {anchor.compared} compared,"
            f" the newest covers {anchor.size} events"
            for anchor in self.anchors
        ]
        answer += [
            f"not confirmed by {event['origin']}: {event['event_type']} {event['event_id']} at {event['seq']}"
            for event in self.unconfirmed
        ]
        return answer + list(self.notes)
