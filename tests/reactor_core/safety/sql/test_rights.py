"""Accounts and what they may do."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action

ROWS = (
    ("confirm", "GRANT SELECT ON a.b TO kim"),
    ("block", "GRANT ALL ON *.* TO kim WITH GRANT OPTION"),
    ("block", "GRANT SELECT ON customers TO PUBLIC"),
    ("allow", "REVOKE ALL ON t FROM PUBLIC"),
    ("block", "ALTER SERVER ROLE sysadmin ADD MEMBER kim"),
    ("allow", "ALTER ROLE kim NOSUPERUSER"),
    ("confirm", "CREATE USER kim IDENTIFIED BY 'x'"),
    ("confirm", "GRANT UPDATE (address) ON accounts TO viewer"),
)


@pytest.mark.parametrize(("verdict", "action"), ROWS)
def test_the_effect_decides(verdict: str, action: str) -> None:
    assert judge_action(action, "sql").verdict == verdict
