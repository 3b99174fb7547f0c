"""Frameworks."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action


@pytest.mark.parametrize(
    ("action", "verdict"),
    [
        ("alembic current", "allow"),
        ("prisma migrate reset --force", "block"),
        ("rails db:drop", "block"),
        ("alembic upgrade head", "confirm"),
    ],
)
def test_frameworks_decides(action: str, verdict: str) -> None:
    assert str(judge_action(action, "shell").verdict) == verdict
