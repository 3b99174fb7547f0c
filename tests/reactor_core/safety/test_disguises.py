"""What must be blocked stays blocked however it is written."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from tests.reactor_core.safety.disguises import PYTHON_DISGUISES, SHELL_DISGUISES, SQL_DISGUISES, Disguise

from reactor_core.safety.engine import judge_action
from reactor_core.safety.scoring import read_labelled

KNOWN = Path(__file__).parent / "rows" / "known"
DISGUISES = {"shell": SHELL_DISGUISES, "sql": SQL_DISGUISES, "python": PYTHON_DISGUISES}
CASES = [(kind, name) for kind, disguises in DISGUISES.items() for name in disguises]


def blocked(kind: str) -> list[str]:
    """Known rows that must be blocked and that are."""
    rows = [row.action for row in read_labelled(KNOWN / f"{kind}.jsonl") if row.label == "block"]
    rows = [row for row in rows if judge_action(row, kind).verdict == "block"]
    return [row for row in rows if _plain(kind, row)]


def _plain(kind: str, row: str) -> bool:
    """Whether the row can be put inside of other text without becoming another program."""
    if kind == "sql":
        return "\n" not in row and not row.lstrip().startswith(("\\", "db.", "{")) and row.count("'") % 2 == 0
    if kind == "python":
        try:
            ast.parse(row)
        except SyntaxError:
            return False
        return chr(34) * 3 not in row and "from __future__" not in row and "import *" not in row
    return "<<" not in row


def let_through(kind: str, disguise: Disguise, rows: list[str]) -> list[str]:
    return [row for row in rows if judge_action(disguise(row), kind).verdict == "allow"]


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_no_disguise_lets_a_blocked_row_through(kind: str, name: str) -> None:
    rows = blocked(kind)
    assert len(rows) >= 20
    assert let_through(kind, DISGUISES[kind][name], rows[:: max(1, len(rows) // 6)]) == []


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "name"), CASES)
def test_no_disguise_lets_any_blocked_row_through(kind: str, name: str) -> None:
    assert let_through(kind, DISGUISES[kind][name], blocked(kind)) == []


def test_there_are_enough_disguises_of_each_kind() -> None:
    assert all(len(disguises) >= 13 for disguises in DISGUISES.values())
