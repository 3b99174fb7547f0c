"""Arithmetic of the shell, for expressions whose values are known."""

from __future__ import annotations

import re
from collections.abc import Callable

__all__ = ["NotKnown", "evaluate"]

_TOKEN = re.compile(
    r"\s*(\d+#[0-9A-Za-z@_]+|0[xX][0-9a-fA-F]+|\d+|[A-Za-z_]\w*|\*\*|<<=|>>=|<<|>>|<=|>=|==|!=|&&|\|\||\+\+|--"
    r"|[-+*/%&^|]=|[-+*/%&^|<>=!~?:(),])"
)
_LEVELS: list[dict[str, Callable[[int, int], int]]] = [
    {"||": lambda a, b: int(bool(a or b))},
    {"&&": lambda a, b: int(bool(a and b))},
    {"|": lambda a, b: a | b},
    {"^": lambda a, b: a ^ b},
    {"&": lambda a, b: a & b},
    {"==": lambda a, b: int(a == b), "!=": lambda a, b: int(a != b)},
    {
        "<": lambda a, b: int(a < b),
        ">": lambda a, b: int(a > b),
        "<=": lambda a, b: int(a <= b),
        ">=": lambda a, b: int(a >= b),
    },
    {"<<": lambda a, b: a << min(max(b, 0), 63), ">>": lambda a, b: a >> min(max(b, 0), 63)},
    {"+": lambda a, b: a + b, "-": lambda a, b: a - b},
    {"*": lambda a, b: a * b, "/": lambda a, b: _divided(a, b), "%": lambda a, b: a - b * _divided(a, b)},
]


class NotKnown(Exception):
    """The value cannot be derived."""


def _divided(a: int, b: int) -> int:
    if b == 0:
        raise NotKnown
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


def evaluate(text: str, read: Callable[[str], int], write: Callable[[str, int], None]) -> int:
    """The value of an expression, as a number of 64 bits.

    Args:
        text: The expression, without ``$``.
        read: Gives the value of a variable.
        write: Sets one.

    Raises:
        NotKnown: It is no expression, or a value in it is not known.
    """
    if not text.strip():
        return 0
    return _Expression(text, read, write).all()


class _Expression:
    def __init__(self, text: str, read: Callable[[str], int], write: Callable[[str, int], None]) -> None:
        self.tokens: list[str] = []
        at = 0
        text = text.rstrip()
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None or len(self.tokens) > 400:
                raise NotKnown
            self.tokens.append(match[1])
            at = match.end()
        self.tokens.append("")
        self.at = 0
        self.read = read
        self.write = write

    def all(self) -> int:
        value = self.assignment()
        while self.take(","):
            value = self.assignment()
        if self.tokens[self.at]:
            raise NotKnown
        return value

    def take(self, *signs: str) -> str:
        token = self.tokens[self.at]
        if token in signs:
            self.at += 1
            return token
        return ""

    def assignment(self) -> int:
        name = self.tokens[self.at]
        sign = self.tokens[self.at + 1] if name else ""
        if name.isidentifier() and sign in ("=", "+=", "-=", "*=", "/=", "%=", "&=", "^=", "|=", "<<=", ">>="):
            self.at += 2
            value = self.assignment()
            if sign != "=":
                level = next(level for level in _LEVELS if sign[:-1] in level)
                value = level[sign[:-1]](self.read(name), value)
            self.write(name, value)
            return value
        return self.conditional()

    def conditional(self) -> int:
        value = self.binary(0)
        if not self.take("?"):
            return value
        yes = self.assignment()
        if not self.take(":"):
            raise NotKnown
        no = self.assignment()
        return yes if value else no

    def binary(self, level: int) -> int:
        if level == len(_LEVELS):
            return self.power()
        value = self.binary(level + 1)
        while sign := self.take(*_LEVELS[level]):
            value = _wrapped(_LEVELS[level][sign](value, self.binary(level + 1)))
        return value

    def power(self) -> int:
        base = self.unary()
        if not self.take("**"):
            return base
        exponent = self.power()
        if not 0 <= exponent <= 64:
            raise NotKnown
        return _wrapped(base**exponent)

    def unary(self) -> int:
        if sign := self.take("!", "~", "-", "+"):
            value = self.unary()
            return {"!": int(not value), "~": ~value, "-": -value, "+": value}[sign]
        if sign := self.take("++", "--"):
            name = self.tokens[self.at]
            self.at += 1
            value = self.read(name) + (1 if sign == "++" else -1)
            self.write(name, value)
            return value
        if self.take("("):
            value = self.assignment()
            if not self.take(")"):
                raise NotKnown
            return value
        return self.operand()

    def operand(self) -> int:
        token = self.tokens[self.at]
        self.at += 1
        try:
            if "#" in token:
                base, digits = token.split("#", 1)
                return int(digits, int(base))
            if token[:2] in ("0x", "0X"):
                return int(token, 16)
            if token.isdigit():
                return int(token, 8) if token.startswith("0") and len(token) > 1 else int(token)
        except ValueError as error:
            raise NotKnown from error
        if not token.isidentifier():
            raise NotKnown
        value = self.read(token)
        if sign := self.take("++", "--"):
            self.write(token, value + (1 if sign == "++" else -1))
        return value


def _wrapped(value: int) -> int:
    return (value + 2**63) % 2**64 - 2**63
