"""Paths and scopes that the parts of the engine share."""

from __future__ import annotations

import pytest

from reactor_core.safety.scope import MAX_DEPTH, Scope, TooComplex
from reactor_core.safety.setting import RUBRIC_SETTING
from reactor_core.safety.shell.running import absolute, deeper, on_branch
from reactor_core.safety.verdict import Judged


@pytest.mark.parametrize(
    ("text", "cwd", "path"),
    [
        ("a", "/w", "/w/a"),
        ("../a/./b/", "/w", "/a/b"),
        ("/a//b/../c", "/w", "/a/c"),
        ("a", "", "a"),
        ("/../x", "/w", "/x"),
    ],
)
def test_paths_are_folded(text: str, cwd: str, path: str) -> None:
    assert absolute(text, cwd) == path


def test_depth_is_counted_and_ends() -> None:
    scope = Scope(RUBRIC_SETTING, lambda _kind, _text, _scope: Judged(), cwd="/w")
    for _ in range(MAX_DEPTH):
        scope = deeper(scope)
    with pytest.raises(TooComplex):
        deeper(scope)


def test_a_branch_is_put_into_the_setting_if_there_was_a_switch() -> None:
    assert on_branch(RUBRIC_SETTING, "main").branch == "main"
    assert on_branch(RUBRIC_SETTING, "") is RUBRIC_SETTING
