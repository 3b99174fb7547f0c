"""What a subcommand does, by its words."""

from __future__ import annotations

import pytest

from reactor_core.safety.tools.verbs import verb_rule


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        (("list",), "A1"),
        (("describe-instances",), "A1"),
        (("services", "list"), "A1"),
        (("delete-stack",), "destroys"),
        (("clusters", "delete"), "destroys"),
        (("create",), "C4"),
        (("update", "thing"), "C4"),
        (("get-token",), "C8"),
        (("list", "keys"), "A1"),
        (("frobnicate",), ""),
        ((), ""),
    ],
)
def test_words_tell_what_is_done(words: tuple[str, ...], rule: str) -> None:
    assert verb_rule(words) == rule


def test_a_word_of_destruction_wins_wherever_it_stands() -> None:
    assert verb_rule(("list", "delete")) == "destroys"
