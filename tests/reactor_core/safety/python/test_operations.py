"""Operators and attributes of constants."""

from __future__ import annotations

import ast
from pathlib import PurePosixPath

from hypothesis import given, settings
from hypothesis import strategies as st

from reactor_core.safety.python.operations import OPERATORS, path_attribute, text_pieces, too_large
from reactor_core.safety.python.values import Value, constant, unknown

NAMES = st.lists(st.text("abc.", min_size=1, max_size=4).filter(lambda name: name.strip(".")), min_size=2, max_size=4)


@settings(deadline=None)
@given(NAMES)
def test_the_parent_of_a_path_is_pathlibs(names: list[str]) -> None:
    path = "/" + "/".join(names)
    parent = path_attribute(Value(known=True, value=path, path=True), "parent")
    assert parent is not None
    assert parent.string == str(PurePosixPath(path).parent)


@settings(deadline=None)
@given(st.integers(), st.integers())
def test_numbers_are_added(a: int, b: int) -> None:
    assert OPERATORS[ast.Add](a, b) == a + b


def test_an_unknown_text_leaves_a_hole() -> None:
    assert text_pieces(constant("rm "), unknown(), ast.Add()) == ("rm ", None)
    assert text_pieces(constant("a %s b"), unknown(), ast.Mod()) == ("a ", None, " b")


def test_more_memory_than_there_is() -> None:
    assert too_large("a", 10**12)
    assert not too_large("a", 10)
