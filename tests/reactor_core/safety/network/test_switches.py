"""Switches."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action


@pytest.mark.parametrize(
    ("action", "verdict"),
    [
        ('PUT https://id.example/v1/policies/mfa {"status":"INACTIVE"}', "block"),
        ('PUT https://id.example/v1/users/dev/mfa {"enabled":true}', "allow"),
        ('POST https://h.example/v1/servers/_bulk {"action":"shutdown","selector":"*"}', "block"),
    ],
)
def test_switches_decides(action: str, verdict: str) -> None:
    assert str(judge_action(action, "network").verdict) == verdict
