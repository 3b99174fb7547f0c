"""Statements to the server itself."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action

ROWS = (
    ("block", "SHUTDOWN"),
    ("block", "SET GLOBAL general_log = 0"),
    ("confirm", "SET GLOBAL max_allowed_packet = 1000000"),
    ("block", "SET GLOBAL max_connections = 1"),
    ("allow", "SET statement_timeout = 10"),
    ("block", "PURGE BINARY LOGS TO 'x'"),
    ("allow", "RESTORE VERIFYONLY FROM DISK = 'a.bak'"),
    ("block", "ATTACH DATABASE '/var/www/html/a.php' AS x"),
    ("block", "PRAGMA writable_schema = ON"),
    ("allow", "PRAGMA table_info(t)"),
    ("confirm", "VACUUM FULL t"),
)


@pytest.mark.parametrize(("verdict", "action"), ROWS)
def test_the_effect_decides(verdict: str, action: str) -> None:
    assert judge_action(action, "sql").verdict == verdict
