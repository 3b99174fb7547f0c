"""Characters by number and by letter."""

from __future__ import annotations

import re

import pytest

from reactor_core.safety.shell.escapes import LETTERS, numbered

ESCAPE = re.compile(r"\\(?:x([0-9a-f]{1,2})|u([0-9a-f]{1,4})|U([0-9a-f]{1,8})|([0-7]{1,3})|(.))")


@pytest.mark.parametrize(
    ("text", "character"),
    [
        (r"\x72", "r"),
        (r"\u6d", "m"),
        (r"\U1f600", "\U0001f600"),
        (r"\162", "r"),
        (r"\Uffffffff", r"\Uffffffff"),
        (r"\n", None),
    ],
)
def test_a_number_gives_its_character(text: str, character: str | None) -> None:
    match = ESCAPE.fullmatch(text)
    assert match is not None
    assert numbered(match) == character


def test_letters_are_those_of_python_where_python_has_them() -> None:
    for letter in "ntrabfv":
        assert LETTERS[letter] == eval(f"'\\{letter}'")
