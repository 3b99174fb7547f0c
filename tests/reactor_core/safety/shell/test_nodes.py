"""The parts of a script can be compared, so that two readings of one text are equal."""

from __future__ import annotations

from reactor_core.safety.shell.grammar import parse
from reactor_core.safety.shell.nodes import Script


def test_two_readings_are_equal_and_two_scripts_are_not() -> None:
    assert parse("if a; then b; fi | c") == parse("if a;then b;fi|c")
    assert parse("a && b") != parse("a || b")
    assert parse("") == Script()
