"""Operators on values of which not everything is known."""

from __future__ import annotations

import pytest

from reactor_core.safety.shell.parameters import changed
from reactor_core.safety.shell.state import UNKNOWN, Value, literal


def test_a_known_end_can_be_cut_off_an_unknown_value() -> None:
    value = Value((None, ".txt"))
    assert changed(value, "%", ((".txt", False),), None, None).parts == (None, "")
    assert changed(value, "%", ((".md", False),), None, None) == value


@pytest.mark.parametrize("op", ["#", "%%", "/", "^^", ":", "@Q"])
def test_what_is_not_known_stays_so(op: str) -> None:
    assert changed(UNKNOWN, op, (("*", False),), "x", (0,)).text is None


@pytest.mark.parametrize(
    ("op", "pattern", "after"),
    [("#", "*/", "usr/lib"), ("##", "*/", "lib"), ("%", "/*", "/usr"), ("%%", "/*", ""), ("^^", "", "/USR/LIB")],
)
def test_known_values_are_changed(op: str, pattern: str, after: str) -> None:
    assert changed(literal("/usr/lib"), op, ((pattern, False),), None, None).text == after


def test_slices_count_from_the_end_too() -> None:
    assert changed(literal("abcdef"), ":", None, None, (-3, 2)).text == "de"
