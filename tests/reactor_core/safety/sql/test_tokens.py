"""Tokens of SQL as the dialects differ in them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reactor_core.safety.sql.tokens import FLAVOURS, Group, Kind, grouped, lex, text_of


def raws(text: str, flavour: str) -> list[str]:
    return [token.raw for token in lex(text, flavour)]


def test_a_comment_that_mysql_runs_is_kept_only_where_it_runs() -> None:
    assert raws("/*!50000 DROP */ TABLE t", "mysql") == ["DROP", "TABLE", "t"]
    assert raws("/*!50000 DROP */ TABLE t", "postgres") == ["TABLE", "t"]


def test_a_hash_is_a_comment_or_a_temporary_table() -> None:
    assert raws("DROP TABLE #t", "mysql") == ["DROP", "TABLE"]
    assert raws("DROP TABLE #t", "tsql") == ["DROP", "TABLE", "#t"]


def test_double_quotes_hold_a_text_or_a_name() -> None:
    assert lex('"drop"', "mysql")[0].kind is Kind.STRING
    assert lex('"drop"', "postgres")[0].kind is Kind.NAME


def test_a_backslash_ends_no_text_in_mysql() -> None:
    assert lex(r"'a\'; DROP'", "mysql")[0].text == "a'; DROP"
    assert raws(r"'a\'; x", "postgres")[1] == ";"


def test_comments_nest_where_the_dialect_nests_them() -> None:
    assert raws("/* a /* b */ c */ d", "postgres") == ["d"]
    assert raws("/* a /* b */ c */ d", "oracle")[0] == "c"


@pytest.mark.parametrize("flavour", FLAVOURS)
@settings(deadline=None)
@given(text=st.text(max_size=60))
def test_any_text_has_tokens(flavour: str, text: str) -> None:
    assert all(token.raw for token in lex(text, flavour))


@settings(deadline=None)
@given(depth=st.integers(0, 30))
def test_brackets_become_groups(depth: int) -> None:
    nodes = grouped(lex("(" * depth + "a" + ")" * depth, "postgres"))
    for _ in range(depth):
        assert isinstance(nodes[0], Group)
        nodes = nodes[0].inner
    assert text_of(nodes) == "a"
