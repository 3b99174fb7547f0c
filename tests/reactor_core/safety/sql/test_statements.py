"""Which judge a statement goes to, and procedures around statements."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action

ROWS = (
    ("allow", "EXPLAIN DELETE FROM users"),
    ("block", "EXPLAIN ANALYZE DELETE FROM users"),
    ("block", "IF 1 = 0 BEGIN SELECT 1 END ELSE DROP TABLE users"),
    ("block", "WHILE 1 = 1 DELETE TOP (100) FROM users"),
    ("block", "WITH a AS (DELETE FROM users RETURNING *) SELECT 1"),
    ("block", "WITH RECURSIVE r AS (SELECT 1 UNION ALL SELECT 1 FROM r) INSERT INTO t SELECT * FROM r"),
    ("confirm", "FROBNICATE users"),
    ("block", "MATCH (n) DETACH DELETE n"),
    ("confirm", "DETACH TABLE orders PERMANENTLY"),
)


@pytest.mark.parametrize(("verdict", "action"), ROWS)
def test_the_effect_decides(verdict: str, action: str) -> None:
    assert judge_action(action, "sql").verdict == verdict
