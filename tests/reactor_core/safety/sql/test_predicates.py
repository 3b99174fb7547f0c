"""Conditions that pick rows, and conditions that take them all."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reactor_core.safety.sql.predicates import Reach, reach

EVERY = (
    "1 = 1", "id = id", "id IS NOT NULL", "id > 0", "id >= 0 OR 1 = 2", "NOT (1 = 2)", "'a' = 'a'", "id <> 1",
    "name LIKE '%' OR name IS NULL", "status = 'a' OR status <> 'a'", "EXISTS (SELECT 1)", "created_at < now()",
    "id IN (SELECT id FROM users)", "id BETWEEN 0 AND 999999999", "'a' = 0", "@all = 1", "length(name) >= 0",
)  # fmt: skip
SOME = (
    "id = 5", "id IN (1, 2)", "deleted_at IS NOT NULL", "amount > 0", "status <> 'a'", "id = 5 OR id = 6",
    "name LIKE 'a%'",
    "created_at < now() - interval '1 year'", "id IN (SELECT user_id FROM banned)", "users.id = banned.id",
    "EXISTS (SELECT 1 FROM b WHERE b.user_id = users.id)", "id = $1", "id > 1000",
)  # fmt: skip


@pytest.mark.parametrize("condition", EVERY)
def test_a_condition_that_is_always_true_takes_every_row(condition: str) -> None:
    assert reach(condition, target="users", same=frozenset({"users", ""})) is Reach.EVERY


@pytest.mark.parametrize("condition", SOME)
def test_a_condition_that_compares_picks_rows(condition: str) -> None:
    assert reach(condition, target="users", same=frozenset({"users", ""})) is Reach.SOME


def test_only_what_every_dialect_finds_false_takes_none() -> None:
    assert reach("1 = 0") is Reach.NONE
    assert reach("false") is Reach.NONE
    assert reach("'a' = 'b'") is Reach.EVERY


def test_mysql_reads_two_bars_as_or() -> None:
    assert reach("id = 5 OR 1", flavour="mysql") is Reach.EVERY


@settings(deadline=None)
@given(st.integers(-1000, 1000), st.integers(-1000, 1000))
def test_constants_are_compared_as_numbers(a: int, b: int) -> None:
    assert reach(f"{a} < {b}") is (Reach.EVERY if a < b else Reach.NONE)


@settings(deadline=None)
@given(st.sampled_from(SOME))
def test_or_true_widens_every_condition(condition: str) -> None:
    assert reach(f"({condition}) OR 1 = 1", target="users") is Reach.EVERY
