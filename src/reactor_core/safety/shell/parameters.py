"""What is done to the value of a parameter: ``${x#a}``, ``${x/a/b}``, ``${x:1:2}``, ``${x^^}``, ``${x@Q}``."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace

from reactor_core.safety.shell.patterns import expression
from reactor_core.safety.shell.state import UNKNOWN, Value
from reactor_core.safety.shell.words import ansi_c

__all__ = ["Pieces", "changed"]

Pieces = tuple[tuple[str, bool], ...] | None
"""A pattern: texts, and whether each is quoted; None if it is not known."""


MAX_LENGTH = 400
"""Characters of a value that is matched against a pattern."""


def changed(value: Value, op: str, pattern: Pieces, replacement: str | None, numbers: tuple[int, ...] | None) -> Value:
    """The value after an operator. What is not known stays so, as far as it matters.

    Args:
        value: The value before.
        op: The operator.
        pattern: The word behind it.
        replacement: What replaces the pattern; None: not known.
        numbers: Offset and length of ``:``; None: not known.
    """
    text = value.text
    unknown = Value((None,), value.origin, value.globbed)
    if text is None:
        return _partly(value, op, pattern) or unknown
    if op == ":":
        if numbers is None:
            return unknown
        return replace(value, parts=(_slice(text, numbers),))
    if op.startswith("@"):
        return _transformed(value, text, op[1:])
    if op[0] in "^,~":
        return replace(value, parts=(_cased(text, op),))
    if pattern is None:
        return unknown
    matcher = expression(pattern)
    if matcher is None or len(text) > MAX_LENGTH:
        return unknown
    if op[0] in "#%":
        return replace(value, parts=(_cut(text, op, matcher),))
    if replacement is None:
        return unknown
    return replace(value, parts=(_replaced(text, op, matcher, replacement),))


def _partly(value: Value, op: str, pattern: Pieces) -> Value | None:
    """A plain end cut off a value of which only that end is known, as in ``${f%.txt}``."""
    if op not in ("%", "%%", "#", "##") or pattern is None or any(not quoted and t != t for t, quoted in pattern):
        return None
    plain = "".join(text for text, _ in pattern)
    if any(sign in plain for sign in "*?["):
        return None
    edge = value.parts[-1 if op[0] == "%" else 0]
    if edge is None:
        return None
    if op[0] == "%" and edge.endswith(plain):
        return replace(value, parts=(*value.parts[:-1], edge[: len(edge) - len(plain)]))
    if op[0] == "#" and edge.startswith(plain):
        return replace(value, parts=(edge[len(plain) :], *value.parts[1:]))
    return value


def _slice(text: str, numbers: tuple[int, ...]) -> str:
    start = numbers[0] if numbers[0] >= 0 else max(len(text) + numbers[0], 0)
    if len(numbers) < 2:
        return text[start:]
    end = start + numbers[1] if numbers[1] >= 0 else len(text) + numbers[1]
    return text[start : max(end, start)]


def _cased(text: str, op: str) -> str:
    change = {"^": str.upper, ",": str.lower, "~": str.swapcase}[op[0]]
    return change(text) if len(op) == 2 else change(text[:1]) + text[1:]


def _transformed(value: Value, text: str, how: str) -> Value:
    match how:
        case "Q":
            return replace(value, parts=(shlex.quote(text),))
        case "E":
            return replace(value, parts=(ansi_c(text),))
        case "U":
            return replace(value, parts=(text.upper(),))
        case "L":
            return replace(value, parts=(text.lower(),))
        case "u":
            return replace(value, parts=(text[:1].upper() + text[1:],))
        case _:
            return UNKNOWN


def _cut(text: str, op: str, matcher: re.Pattern[str]) -> str:
    ends = range(len(text) + 1)
    if op[0] == "#":
        for end in reversed(ends) if op == "##" else ends:
            if matcher.fullmatch(text, 0, end):
                return text[end:]
    else:
        for start in ends if op == "%%" else reversed(ends):
            if matcher.fullmatch(text, start):
                return text[:start]
    return text


def _replaced(text: str, op: str, matcher: re.Pattern[str], replacement: str) -> str:
    if op == "/#":
        match = matcher.match(text)
        return replacement + text[match.end() :] if match else text
    if op == "/%":
        for start in range(len(text) + 1):
            if matcher.fullmatch(text, start):
                return text[:start] + replacement
        return text
    count = 0 if op == "//" else 1
    return matcher.sub(lambda match: replacement if match[0] else match[0], text, count=count)
