"""What ``$'..'``, ``echo -e`` and ``printf`` have in common: characters by number and by letter."""

from __future__ import annotations

import re

__all__ = ["LETTERS", "numbered"]

LETTERS = {
    "n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "e": "\x1b", "E": "\x1b", "f": "\f", "v": "\v",
}  # fmt: skip
"""What a letter behind a backslash stands for."""


def numbered(match: re.Match[str]) -> str | None:
    """The character of an escape that gives its number, in hexadecimal (groups 1 to 3) or octal (group 4).

    Returns:
        None if it gives none; the escape as it stands if there is no such character.
    """
    for group in (1, 2, 3):
        if match[group]:
            code = int(match[group], 16)
            return chr(code) if code < 0x110000 else match[0]
    return chr(int(match[4], 8) & 0xFF) if match[4] else None
