"""Which columns and tables hold secrets."""

from __future__ import annotations

import pytest

from reactor_core.safety.sql.secrets import names_secret, secret_shown
from reactor_core.safety.sql.tokens import grouped, lex


@pytest.mark.parametrize("column", ["password", "password_hash", "api_key", "user_token", "client_secret"])
def test_a_column_that_holds_a_secret(column: str) -> None:
    assert names_secret(column)


@pytest.mark.parametrize("column", ["password_changed_at", "token_count", "secretary", "id"])
def test_a_column_that_only_sounds_like_one(column: str) -> None:
    assert not names_secret(column)


@pytest.mark.parametrize(
    ("projection", "tables", "shown"),
    [
        ("*", ["api_keys"], "api_keys"),
        ("*", ["orders"], ""),
        ("count(*)", ["api_keys"], ""),
        ("id, password", ["users"], "password"),
        ("upper(password)", ["users"], "password"),
        ("length(password)", ["users"], ""),
    ],
)
def test_only_what_is_selected_is_shown(projection: str, tables: list[str], shown: str) -> None:
    assert secret_shown(grouped(lex(projection, "postgres")), tables) == shown
