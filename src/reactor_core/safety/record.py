"""What the gate writes down: each decision before anything runs, and each outcome after it. Without secrets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from reactor_core.events.event import Event
from reactor_core.events.safety_events import safety_audit, safety_blocked
from reactor_core.events.vocabulary import EventType
from reactor_core.safety.engine import Decision
from reactor_core.safety.redact import Redactor
from reactor_core.safety.verdict import Finding, Verdict

if TYPE_CHECKING:
    from reactor_core.integration.event_bridge import EventBridge

__all__ = ["OUTCOMES", "Recorder", "risky_step"]

OUTCOMES = ("started", "completed", "failed", "halted", "refused", "abandoned")
"""What becomes of a decision: a released action begins; it ends well; with an error; by the kill switch; it was never
begun as somebody or something refused it; it was never begun as the caller did not."""

MOST_CHARACTERS = 16_384
"""More of one text is not written down."""
MOST_LINES = 200
"""More resolved parts, or findings, are not written down."""
ROOM = 400_000
"""Characters of all parts and findings together; an event takes a mebibyte."""

ACKNOWLEDGE_SECONDS = 30.0
"""A journal that takes longer counts as unreachable, and nothing runs."""


class Recorder:
    """Writes decisions and outcomes into the journal of a bridge.

    Args:
        bridge: The workspace.
        redactor: Takes secrets out.
        session: Who acts.
        audit: False keeps what was allowed out of the journal; what was refused or asked is always written.
    """

    def __init__(self, bridge: EventBridge, *, redactor: Redactor, session: str, audit: bool = True) -> None:
        self._bridge = bridge
        self._redactor = redactor
        self._session = session
        self._audit = audit

    def decision(self, decision: Decision, decision_id: str, *, cwd: str, context: Mapping[str, Any]) -> Event | None:
        """Write a decision down: SAFETY_BLOCKED for a blocked action, else SAFETY_AUDIT.

        Returns:
            The event, which is on disk; None for an allowed action where only the others are written.

        Raises:
            JournalError: It is not on disk.
            StorageFull: No space is left for it.
        """
        if not self._audit and decision.verdict is Verdict.ALLOW:
            return None
        record = self.plain(decision, decision_id, cwd=cwd)
        if decision.verdict is Verdict.BLOCK:
            told = safety_blocked(
                action=record["action"],
                reason=record["sentence"],
                safety_tier=decision.safety_tier,
                auto_blocked=True,
            )
        else:
            told = safety_audit(
                goal=record["action"],
                plan_steps=1,
                verdict=decision.audit_verdict,
                risk_level=decision.risk_level,
                risky_steps=[risky_step(1, record["action"], finding, record) for finding in _risky(decision)],
                confirmation_required=decision.verdict is Verdict.CONFIRM,
            )
        return self._publish(told, {"decision": record, "decision_id": decision_id, "context": self.clean(context)})

    def plan(
        self, goal: str, decisions: Sequence[tuple[str, Decision]], *, verdict: Decision, cwd: str
    ) -> tuple[Event, list[dict[str, Any]]]:
        """Write down what was decided about the steps of a plan; nothing of it runs by that.

        Args:
            goal: What the plan is for.
            decisions: Names and decisions, one for each step.
            verdict: The strictest of them.
            cwd: Folder.
        """
        records = [self.plain(decision, name, cwd=cwd) for name, decision in decisions]
        steps = [
            risky_step(number, record["action"], decision.decisive, record)
            for number, ((_, decision), record) in enumerate(zip(decisions, records, strict=True), 1)
            if decision.verdict is not Verdict.ALLOW
        ]
        told = safety_audit(
            goal=self._short(goal),
            plan_steps=len(decisions),
            verdict=verdict.audit_verdict,
            risk_level=verdict.risk_level,
            risky_steps=steps,
            confirmation_required=any(decision.verdict is Verdict.CONFIRM for _, decision in decisions),
        )
        return self._publish(told, {"plan": records}), steps

    def outcome(
        self, decision: Decision, decision_id: str, outcome: str, **details: str | int | float | bool | None
    ) -> Event | None:
        """Write down what came of a decision.

        Raises:
            JournalError: It is not on disk.
        """
        if not self._audit and decision.verdict is Verdict.ALLOW:
            return None
        return self._publish(self.outcome_of(decision, decision_id, outcome, **details), {"decision_id": decision_id})

    def outcome_of(
        self, decision: Decision, decision_id: str, outcome: str, **details: str | int | float | bool | None
    ) -> tuple[EventType, dict[str, Any]]:
        """Type and data of an outcome, for who stores it together with something else."""
        assert outcome in OUTCOMES, outcome
        data: dict[str, Any] = {"action": self._short(decision.action), "decision_id": decision_id, "outcome": outcome}
        data.update({name: self.clean(value) for name, value in details.items() if value is not None})
        return EventType.SAFETY_OUTCOME, data

    def plain(self, decision: Decision, decision_id: str, *, cwd: str) -> dict[str, Any]:
        """A decision as JSON values, without secrets, and not longer than an event may be."""
        short = cache(self._short)  # the same words stand in many places
        whole = decision.as_dict()
        room = ROOM - len(decision.action)
        resolved, findings = [], []
        for line in decision.resolved[:MOST_LINES]:
            room -= len(line)
            if room > 0:
                resolved.append(short(line))
        for found in whole["findings"][:MOST_LINES]:
            effect = found["effect"]
            if (room := room - len(found["says"]) - len(found["part"]) - len(effect["target"])) > 0:
                effect = {**effect, "target": short(effect["target"])}
                findings.append({**found, "says": short(found["says"]), "part": short(found["part"]), "effect": effect})
        record = {
            **whole,
            "action": short(decision.action),
            "sentence": short(decision.sentence),
            "effect": {**whole["effect"], "target": short(decision.effect.target)},
            "resolved": resolved,
            "findings": findings,
            "cwd": cwd,
            "id": decision_id,
            "session": self._session,
        }
        if len(resolved) < len(decision.resolved) or len(findings) < len(decision.findings):
            record["trimmed"] = True
        return record

    def shown(self, decision: Decision) -> Decision:
        """The decision without secrets, with its hash: what people are asked about."""
        clean = cache(self._short)
        findings = tuple(
            replace(
                finding,
                says=clean(finding.says),
                part=clean(finding.part),
                effect=replace(finding.effect, target=clean(finding.effect.target)),
            )
            for finding in decision.findings[:MOST_LINES]
        )
        resolved = tuple(clean(line) for line in decision.resolved[:MOST_LINES])
        return replace(decision, action=clean(decision.action), findings=findings, resolved=resolved)

    def clean(self, value: Any) -> Any:
        """A JSON value without secrets; what has no JSON form is described."""
        return self._redactor.data(_as_json(value))

    def text(self, text: str) -> str:
        """A text without secrets, cut where it is very long."""
        return self._short(text)

    def _short(self, text: str) -> str:
        # Cut twice: what the first cut halves, and so cannot be recognised as a secret, the second one takes away.
        cut = self._redactor.text(text[: 2 * MOST_CHARACTERS]).encode("utf-8", "backslashreplace").decode()
        if len(cut) <= MOST_CHARACTERS and len(text) <= 2 * MOST_CHARACTERS:
            return cut
        return f"{cut[:MOST_CHARACTERS]} [of {len(text):,} characters]"

    def _publish(self, told: tuple[EventType, Mapping[str, Any]], metadata: Mapping[str, Any]) -> Event:
        event_type, data = told
        said = {
            "session": self._session,
            **{name: value for name, value in metadata.items() if value not in (None, {})},
        }
        return self._bridge.publish_sync(event_type, data, metadata=said, timeout=ACKNOWLEDGE_SECONDS)


def risky_step(number: int, action: str, finding: Finding | None, record: Mapping[str, Any]) -> dict[str, Any]:
    """A step as SAFETY_AUDIT lists it."""
    severity = record["risk_level"] if finding is None else finding.verdict.risk_level
    says = next(
        (one["says"] for one in record["findings"] if finding is not None and one["rule"] == finding.rule),
        record["sentence"],
    )
    rule = "" if finding is None else finding.rule
    return {"step": number, "action": action, "risk": says, "severity": severity, "rule": rule}


def _risky(decision: Decision) -> list[Finding]:
    return [finding for finding in decision.findings if finding.verdict is not Verdict.ALLOW][:20]


def _as_json(value: Any) -> Any:
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {str(key): _as_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_as_json(item) for item in value]
    return str(value) if isinstance(value, Path) else repr(value)
