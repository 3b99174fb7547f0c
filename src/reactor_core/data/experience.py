"""Decisions on actions, from the journal to a dataset.

An agent's harmless steps are audited as safe, risky ones are confirmed or denied by a person, forbidden ones are
blocked. Those events are the labelled rows of the verdict model; an experience file holds the same rows as JSON Lines.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reactor_core.errors import DatasetError, NothingToTrain
from reactor_core.events.event import Event
from reactor_core.events.vocabulary import EventType
from reactor_core.utils.canonical import canonical_json
from reactor_core.utils.files import atomic_write, sha256_file

__all__ = [
    "DECISIONS",
    "Decision",
    "ExperienceDataset",
    "ExperienceRow",
    "decisions_of",
    "read_experience",
    "stratified",
    "write_dataset",
]

DECISIONS = ("allow", "confirm", "block")
"""The labels, from the mildest to the strictest."""

_SAFE = frozenset({"SAFE", "SAFE_WITH_MONITORING"})


@dataclass(frozen=True, slots=True)
class ExperienceRow:
    """One decided action.

    Args:
        action: What the agent was about to do, as it would run.
        kind: shell, sql, gui, file, network, cloud, email or python; "other" where nobody said.
        label: allow, confirm or block.
        rule: The rule behind the label, such as "B3"; None where unknown.
        template: Which pattern made the row; rows of one template are near each other. None where unknown.
        approved: For confirm, what the person answered; None for other labels or where unknown.
        why: The reason in a few words, or None.
    """

    action: str
    kind: str
    label: str
    rule: str | None = None
    template: str | None = None
    approved: bool | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """A row and the event that it comes from.

    Args:
        row: What was decided.
        event_id: The event.
        seq: Its position in the journal; None for an event that no journal holds.
    """

    row: ExperienceRow
    event_id: str
    seq: int | None


@dataclass(frozen=True, slots=True)
class ExperienceDataset:
    """A dataset file written from events.

    Args:
        path: The JSON Lines file, ready for ``Trainer.train``.
        sha256: Hash of its bytes.
        rows: Number of lines.
        labels: Label -> rows.
        first_seq: Journal position of the oldest event used; None without a journal.
        last_seq: Journal position of the newest event used; None without a journal.
        superseded: Decisions left out because a later one is about the same action.
    """

    path: Path
    sha256: str
    rows: int
    labels: Mapping[str, int]
    first_seq: int | None
    last_seq: int | None
    superseded: int

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "path": str(self.path),
            "sha256": self.sha256,
            "rows": self.rows,
            "labels": dict(self.labels),
            "first_seq": self.first_seq,
            "last_seq": self.last_seq,
            "superseded": self.superseded,
        }


def read_experience(path: Path | str) -> list[ExperienceRow]:
    """Read an experience file: one JSON object a line with action, kind and label; the other fields may be absent.

    Raises:
        DatasetError: The file cannot be read or is empty, or a line is not valid; names file, line and field.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DatasetError(f"cannot be read: {error.strerror or error}", path=path) from error
    rows = [
        _row_of_line(path, number, line) for number, line in enumerate(content.split(b"\n"), start=1) if line.strip()
    ]
    if not rows:
        raise DatasetError("holds no rows", path=path, remedy="one JSON object a line: action, kind, label")
    return rows


def decisions_of(events: Iterable[Event]) -> list[Decision]:
    """The decisions among some events, in their order.

    An audit counts only where its verdict lets the action run: an action that needs confirmation or is blocked has an
    event of its own that says how it ended.
    """
    decisions = []
    for event in events:
        label = _label_of(event)
        action = event.data.get("action")
        if label is None or not isinstance(action, str) or not action.strip():
            continue
        approved = event.event_type == EventType.SAFETY_CONFIRMED if label == "confirm" else None
        row = ExperienceRow(
            action=action,
            kind=_text(event.metadata.get("kind")) or "other",
            label=label,
            rule=_text(event.metadata.get("rule")),
            template=_text(event.metadata.get("template")),
            approved=approved,
            why=_text(event.metadata.get("why")) or _text(event.data.get("reason")),
        )
        decisions.append(Decision(row, event.event_id, event.seq))
    return decisions


