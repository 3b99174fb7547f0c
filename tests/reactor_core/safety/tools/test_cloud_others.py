"""Hosters."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action


@pytest.mark.parametrize(
    ("action", "verdict"),
    [
        ("doctl compute droplet list", "allow"),
        ("eksctl delete cluster --name main", "block"),
        ("netlify sites:delete portal --force", "block"),
        ("fly deploy --app x", "confirm"),
    ],
)
def test_cloud_others_decides(action: str, verdict: str) -> None:
    assert str(judge_action(action, "cloud").verdict) == verdict
