"""Making, changing and dropping things."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action

ROWS = (
    ("block", "DROP TABLE a, tmp_b"),
    ("allow", "CREATE TEMP TABLE x (a int); DROP TABLE x"),
    ("block", "CREATE TEMP TABLE users (a int); DROP TABLE public.users"),
    ("block", "ALTER TABLE users RENAME TO tmp_x; DROP TABLE tmp_x"),
    ("confirm", "DROP INDEX i"),
    ("block", "DROP TRIGGER audit_orders ON orders"),
    ("block", "ALTER TABLE t DISABLE ROW LEVEL SECURITY"),
    ("allow", "CREATE OR REPLACE VIEW dev.v AS SELECT 1"),
    ("block", "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO DELETE FROM users"),
    ("confirm", "CREATE TABLE IF NOT EXISTS users (a int)"),
)


@pytest.mark.parametrize(("verdict", "action"), ROWS)
def test_the_effect_decides(verdict: str, action: str) -> None:
    assert judge_action(action, "sql").verdict == verdict
