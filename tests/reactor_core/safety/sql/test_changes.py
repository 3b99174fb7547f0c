"""Deleting, changing and merging rows."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action

ROWS = (
    ("block", "DELETE FROM users"),
    ("confirm", "DELETE FROM users WHERE id = 3"),
    ("confirm", "DELETE FROM users LIMIT 5"),
    ("block", "DELETE u FROM users u LEFT JOIN t ON t.id = u.id"),
    ("confirm", "DELETE u FROM users u JOIN t ON t.uid = u.id"),
    ("block", "UPDATE suppliers SET iban = 'DE1' WHERE id = 2"),
    ("block", "UPDATE users SET is_superuser = 1 WHERE id = 2"),
    ("confirm", "MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN DELETE"),
    ("block", "MERGE INTO t USING t s ON t.id = s.id WHEN MATCHED THEN DELETE"),
)


@pytest.mark.parametrize(("verdict", "action"), ROWS)
def test_the_effect_decides(verdict: str, action: str) -> None:
    assert judge_action(action, "sql").verdict == verdict
