"""Exact numbers for rates and times."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from reactor_core.errors import SpecError

__all__ = ["Rational", "parse_rational", "spell_rational"]

Rational = Fraction | int | float | str
"""Whatever people write for a rate or a time; :func:`parse_rational` makes it exact."""


def parse_rational(value: Rational, *, name: str) -> Fraction:
    """Read a number exactly as it is written: 2.2 is 11/5, ``"24000/1001"`` is itself.

    A float counts as its shortest decimal form, which is what its author typed. Text may also be a time code
    ``[[H:]M:]S[.s]``, such as ``"0:01.5"``.

    Args:
        name: The option, for the error message.

    Raises:
        SpecError: The value is no finite number.
    """
    remedy = 'write a number such as 24 or 2.5, a ratio such as "24000/1001", or a time code such as "0:01.5"'
    if isinstance(value, bool) or not isinstance(value, Fraction | int | float | str):
        raise SpecError(f"{name}={value!r} is no number", remedy=remedy)
    if isinstance(value, str):
        text = value.strip()
        if re.fullmatch(r"\d+(:[0-5]?\d){1,2}(\.\d+)?", text):
            total = Fraction(0)
            for part in text.split(":"):
                total = total * 60 + Fraction(part)
            return total
        if len(text) > 40:
            raise SpecError(f"{name} has {len(text)} characters and is no number", remedy=remedy)
    else:
        text = str(value)
    try:
        return Fraction(text) if "/" in text else Fraction(_decimal(text))
    except (ValueError, ZeroDivisionError, InvalidOperation, OverflowError) as error:
        raise SpecError(f"{name}={value!r} is no finite number", remedy=remedy) from error


def _decimal(text: str) -> Decimal:
    value = Decimal(text)
    # Fraction(Decimal("1e999999")) would spell out a million digits.
    if value and abs(value.adjusted()) > 30:
        raise ValueError(text)
    return value


def spell_rational(value: Fraction) -> int | str:
    """A form for JSON that :func:`parse_rational` reads back as the same value."""
    return value.numerator if value.denominator == 1 else f"{value.numerator}/{value.denominator}"
