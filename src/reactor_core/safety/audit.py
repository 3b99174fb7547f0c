"""The audit trail of actions: each decision with its evidence, what people said to it, and what came of it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from reactor_core.events.event import Event, to_micros
from reactor_core.events.query import event_filter
from reactor_core.events.vocabulary import SAFETY_TYPES, EventType
from reactor_core.utils.clock import Clock, SystemClock, to_iso

if TYPE_CHECKING:
    from reactor_core.integration.event_bridge import EventBridge
    from reactor_core.safety.confirm import Approvals

__all__ = ["TRAIL_TYPES", "AuditEntry", "as_csv", "as_jsonl", "audit_trail", "erase_old"]

TRAIL_TYPES = (
    EventType.SAFETY_AUDIT,
    EventType.SAFETY_BLOCKED,
    EventType.SAFETY_CONFIRMED,
    EventType.SAFETY_DENIED,
    EventType.SAFETY_OUTCOME,
)
"""Events that the trail is joined from."""

_ERASED = tuple(SAFETY_TYPES | {EventType.SAFETY_ASKED, EventType.ACTIONS_STOPPED})
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_WORDS = {"SAFE": "allow", "SAFE_WITH_MONITORING": "allow", "REQUIRES_CONFIRMATION": "confirm", "BLOCKED": "block"}


@dataclass(slots=True)
class AuditEntry:
    """One decision, joined with all that is known about it.

    Args:
        at: When it was decided, ISO 8601 in UTC.
        decision_id: Its name; empty for one that another program emitted without naming it.
        source: Who decided.
        session: Who wanted to act.
        action: What, without secrets; the goal, for a plan.
        kind: Kind of action; ``plan`` for a plan.
        verdict: allow, confirm or block.
        risk_level: LOW, MEDIUM, HIGH or CRITICAL.
        rules: The rules behind it, the decisive one first.
        sentence: The reason in words.
        cwd: Folder.
        answers: What people said: confirmed, method, words, people, at.
        outcome: What came of it: completed, failed, halted, refused, abandoned, started; empty if that is not known.
        exit_code: Status of the program, if it was one.
        seconds: How long it took.
        detail: More about the outcome.
        evidence: The whole record of the decision: resolved form, findings, effects, hash; and the caller's context.
        event_id: The event of the decision.
        seq: Its position in the journal.
    """

    at: str
    decision_id: str = ""
    source: str = ""
    session: str = ""
    action: str = ""
    kind: str = ""
    verdict: str = ""
    risk_level: str = ""
    rules: list[str] = field(default_factory=list)
    sentence: str = ""
    cwd: str = ""
    answers: list[dict[str, Any]] = field(default_factory=list)
    outcome: str = ""
    exit_code: int | None = None
    seconds: float | None = None
    detail: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)
    event_id: str = ""
    seq: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def audit_trail(events: Iterable[Event]) -> list[AuditEntry]:
    """Join events, in their order in the journal, into entries in the order of the decisions.

    An answer or outcome whose decision is not among the events has an entry of its own, so that nothing is left out.
    Erased events have nothing to say and are left out.
    """
    entries: list[AuditEntry] = []
    named: dict[str, AuditEntry] = {}
    for event in events:
        if event.event_type not in TRAIL_TYPES or not event.data:
            continue
        if event.event_type in (EventType.SAFETY_AUDIT, EventType.SAFETY_BLOCKED):
            entry = _decided(event)
            entries.append(entry)
            if entry.decision_id:
                named[entry.decision_id] = entry
            continue
        name = str(event.metadata.get("decision_id") or event.data.get("decision_id") or "")
        found = named.get(name)
        if found is None:
            found = AuditEntry(
                to_iso(event.timestamp), name, str(event.source), action=str(event.data.get("action", "")),
                risk_level=str(event.data.get("risk_level", "")), event_id=event.event_id, seq=event.seq,
            )  # fmt: skip
            entries.append(found)
            if name:
                named[name] = found
        _add(found, event)
    return entries


def as_jsonl(entries: Iterable[AuditEntry]) -> Iterator[str]:
    """One JSON object a line, with all evidence."""
    for entry in entries:
        yield json.dumps(entry.as_dict(), ensure_ascii=False, default=str) + "\n"


def as_csv(entries: Iterable[AuditEntry]) -> Iterator[str]:
    """One row an entry; rules, answers and evidence as JSON."""
    names = [name for name in AuditEntry.__slots__]  # noqa: C416  the fields in their order
    yield _row(names)
    for entry in entries:
        yield _row(_cell(value) for value in entry.as_dict().values())


def erase_old(bridge: EventBridge, *, approvals: Approvals | None = None, clock: Clock | None = None) -> int:
    """Erase what safety events say that are older than ``SAFETY_RETENTION_DAYS``; that they were there stays provable.

    Args:
        bridge: The workspace.
        approvals: Whose old questions are erased too.
        clock: The time.

    Returns:
        How many events were erased; 0 without the setting.

    Raises:
        JournalError: The erasure could not be stored.
    """
    days = bridge.settings.safety_retention_days
    if days is None:
        return 0
    before = (clock or SystemClock()).utc_now() - timedelta(days=days)
    reason = f"older than {days} days (SAFETY_RETENTION_DAYS)"
    if approvals is not None:
        approvals.erase_before(to_micros(before))
    return _erase(bridge, before, reason)


def _erase(bridge: EventBridge, before: datetime, reason: str) -> int:
    wanted = event_filter(_ERASED, until=before)
    if not bridge.journal.read(wanted, limit=1):
        return 0
    return bridge.journal.erase_matching(wanted, reason=reason, source=bridge.source)


def _decided(event: Event) -> AuditEntry:
    record: Mapping[str, Any] = event.metadata.get("decision") or {}
    plan = event.metadata.get("plan")
    said = str(event.data.get("verdict", "BLOCKED"))
    return AuditEntry(
        at=to_iso(event.timestamp),
        decision_id=str(record.get("id") or event.metadata.get("decision_id") or ""),
        source=str(event.source),
        session=str(record.get("session") or event.metadata.get("session") or ""),
        action=str(event.data.get("action", "")),
        kind=str(record.get("kind") or ("plan" if plan is not None else "")),
        verdict=str(record.get("verdict") or _WORDS.get(said, said)),
        risk_level=str(record.get("risk_level") or event.data.get("risk_level") or ""),
        rules=[str(rule) for rule in record.get("rules", ())] or _rules(event.data.get("risky_steps")),
        sentence=str(record.get("sentence") or event.data.get("reason") or ""),
        cwd=str(record.get("cwd") or ""),
        evidence={
            **record,
            **({"plan": plan} if plan is not None else {}),
            **({"context": event.metadata["context"]} if event.metadata.get("context") else {}),
        },
        event_id=event.event_id,
        seq=event.seq,
    )


def _rules(steps: Any) -> list[str]:
    if not isinstance(steps, list):
        return []
    return [str(step["rule"]) for step in steps if isinstance(step, Mapping) and step.get("rule")]


def _add(entry: AuditEntry, event: Event) -> None:
    data = event.data
    if event.event_type is EventType.SAFETY_OUTCOME:
        entry.outcome = str(data.get("outcome", ""))
        entry.exit_code = data.get("exit_code", entry.exit_code)
        entry.seconds = data.get("seconds", entry.seconds)
        entry.detail = str(data.get("detail") or entry.detail)
        return
    entry.answers.append(
        {
            "confirmed": event.event_type is EventType.SAFETY_CONFIRMED,
            "method": data.get("confirmation_method"),
            "words": data.get("user_response"),
            "people": event.metadata.get("people", []),
            "at": to_iso(event.timestamp),
        }
    )


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _row(cells: Iterable[str]) -> str:
    """A row. A cell that a spreadsheet would run as a formula gets a quote before it: actions come from anywhere."""
    line = io.StringIO()
    csv.writer(line).writerow(f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells)
    return line.getvalue()
