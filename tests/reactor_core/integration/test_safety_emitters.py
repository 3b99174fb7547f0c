from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import pytest

from reactor_core.errors import ConfigError
from reactor_core.events import SAFETY_TYPES, Event, EventType, new_event
from reactor_core.integration.safety_emitters import SafetyEmitters

CALLS = [
    ("emit_safety_audit", ("Tidy up", 1, "SAFE", "LOW"), EventType.SAFETY_AUDIT),
    ("emit_safety_blocked", ("rm -rf /", "destructive", "TIER_1_CRITICAL"), EventType.SAFETY_BLOCKED),
    ("emit_safety_confirmation", ("x", "LOW", True, "voice"), EventType.SAFETY_CONFIRMED),
    ("emit_safety_confirmation", ("x", "LOW", False, "voice"), EventType.SAFETY_DENIED),
    ("emit_kill_switch_triggered", ("mouse_corner", "x", 1.5), EventType.KILL_SWITCH_TRIGGERED),
    ("emit_visual_click_event", (1, 2), EventType.VISUAL_CLICK_PREVIEW),
    ("emit_visual_click_event", (1, 2, "left", True), EventType.VISUAL_CLICK_VETOED),
]


class Publisher(SafetyEmitters):
    """Publishes into thin air."""

    async def publish(
        self,
        event_type: EventType | str,
        data: Mapping[str, Any],
        priority: int | None = None,
        *,
        metadata: Mapping[str, Any] | None = None,
        dedup_key: str | None = None,
    ) -> Event:
        return new_event("user", event_type, data, priority=priority, metadata=metadata)[0]


@pytest.mark.parametrize(("method", "arguments", "event_type"), CALLS)
async def test_each_method_publishes_its_type_with_an_action_and_the_metadata(method, arguments, event_type):
    event = await getattr(Publisher(), method)(*arguments, metadata={"row": 7})
    assert event.event_type == event_type
    assert isinstance(event.data["action"], str)
    assert event.metadata == {"row": 7}


def test_every_published_safety_type_has_a_method():
    made_by_the_gate_alone = {EventType.SAFETY_OUTCOME, EventType.ACTIONS_STOPPED}
    assert {event_type for _, _, event_type in CALLS} == SAFETY_TYPES - made_by_the_gate_alone


@pytest.mark.parametrize(
    ("method", "names"),
    [
        ("emit_safety_audit", "goal plan_steps verdict risk_level risky_steps confirmation_required"),
        ("emit_safety_blocked", "action reason safety_tier auto_blocked"),
        ("emit_safety_confirmation", "action risk_level confirmed confirmation_method user_response"),
        ("emit_kill_switch_triggered", "trigger_method halted_action response_time_ms"),
        ("emit_visual_click_event", "x y button vetoed preview_duration_ms veto_reason"),
    ],
)
def test_arguments_have_their_published_names(method, names):
    parameters = list(inspect.signature(getattr(SafetyEmitters, method)).parameters)
    assert parameters == ["self", *names.split(), "metadata"]


async def test_an_unknown_verdict_is_refused():
    with pytest.raises(ConfigError, match="verdict"):
        await Publisher().emit_safety_audit("x", 1, "MAYBE", "LOW")
