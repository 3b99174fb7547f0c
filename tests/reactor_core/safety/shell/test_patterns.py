"""Patterns and braces."""

from __future__ import annotations

import pytest

from reactor_core.safety.shell.nodes import Literal
from reactor_core.safety.shell.patterns import braced, expression, has_magic


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("*.py", "a.py", True),
        ("*.py", "a.pyc", False),
        ("[a-c]?", "bz", True),
        ("[!a]", "a", False),
        ("a.c", "abc", False),
        ("@(a|b)c", "bc", True),
        ("!(a)", "b", True),
        ("!(a)", "a", False),
        ("[[:digit:]]*", "7x", True),
        ("[", "[", True),
    ],
)
def test_a_pattern_fits_as_in_the_shell(pattern: str, text: str, fits: bool) -> None:
    found = expression(((pattern, False),))
    assert found is not None
    assert (found.fullmatch(text) is not None) is fits


def test_quoted_signs_are_plain() -> None:
    found = expression((("*", True),))
    assert found is not None
    assert found.fullmatch("a") is None
    assert has_magic("a*")
    assert not has_magic("a")


def test_braces_give_all_combinations_in_order() -> None:
    assert [word[0].text for word in braced((Literal("{a,b}{1..2}"),)) if isinstance(word[0], Literal)] == [
        "a1",
        "a2",
        "b1",
        "b2",
    ]


def test_quoted_braces_stay() -> None:
    word = (Literal("{a,b}", quoted=True),)
    assert braced(word) == [word]


def test_a_bomb_of_braces_is_cut_short() -> None:
    assert len(braced((Literal("{1..9}" * 12),))) <= 1024
