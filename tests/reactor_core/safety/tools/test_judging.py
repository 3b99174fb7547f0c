"""Commands against a table of their own."""

from __future__ import annotations

import pytest

from reactor_core.safety.scope import Scope
from reactor_core.safety.setting import RUBRIC_SETTING
from reactor_core.safety.tools.judging import judge_by_table
from reactor_core.safety.tools.line import Known, read_line
from reactor_core.safety.tools.registry import Call, Nowhere
from reactor_core.safety.tools.table import Tool, Use
from reactor_core.safety.verdict import Judged

TOOL = Tool(
    values=("-o",),
    dry=("--dry-run",),
    otherwise="verb",
    paths={"-o": "overwrite"},
    use=(
        Use(sub=("trust",), input="fetched", rule="B5", says="trusts a stranger"),
        Use(sub=("stop",), rule="C4", precious="B4", scratch="C1", many="B4", says="stops {target}"),
        Use(sub=("lock",), rule="C5", remote="B6", says="locks"),
        Use(sub=("wipe",), paths={"operands": "delete_tree"}),
        Use(sub=("run",), nested={"operands": "sql"}),
        Use(sub=("note",), rule="C7", says="notes", also=True),
        Use(sub=("note",), rule="C8", says="shows"),
    ),
)


def rules(text: str, *, host: str = "", fetched: bool = False) -> list[str]:
    words = [Known(word) for word in text.split()]
    scope = Scope(RUBRIC_SETTING, lambda kind, _text, _scope: Judged((), (kind,)), cwd="/home/dev/project", host=host)
    line = read_line("tool", words, values=TOOL.values)
    call = Call(line, (Known("tool"), *words), scope, {}, origin=Nowhere(fetched=fetched), tool=TOOL)
    return [finding.rule for finding in judge_by_table(call, TOOL).findings]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("stop web", ["C4"]),
        ("stop web-prod", ["B4"]),
        ("stop web-tmp", ["C1"]),
        ("stop a b c d", ["B4"]),
        ("stop web*", ["B4"]),
        ("wipe /srv", ["B1"]),
        ("wipe build", []),
        ("note x", ["C7", "C8"]),
        ("list -o /etc/passwd", ["B6"]),
        ("list things", []),
        ("delete thing", ["C4"]),
        ("delete prod-thing", ["B4"]),
        ("create thing", ["C4"]),
        ("stop web-prod --dry-run", ["A4"]),
        ("stop web-prod --dry-run=false", ["B4"]),
    ],
)
def test_the_first_row_that_fits_decides(text: str, expected: list[str]) -> None:
    assert rules(text) == expected


def test_a_row_may_be_worse_on_another_machine() -> None:
    assert (rules("lock"), rules("lock", host="web1")) == (["C5"], ["B6"])


def test_a_row_may_ask_where_the_input_came_from() -> None:
    assert rules("trust", fetched=True) == ["B5"]
    assert rules("trust") != ["B5"]
