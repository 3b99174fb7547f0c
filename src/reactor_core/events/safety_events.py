"""What the safety events say. Each carries ``action``, so that one loop can print them all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reactor_core.errors import ConfigError
from reactor_core.events.vocabulary import EventType

__all__ = [
    "SAFETY_TIERS",
    "VERDICTS",
    "kill_switch_triggered",
    "safety_audit",
    "safety_blocked",
    "safety_confirmation",
    "visual_click",
]

VERDICTS = ("SAFE", "SAFE_WITH_MONITORING", "REQUIRES_CONFIRMATION", "BLOCKED")
"""Allow, allow and note a low risk, ask a person, refuse."""

SAFETY_TIERS = ("TIER_1_CRITICAL", "TIER_2_HIGH", "TIER_3_MEDIUM", "TIER_4_LOW")
"""Block; confirm; confirm; allow."""

Told = tuple[EventType, dict[str, Any]]


def safety_audit(
    *,
    goal: str,
    plan_steps: int,
    verdict: str,
    risk_level: str,
    risky_steps: Sequence[Mapping[str, Any]],
    confirmation_required: bool,
) -> Told:
    """An action plan was judged; ``action`` is the goal.

    Raises:
        ConfigError: The verdict is none of :data:`VERDICTS`.
    """
    if verdict not in VERDICTS:
        raise ConfigError(f"verdict={verdict!r} is unknown", remedy=f"use one of {', '.join(VERDICTS)}")
    return EventType.SAFETY_AUDIT, {
        "action": goal,
        "goal": goal,
        "plan_steps": plan_steps,
        "verdict": verdict,
        "risk_level": risk_level,
        "risky_steps": [dict(step) for step in risky_steps],
        "confirmation_required": confirmation_required,
    }


def safety_blocked(*, action: str, reason: str, safety_tier: str, auto_blocked: bool) -> Told:
    """An action was refused.

    Raises:
        ConfigError: The tier is none of :data:`SAFETY_TIERS`.
    """
    if safety_tier not in SAFETY_TIERS:
        raise ConfigError(f"safety_tier={safety_tier!r} is unknown", remedy=f"use one of {', '.join(SAFETY_TIERS)}")
    return EventType.SAFETY_BLOCKED, {
        "action": action,
        "reason": reason,
        "safety_tier": safety_tier,
        "auto_blocked": auto_blocked,
        "verdict": "BLOCKED",
    }


def safety_confirmation(
    *, action: str, risk_level: str, confirmed: bool, confirmation_method: str, user_response: str | None
) -> Told:
    """A person was asked and answered: SAFETY_CONFIRMED or SAFETY_DENIED."""
    return EventType.SAFETY_CONFIRMED if confirmed else EventType.SAFETY_DENIED, {
        "action": action,
        "risk_level": risk_level,
        "confirmed": confirmed,
        "confirmation_method": confirmation_method,
        "user_response": user_response,
    }


def kill_switch_triggered(*, trigger_method: str, halted_action: str, response_time_ms: float) -> Told:
    """Everything was halted; ``action`` is what was going on."""
    return EventType.KILL_SWITCH_TRIGGERED, {
        "action": halted_action,
        "trigger_method": trigger_method,
        "halted_action": halted_action,
        "response_time_ms": response_time_ms,
    }


def visual_click(
    *, x: float, y: float, button: str, vetoed: bool, preview_duration_ms: float, veto_reason: str | None
) -> Told:
    """A click was shown before it was made: VISUAL_CLICK_PREVIEW, or VISUAL_CLICK_VETOED if it was called off."""
    return EventType.VISUAL_CLICK_VETOED if vetoed else EventType.VISUAL_CLICK_PREVIEW, {
        "action": f"{button} click at ({x}, {y})",
        "x": x,
        "y": y,
        "button": button,
        "vetoed": vetoed,
        "preview_duration_ms": preview_duration_ms,
        "veto_reason": veto_reason,
    }
