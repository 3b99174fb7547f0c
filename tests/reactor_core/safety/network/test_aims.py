"""Which things an address points at."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action


@pytest.mark.parametrize(
    ("action", "verdict"),
    [
        ("DELETE https://a.example/v1/users", "block"),
        ("DELETE https://a.example/v1/users/7", "confirm"),
        ("DELETE https://a.example/v1/users?filter=id%3E0", "block"),
        ("DELETE https://a.example/v1/users?status=gone", "confirm"),
        ("DELETE https://a.example/v1/../v1/users", "block"),
    ],
)
def test_aims_decides(action: str, verdict: str) -> None:
    assert str(judge_action(action, "network").verdict) == verdict
