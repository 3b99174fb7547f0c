"""Functions of servers that do more than compute."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action

ROWS = (
    ("confirm", "SELECT pg_terminate_backend(7)"),
    ("block", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"),
    ("confirm", "SELECT purge_old_orders(3)"),
    ("allow", "SELECT round(a), coalesce(b, 1) FROM t"),
    ("block", "SELECT * FROM dblink('c', 'DROP TABLE users')"),
    ("confirm", "SELECT load_file('/srv/x')"),
    ("block", "SELECT lo_export(1, '/etc/passwd')"),
)


@pytest.mark.parametrize(("verdict", "action"), ROWS)
def test_the_effect_decides(verdict: str, action: str) -> None:
    assert judge_action(action, "sql").verdict == verdict
