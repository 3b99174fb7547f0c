from __future__ import annotations

import pytest

from reactor_core.errors import ConfigError
from reactor_core.events.safety_events import (
    kill_switch_triggered,
    safety_audit,
    safety_blocked,
    safety_confirmation,
    visual_click,
)
from reactor_core.events.vocabulary import EventType

AUDIT = {
    "goal": "Tidy up",
    "plan_steps": 2,
    "verdict": "SAFE",
    "risk_level": "LOW",
    "risky_steps": [],
    "confirmation_required": False,
}


def test_the_action_of_an_audit_is_its_goal():
    event_type, data = safety_audit(**AUDIT)
    assert (event_type, data["action"], data["verdict"]) == (EventType.SAFETY_AUDIT, "Tidy up", "SAFE")


def test_the_action_of_a_kill_is_what_was_halted():
    event_type, data = kill_switch_triggered(
        trigger_method="mouse_corner", halted_action="Sending 500 emails", response_time_ms=147.3
    )
    assert (event_type, data["action"]) == (EventType.KILL_SWITCH_TRIGGERED, "Sending 500 emails")


@pytest.mark.parametrize(("confirmed", "name"), [(True, "SAFETY_CONFIRMED"), (False, "SAFETY_DENIED")])
def test_the_answer_decides_the_type(confirmed, name):
    event_type, data = safety_confirmation(
        action="x", risk_level="LOW", confirmed=confirmed, confirmation_method="voice", user_response=None
    )
    assert (event_type.name, data["confirmed"]) == (name, confirmed)


@pytest.mark.parametrize(("vetoed", "name"), [(True, "VISUAL_CLICK_VETOED"), (False, "VISUAL_CLICK_PREVIEW")])
def test_a_click_says_where_it_would_go(vetoed, name):
    event_type, data = visual_click(x=4, y=3, button="left", vetoed=vetoed, preview_duration_ms=10, veto_reason=None)
    assert (event_type.name, data["action"]) == (name, "left click at (4, 3)")


def test_an_unknown_verdict_or_tier_is_refused_with_the_known_ones():
    with pytest.raises(ConfigError, match="REQUIRES_CONFIRMATION"):
        safety_audit(**AUDIT | {"verdict": "probably fine"})
    with pytest.raises(ConfigError, match="TIER_1_CRITICAL"):
        safety_blocked(action="x", reason="y", safety_tier="TIER_0", auto_blocked=True)
