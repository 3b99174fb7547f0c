"""Statements that are texts, and stored procedures."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action

ROWS = (
    ("block", "EXEC('DR' + 'OP TABLE users')"),
    ("confirm", "EXEC usp_close_month"),
    ("allow", "EXEC sp_help 't'"),
    ("block", "EXEC xp_cmdshell 'format d:'"),
    ("confirm", "EXEC(@unknown)"),
    ("block", "PREPARE s FROM 'TRUNCATE users'; EXECUTE s"),
    ("confirm", "SET @q = 0x53454C4543542031; PREPARE s FROM @q; EXECUTE s"),
    ("block", "DO $$ BEGIN EXECUTE reverse('sresu MORF ETELED'); END $$"),
)


@pytest.mark.parametrize(("verdict", "action"), ROWS)
def test_the_effect_decides(verdict: str, action: str) -> None:
    assert judge_action(action, "sql").verdict == verdict
