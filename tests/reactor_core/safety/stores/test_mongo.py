"""Commands of MongoDB."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action


@pytest.mark.parametrize(
    ("code", "verdict"),
    [("db.a.find()", "allow"), ("db.a.deleteMany({_id: 7})", "confirm"), ("db.a.deleteMany({})", "block")],
)
def test_code_is_decided(code: str, verdict: str) -> None:
    assert str(judge_action(f"mongosh --eval '{code}'", "shell").verdict) == verdict
