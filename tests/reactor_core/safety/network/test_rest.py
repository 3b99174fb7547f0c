"""A service of unknown making."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action


@pytest.mark.parametrize(
    ("action", "verdict"),
    [
        ("GET https://docs.a.example/api/delete-all", "allow"),
        ("GET https://admin.a.example/articles/318/delete?confirm=yes", "confirm"),
        ("POST https://a.example/v1/services/web/restart", "confirm"),
        ('POST https://a.example/v1/policies:simulate {"principal":"*"}', "allow"),
        ("DELETE https://a.example/v1/items?dry_run=true", "allow"),
        ("DELETE https://accounts.a.example/v1/me?permanent=true", "block"),
    ],
)
def test_rest_decides(action: str, verdict: str) -> None:
    assert str(judge_action(action, "network").verdict) == verdict
