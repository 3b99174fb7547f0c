"""Conditions that can be decided, and those that cannot."""

from __future__ import annotations

import pytest

from reactor_core.safety.shell.command import Word, known
from reactor_core.safety.shell.conditions import holds, matches


@pytest.mark.parametrize(
    ("text", "truth"),
    [("-n x", True), ("-z x", False), ("a = a", True), ("a != a", False), ("2 -lt 10", True), ("x", True), ("", False),
     ("! a = a", False), ("a = a -a b = c", False), ("a = b -o c = c", True), ("-f x", None), ("x -lt 1", None)],
)  # fmt: skip
def test_known_sides_decide(text: str, truth: bool | None) -> None:
    assert holds([known(one) for one in text.split()]) is truth


def test_an_unknown_side_leaves_it_open_unless_the_other_decides() -> None:
    unknown = Word((None,))
    assert holds([unknown, known("="), known("a")]) is None
    assert holds([unknown, known("="), known("a"), known("-o"), known("x"), known("="), known("x")]) is True


def test_patterns_are_matched() -> None:
    assert matches("main", (("ma*", False),)) is True
    assert matches(None, (("*", False),)) is None
