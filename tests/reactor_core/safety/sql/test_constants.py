"""Texts that are put together at run time."""

from __future__ import annotations

import pytest

from reactor_core.safety.sql.constants import UNKNOWN_NAME, fold_text


@pytest.mark.parametrize(
    ("flavour", "expression", "text"),
    [
        ("tsql", "'dr' + 'op'", "drop"),
        ("oracle", "CHR(65) || CHR(66)", "AB"),
        ("mysql", "CONCAT('a', @x)", "ab"),
        ("mysql", "UNHEX('4142')", "AB"),
        ("mysql", "FROM_BASE64('QUI=')", "AB"),
        ("tsql", "REVERSE('cba')", "abc"),
        ("postgres", "convert_from(decode('4142', 'hex'), 'utf8')", "AB"),
    ],
)
def test_an_expression_of_constants_has_a_text(flavour: str, expression: str, text: str) -> None:
    assert fold_text(expression, flavour, {"x": "b"})[:2] == (text, True)


def test_an_unknown_part_leaves_a_hole() -> None:
    text, known, _ = fold_text("format('DROP TABLE %I', r.name)", "postgres", {})
    assert (text, known) == (f"DROP TABLE {UNKNOWN_NAME}", False)


def test_nothing_known_is_no_text() -> None:
    assert fold_text("r.cmd", "postgres", {})[0] is None


def test_what_was_decoded_is_told() -> None:
    assert fold_text("UNHEX('4142')", "mysql", {})[2]
    assert not fold_text("'AB'", "mysql", {})[2]
