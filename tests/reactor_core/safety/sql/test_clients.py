"""Commands to the client program."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action

ROWS = (
    ("allow", "\\d users"),
    ("confirm", "\\i cleanup.sql"),
    ("allow", "\\copy (select 1) to 'out.csv' csv"),
    ("confirm", "\\copy t from 'in.csv'"),
    ("confirm", "SELECT 'DROP TABLE ' || tablename FROM pg_tables \\gexec"),
    ("block", "\\! rm -rf /"),
)


@pytest.mark.parametrize(("verdict", "action"), ROWS)
def test_the_effect_decides(verdict: str, action: str) -> None:
    assert judge_action(action, "sql").verdict == verdict
