"""Words of a script, as they are written."""

from __future__ import annotations

import pytest

from reactor_core.safety.scope import TooComplex
from reactor_core.safety.shell.grammar import parse
from reactor_core.safety.shell.nodes import Literal, Parameter, Simple, WordNode
from reactor_core.safety.shell.words import ansi_c, joined


def word(text: str) -> WordNode:
    node = parse(f"x {text}").items[0].pipeline.commands[0]
    assert isinstance(node, Simple)
    return node.words[1]


def test_quotes_are_taken_off_and_remembered() -> None:
    assert word("""a'b c'"d"e""") == (Literal("a"), Literal("b cd", quoted=True), Literal("e"))


def test_parameters_keep_their_operator_and_its_argument() -> None:
    assert word("${x:-a b}") == (Parameter("x", False, ":-", (Literal("a b"),)),)
    assert word('"${#x}"')[-1] == Parameter("x", True, "length")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        (r"\x72\x6d", "rm"),
        (r"\162\155", "rm"),
        (r"\u00e9", "é"),
        (r"\xc3\xa9", "é"),
        (r"a\tb\n", "a\tb\n"),
        (r"\'", "'"),
    ],
)
def test_escapes_are_replaced(text: str, meant: str) -> None:
    assert ansi_c(text) == meant


def test_neighbouring_texts_are_joined() -> None:
    assert joined([Literal("a"), Literal("b"), Literal("c", quoted=True)]) == (Literal("ab"), Literal("c", quoted=True))


@pytest.mark.parametrize("text", ["'a", '"a', "$(a", "`a", "${x", "$'a", "a ${}"])
def test_what_is_not_closed_is_no_script(text: str) -> None:
    assert parse(f"echo {text}").broken


def test_nesting_has_an_end() -> None:
    with pytest.raises(TooComplex):
        parse("$(" * 10_000)
    with pytest.raises(TooComplex):
        parse("{ " * 10_000)
