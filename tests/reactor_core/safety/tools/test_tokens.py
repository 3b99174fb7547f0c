"""Tokens of scripting languages."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from reactor_core.safety.tools.tokens import Token, tokens


def kinds(source: str, language: str) -> list[tuple[str, str]]:
    return [(token.kind, token.text) for token in tokens(source, language)]


def test_a_name_keeps_its_owners() -> None:
    assert kinds("File::Path::rmtree", "perl") == [("name", "File::Path::rmtree")]


def test_escapes_are_resolved_between_double_quotes_only() -> None:
    assert tokens(r'"\x72\155\n"', "perl") == [Token("string", "rm\n")]
    assert tokens(r"'\x72'", "perl")[0].text == "x72"


def test_what_is_put_in_makes_a_string_inexact() -> None:
    assert [token.exact for token in tokens('"$a" "#{b}" "c"', "ruby")] == [False, False, True]


def test_quote_words_of_perl_are_strings_and_commands() -> None:
    assert kinds("q(a) qx{ls} ", "perl") == [("string", "a"), ("run", "ls")]


def test_backquotes_run_in_ruby_and_are_a_template_in_javascript() -> None:
    assert (kinds("`ls`", "ruby"), kinds("`ls`", "node")) == ([("run", "ls")], [("string", "ls")])


def test_comments_are_dropped() -> None:
    assert kinds("a // unlink('x')", "node") == [("name", "a")]
    assert kinds("a # unlink", "perl") == [("name", "a")]


def test_a_pattern_is_no_code() -> None:
    assert ("string", "unlink|rmtree") in kinds("print if /unlink|rmtree/", "perl")


def test_a_slash_behind_a_value_divides() -> None:
    assert kinds("a / b", "node") == [("name", "a"), ("mark", "/"), ("name", "b")]


@settings(deadline=None)  # machines are shared
@given(st.text(max_size=60), st.sampled_from(["perl", "ruby", "node", "php", "lua", "awk"]))
def test_any_text_comes_to_an_end(source: str, language: str) -> None:
    assert len(tokens(source, language)) <= len(source)
