"""Calls that reach databases."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action

ROWS = (
    ("block", "cur.execute('DELETE FROM users')"),
    ("confirm", "cur.execute('DELETE FROM users WHERE id = 1')"),
    (
        "allow",
        "import sqlite3\nc = sqlite3.connect(':memory:')\nc.execute('CREATE TABLE t (a)')\nc.execute('DROP TABLE t')",
    ),
    ("block", "User.objects.all().delete()"),
    ("confirm", "User.objects.filter(id=1).delete()"),
    ("block", "User.objects.filter(id__gte=0).delete()"),
    ("block", "Base.metadata.drop_all(engine)"),
    ("confirm", "cur.callproc('p')"),
    ("allow", "cur.execute('CREATE TEMP TABLE x AS SELECT 1')\ncur.execute('DROP TABLE x')"),
)


@pytest.mark.parametrize(("verdict", "action"), ROWS)
def test_the_effect_decides(verdict: str, action: str) -> None:
    assert judge_action(action, "python").verdict == verdict
