"""Decides ``test``, ``[`` and ``[[``, where both sides are known."""

from __future__ import annotations

import re
from collections.abc import Sequence

from reactor_core.safety.shell.command import Word
from reactor_core.safety.shell.parameters import Pieces
from reactor_core.safety.shell.patterns import expression

__all__ = ["holds", "matches"]

_NUMBERS = {"-eq": "==", "-ne": "!=", "-lt": "<", "-le": "<=", "-gt": ">", "-ge": ">="}


def matches(text: str | None, pattern: Pieces) -> bool | None:
    """Whether a text fits a pattern; None: not known."""
    if text is None or pattern is None:
        return None
    matcher = expression(pattern)
    return None if matcher is None else matcher.fullmatch(text) is not None


def holds(words: Sequence[Word], *, patterns: Sequence[Pieces] | None = None) -> bool | None:
    """Whether a condition holds; None: not known.

    Args:
        words: What stands between the brackets.
        patterns: Of ``[[ ]]``: each word as a pattern.
    """
    texts = [word.text for word in words]
    if any(word.many for word in words):
        return None
    if texts and texts[0] == "!" and len(texts) > 1:
        inner = holds(words[1:], patterns=None if patterns is None else patterns[1:])
        return None if inner is None else not inner
    for sign, both in (("||", any), ("-o", any), ("&&", all), ("-a", all)):
        if sign in texts[1:-1]:
            at = texts.index(sign, 1)
            sides = [
                holds(words[:at], patterns=None if patterns is None else patterns[:at]),
                holds(words[at + 1 :], patterns=None if patterns is None else patterns[at + 1 :]),
            ]
            decisive = both is any
            if decisive in sides:
                return decisive
            return None if None in sides else both(bool(side) for side in sides)
    match texts:
        case []:
            return False
        case [one]:
            return None if one is None else one != ""
        case ["-n", one]:
            return None if one is None else one != ""
        case ["-z", one]:
            return None if one is None else one == ""
        case [left, str(op), right]:
            return _compared(left, op, right, None if patterns is None else patterns[2])
        case _:
            return None


def _compared(left: str | None, op: str, right: str | None, pattern: Pieces) -> bool | None:
    if left is None or right is None:
        return None
    if op in ("=", "=="):
        return left == right if pattern is None else matches(left, pattern)
    if op == "!=":
        same = left == right if pattern is None else matches(left, pattern)
        return None if same is None else not same
    if op == "=~":
        if re.search(r"\)[*+?{]|[*+}].*[*+}].*[*+}]", right) or len(left) > 1000:
            return None  # it may take for ever
        try:
            return re.search(right, left) is not None
        except re.error:
            return None
    if op in _NUMBERS:
        try:
            first, second = int(left), int(right)
        except ValueError:
            return None
        return {
            "==": first == second,
            "!=": first != second,
            "<": first < second,
            "<=": first <= second,
            ">": first > second,
            ">=": first >= second,
        }[_NUMBERS[op]]
    return None
