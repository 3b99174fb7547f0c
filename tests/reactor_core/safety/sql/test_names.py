"""What the name of a table says."""

from __future__ import annotations

import pytest

from reactor_core.safety.setting import RUBRIC_SETTING
from reactor_core.safety.sql.names import Name, Worth, read_names, words_of, worth
from reactor_core.safety.sql.tokens import grouped, lex


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("users", Worth.ORDINARY),
        ("tmp_users", Worth.SCRATCH),
        ("staging.users", Worth.SCRATCH),
        ("prod.tmp_users", Worth.SCRATCH),
        ("tmp.prod_users", Worth.ORDINARY),
        ("#users", Worth.TEMPORARY),
        ("@users", Worth.TEMPORARY),
        ("pg_temp.users", Worth.TEMPORARY),
        ("audit_log", Worth.AUDIT),
        ("pg_catalog.pg_class", Worth.CATALOGUE),
        ("temperature", Worth.ORDINARY),
    ],
)
def test_the_name_says_how_much_is_lost(name: str, expected: Worth) -> None:
    assert worth(Name(tuple(name.split("."))), RUBRIC_SETTING) is expected


def test_what_lives_in_memory_is_temporary() -> None:
    assert worth(Name(("users",)), RUBRIC_SETTING, place=":memory:") is Worth.TEMPORARY


def test_names_are_read_up_to_the_first_other_word() -> None:
    names, behind = read_names(grouped(lex('a.b, "c d" CASCADE', "postgres")))
    assert [str(name) for name in names] == ["a.b", "c d"]
    assert behind == 5


def test_a_name_is_made_of_words() -> None:
    assert words_of("tmpOrders_2") == ["tmp", "orders", "2"]