def stratified(decisions: Sequence[Decision], *, seed: int = 0) -> list[Decision]:
    """A fixed order in which every prefix has the labels and kinds of the whole and as many templates as fit.

    First one row of every template, then a second one, and so on; within such a pass the templates follow a hash of
    ``seed`` and their name. The order depends on the rows alone, not on when they were recorded.
    """
    passes: dict[tuple[str, int], list[Decision]] = defaultdict(list)
    turns: Counter[tuple[str, str]] = Counter()
    for decision in sorted(decisions, key=lambda d: _digest(seed, d.row.kind, d.row.action)):
        # An action without a template is one of its own.
        template = decision.row.template or _digest(seed, decision.row.kind, decision.row.action)
        turn = turns[decision.row.label, template]
        turns[decision.row.label, template] += 1
        passes[decision.row.label, turn].append(decision)
    placed = []
    for label in DECISIONS:
        mine = [
            decision
            for (owner, _), rows in sorted(passes.items())
            if owner == label
            for decision in _spread(rows, key=lambda d: d.row.kind, seed=seed)
        ]
        placed += [((place + 0.5) / len(mine), DECISIONS.index(label), d) for place, d in enumerate(mine)]
    return [decision for _, _, decision in sorted(placed, key=lambda item: item[:2])]


def write_dataset(
    events: Iterable[Event],
    path: Path,
    messages: Callable[[str, str], list[dict[str, str]]],
    *,
    seed: int = 0,
) -> ExperienceDataset:
    """Turn events into a dataset file in stratified order, each line naming the event that it comes from.

    Of several decisions on the same action the latest holds, so that a person who thinks again is heard.

    Args:
        events: As the journal gives them, oldest first.
        path: The file to write; replaced whole or not at all.
        messages: (action, kind) -> the prompt as chat messages.
        seed: Seed of the order.

    Raises:
        NothingToTrain: The events hold no decision.
        StorageError: The file cannot be written.
    """
    found = decisions_of(events)
    latest = {(d.row.kind, d.row.action): d for d in found}
    if not latest:
        raise NothingToTrain(
            "the events hold no decision on an action",
            remedy="record SAFETY_AUDIT, SAFETY_CONFIRMED, SAFETY_DENIED or SAFETY_BLOCKED events first",
        )
    ordered = stratified(list(latest.values()), seed=seed)
    lines = [
        canonical_json(
            {
                "id": decision.event_id,
                "prompt": messages(decision.row.action, decision.row.kind),
                "completion": decision.row.label,
                "source": {"event_id": decision.event_id, "seq": decision.seq},
            }
        )
        for decision in ordered
    ]
    atomic_write(path, b"\n".join(lines) + b"\n")
    positions = [d.seq for d in ordered if d.seq is not None]
    counts = Counter(d.row.label for d in ordered)
    return ExperienceDataset(
        path=path,
        sha256=sha256_file(path),
        rows=len(ordered),
        labels={label: counts[label] for label in DECISIONS},
        first_seq=min(positions, default=None),
        last_seq=max(positions, default=None),
        superseded=len(found) - len(latest),
    )


def _label_of(event: Event) -> str | None:
    if event.event_type == EventType.SAFETY_AUDIT:
        return "allow" if event.data.get("verdict") in _SAFE else None
    if event.event_type in (EventType.SAFETY_CONFIRMED, EventType.SAFETY_DENIED):
        return "confirm"
    return "block" if event.event_type == EventType.SAFETY_BLOCKED else None


def _spread(rows: Sequence[Decision], *, key: Callable[[Decision], str], seed: int) -> list[Decision]:
    """Rows mixed so that every prefix has each key in proportion; rows of one key follow a hash."""
    groups: dict[str, list[Decision]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    placed = []
    for name, group in groups.items():
        group.sort(key=lambda d: _digest(seed, d.row.kind, d.row.template or d.row.action))
        placed += [((place + 0.5) / len(group), name, d) for place, d in enumerate(group)]
    return [decision for _, _, decision in sorted(placed, key=lambda item: item[:2])]


def _digest(seed: int, *parts: str) -> str:
    return hashlib.sha256(canonical_json([seed, *parts])).hexdigest()


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _row_of_line(path: Path, number: int, line: bytes) -> ExperienceRow:
    def fail(message: str, field: str | None = None) -> DatasetError:
        return DatasetError(message, path=path, line=number, field=field, remedy="correct or remove the line")

    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise fail(f"is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise fail(f"must be an object, is {type(value).__name__}")
    for field in ("action", "kind", "label"):
        if not isinstance(value.get(field), str) or not value[field].strip():
            raise fail("a string that is not empty is needed", field)
    for field in ("rule", "template", "why"):
        if not isinstance(value.get(field), str | None):
            raise fail(f"must be a string or null, is {type(value[field]).__name__}", field)
    if value["label"] not in DECISIONS:
        raise fail(f"{value['label']!r} is none of {', '.join(DECISIONS)}", "label")
    if not isinstance(value.get("approved"), bool | None):
        raise fail(f"must be true, false or null, is {value['approved']!r}", "approved")
    return ExperienceRow(
        action=value["action"],
        kind=value["kind"],
        label=value["label"],
        rule=value.get("rule"),
        template=value.get("template"),
        approved=value.get("approved"),
        why=value.get("why"),
    )
