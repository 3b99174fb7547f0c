from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a1_reactor.types import parse_rational
from a1_reactor.types.rational import spell_rational
from reactor_core.errors import SpecError


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (2.2, Fraction(11, 5)),
        (0.1, Fraction(1, 10)),
        ("24000/1001", Fraction(24000, 1001)),
        ("1e-3", Fraction(1, 1000)),
        (" 3 ", Fraction(3)),
        ("0:01.5", Fraction(3, 2)),
        ("1:02:03", Fraction(3723)),
        (Fraction(1, 3), Fraction(1, 3)),
    ],
)
def test_numbers_mean_what_their_author_typed(written, meant):
    assert parse_rational(written, name="x") == meant


@pytest.mark.parametrize(
    "written", ["", "nan", "inf", "1/0", "two", None, True, [1], float("nan"), "1e999999", "9" * 50, "1:75", "0x10"]
)
def test_what_is_no_finite_number_is_refused_by_name(written):
    with pytest.raises(SpecError, match="seconds"):
        parse_rational(written, name="seconds")


@given(st.fractions(min_value=0, max_value=10_000, max_denominator=10**6))
def test_spelling_is_read_back_exactly(value):
    assert parse_rational(spell_rational(value), name="x") == value


@given(st.decimals(min_value=0, max_value=1000, places=3))
def test_a_float_is_its_decimal_form(value: Decimal):
    assert parse_rational(float(value), name="x") == Fraction(value)
