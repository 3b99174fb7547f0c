"""What a judge knows while it walks through an action."""

from __future__ import annotations

import pytest

from reactor_core.safety.scope import MAX_DEPTH, MAX_STEPS, Effort, Scope, TooComplex, unclear
from reactor_core.safety.setting import RUBRIC_SETTING
from reactor_core.safety.verdict import Judged


def test_a_nested_part_is_judged_where_it_would_run() -> None:
    seen: list[tuple[str, str, Scope]] = []

    def judge(kind: str, text: str, scope: Scope) -> Judged:
        seen.append((kind, text, scope))
        return Judged(resolved=(text,))

    scope = Scope(setting=RUBRIC_SETTING, judge=judge, cwd="/home/dev/project")
    assert scope.nested("sql", "SELECT 1", dialect="mysql").resolved == ("SELECT 1",)
    (kind, text, inner) = seen[0]
    assert (kind, text, inner.dialect, inner.depth, inner.cwd) == ("sql", "SELECT 1", "mysql", 1, scope.cwd)
    assert inner.effort is scope.effort


def test_endless_nesting_ends() -> None:
    def judge(kind: str, text: str, scope: Scope) -> Judged:
        return scope.nested(kind, text)

    scope = Scope(setting=RUBRIC_SETTING, judge=judge, cwd="/")
    with pytest.raises(TooComplex, match=str(MAX_DEPTH)):
        scope.nested("shell", "sh -c ...")


def test_effort_is_counted_to_the_last_step_and_not_beyond() -> None:
    effort = Effort()
    effort.spend(MAX_STEPS)
    with pytest.raises(TooComplex):
        effort.spend()


def test_what_is_unclear_is_asked() -> None:
    assert (unclear("a variable").rule, unclear("a variable").verdict) == ("C6", "confirm")
