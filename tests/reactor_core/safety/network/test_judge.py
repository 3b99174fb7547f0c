"""The judge of network actions, as the door calls it."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action
from reactor_core.safety.verdict import Verdict


@pytest.mark.parametrize(
    ("action", "verdict"),
    [
        ("GET https://docs.acme.example/api/delete-all", Verdict.ALLOW),
        ('PATCH https://api.acme.example/v1/users/7 {"plan":"pro"}', Verdict.CONFIRM),
        ("DELETE https://api.github.com/repos/acme/platform/branches/main/protection", Verdict.BLOCK),
        ("LISTEN 0.0.0.0:8003 (API without authentication)", Verdict.CONFIRM),
        ("CONNECT ws://localhost:8000/ws/events", Verdict.ALLOW),
    ],
)
def test_actions(action: str, verdict: Verdict) -> None:
    assert judge_action(action, "network").verdict is verdict
