"""Clients of databases."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action


@pytest.mark.parametrize(
    ("action", "verdict"),
    [
        ("psql -c 'DROP TABLE users'", "block"),
        ("psql -c 'SELECT 1'", "allow"),
        ("redis-cli FLUSHALL", "block"),
        ("dropdb prod", "block"),
    ],
)
def test_databases_decides(action: str, verdict: str) -> None:
    assert str(judge_action(action, "shell").verdict) == verdict
