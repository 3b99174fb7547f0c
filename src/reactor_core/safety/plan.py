"""A plan of several actions, judged before its first step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reactor_core.errors import ConfigError
from reactor_core.safety.engine import KINDS, Decision
from reactor_core.safety.verdict import Verdict

__all__ = ["PlanAudit", "Step", "StepOrder", "as_step"]

Step = str | tuple[str, str] | Mapping[str, str]
"""A shell line; kind and action; or an object with ``action``, and ``kind`` and ``cwd`` where they differ."""


@dataclass(frozen=True, slots=True)
class StepOrder:
    """A step, with what was left out filled in."""

    action: str
    kind: str = "shell"
    cwd: str | None = None


@dataclass(frozen=True, slots=True)
class PlanAudit:
    """What the gate makes of a plan.

    Args:
        goal: What the plan is for.
        decisions: One for each step.
        verdict: The strictest of them.
        audit_verdict: SAFE, SAFE_WITH_MONITORING, REQUIRES_CONFIRMATION or BLOCKED.
        risk_level: LOW, MEDIUM, HIGH or CRITICAL.
        risky_steps: Steps that are not simply allowed: step, action, risk, severity, rule; without secrets.
        confirmation_required: Whether people will be asked about some of the steps.
        event_id: The SAFETY_AUDIT event.
    """

    goal: str
    decisions: tuple[Decision, ...]
    verdict: Verdict
    audit_verdict: str
    risk_level: str
    risky_steps: tuple[Mapping[str, Any], ...]
    confirmation_required: bool
    event_id: str

    @classmethod
    def of(
        cls,
        goal: str,
        decisions: tuple[Decision, ...],
        strictest: Decision,
        risky_steps: tuple[Mapping[str, Any], ...],
        event_id: str,
    ) -> PlanAudit:
        """The audit that follows from the decisions."""
        return cls(
            goal,
            decisions,
            strictest.verdict,
            strictest.audit_verdict,
            strictest.risk_level,
            risky_steps,
            any(decision.verdict is Verdict.CONFIRM for decision in decisions),
            event_id,
        )


def as_step(step: Step) -> StepOrder:
    """A step in full.

    Raises:
        ConfigError: It is no step, or its kind is unknown.
    """
    if isinstance(step, str):
        order = StepOrder(step)
    elif isinstance(step, Mapping):
        if not isinstance(step.get("action"), str):
            raise ConfigError(f"step={dict(step)!r:.200} has no action")
        order = StepOrder(step["action"], step.get("kind", "shell"), step.get("cwd"))
    else:
        kind, action = step
        order = StepOrder(action, kind)
    if order.kind not in KINDS:
        raise ConfigError(f"kind={order.kind!r} is unknown", remedy=f"use one of {', '.join(KINDS)}")
    return order
