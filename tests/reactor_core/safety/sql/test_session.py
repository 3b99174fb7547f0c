"""What is known from statement to statement."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action
from reactor_core.safety.sql.session import has, position
from reactor_core.safety.sql.tokens import grouped, lex


def test_words_are_looked_for_outside_of_brackets() -> None:
    nodes = grouped(lex("DELETE FROM t (WHERE x) WHERE y", "postgres"))
    assert position(nodes, "WHERE") == 4
    assert has(nodes, "DELETE", "FROM")
    assert not has(nodes, "FROM", "WHERE")


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("SET search_path TO staging; DROP TABLE t", "confirm"),
        ("DROP TABLE t", "block"),
        ("SET @s = 'DROP TABLE t'; PREPARE p FROM @s; EXECUTE p", "block"),
        ("CREATE TABLE scratch_a (x int); DROP TABLE scratch_a", "allow"),
        ("DELETE FROM audit_log WHERE id = 1", "block"),
    ],
)
def test_earlier_statements_count(text: str, verdict: str) -> None:
    assert judge_action(text, "sql").verdict == verdict
