"""One method per safety event, under the names and arguments that agents already use."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from reactor_core.events.event import Event
from reactor_core.events.safety_events import (
    kill_switch_triggered,
    safety_audit,
    safety_blocked,
    safety_confirmation,
    visual_click,
)
from reactor_core.events.vocabulary import EventType

__all__ = ["SafetyEmitters"]


class SafetyEmitters(ABC):
    """Safety events for whoever can publish. Each is stored always, and each ``data`` has ``action``.

    ``metadata`` is stored beside the data; errors are those of :meth:`publish`, and those named below.
    """

    @abstractmethod
    async def publish(
        self,
        event_type: EventType | str,
        data: Mapping[str, Any],
        priority: int | None = None,
        *,
        metadata: Mapping[str, Any] | None = None,
        dedup_key: str | None = None,
    ) -> Event:
        """Store an event and hand it to everybody who listens."""

    async def emit_safety_audit(
        self,
        goal: str,
        plan_steps: int,
        verdict: str,
        risk_level: str,
        risky_steps: Sequence[Mapping[str, Any]] = (),
        confirmation_required: bool = False,
        *,
        metadata: Mapping[str, Any] | None = None,
    ) -> Event:
        """SAFETY_AUDIT: a plan was judged. ``verdict`` is SAFE, SAFE_WITH_MONITORING, REQUIRES_CONFIRMATION or BLOCKED.

        Raises:
            ConfigError: Another verdict.
        """
        told = safety_audit(
            goal=goal,
            plan_steps=plan_steps,
            verdict=verdict,
            risk_level=risk_level,
            risky_steps=risky_steps,
            confirmation_required=confirmation_required,
        )
        return await self.publish(*told, metadata=metadata)

    async def emit_safety_blocked(
        self,
        action: str,
        reason: str,
        safety_tier: str,
        auto_blocked: bool = True,
        *,
        metadata: Mapping[str, Any] | None = None,
    ) -> Event:
        """SAFETY_BLOCKED: an action was refused. ``safety_tier`` is TIER_1_CRITICAL to TIER_4_LOW.

        Raises:
            ConfigError: Another tier.
        """
        told = safety_blocked(action=action, reason=reason, safety_tier=safety_tier, auto_blocked=auto_blocked)
        return await self.publish(*told, metadata=metadata)

    async def emit_safety_confirmation(
        self,
        action: str,
        risk_level: str,
        confirmed: bool,
        confirmation_method: str,
        user_response: str | None = None,
        *,
        metadata: Mapping[str, Any] | None = None,
    ) -> Event:
        """SAFETY_CONFIRMED or SAFETY_DENIED: a person was asked and answered."""
        told = safety_confirmation(
            action=action,
            risk_level=risk_level,
            confirmed=confirmed,
            confirmation_method=confirmation_method,
            user_response=user_response,
        )
        return await self.publish(*told, metadata=metadata)

    async def emit_kill_switch_triggered(
        self,
        trigger_method: str,
        halted_action: str,
        response_time_ms: float,
        *,
        metadata: Mapping[str, Any] | None = None,
    ) -> Event:
        """KILL_SWITCH_TRIGGERED: everything was halted. Handlers of this process hear it before it is on disk."""
        told = kill_switch_triggered(
            trigger_method=trigger_method, halted_action=halted_action, response_time_ms=response_time_ms
        )
        return await self.publish(*told, metadata=metadata)

    async def emit_visual_click_event(
        self,
        x: float,
        y: float,
        button: str = "left",
        vetoed: bool = False,
        preview_duration_ms: float = 0,
        veto_reason: str | None = None,
        *,
        metadata: Mapping[str, Any] | None = None,
    ) -> Event:
        """VISUAL_CLICK_PREVIEW, or VISUAL_CLICK_VETOED: a click was shown before it was made, or called off."""
        told = visual_click(
            x=x,
            y=y,
            button=button,
            vetoed=vetoed,
            preview_duration_ms=preview_duration_ms,
            veto_reason=veto_reason,
        )
        return await self.publish(*told, metadata=metadata)
