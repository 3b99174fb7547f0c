"""The key:value language: ``subject:"red fox" motion:"slow pan" light:dusk`` -> ``red fox, slow pan, dusk``."""

from __future__ import annotations

import re

from reactor_core.errors import SpecError

__all__ = ["compose", "parse"]

ORDER = ("subject", "style", "lens", "motion", "light", "bg")
"""Keys in the order in which their values are written; any other key follows, sorted by name."""

_TOKEN = re.compile(r'\s*(?P<key>[A-Za-z_][A-Za-z0-9_]*):(?:"(?P<quoted>[^"]*)"|(?P<bare>[^\s"]+))(?=\s|$)')


def parse(text: str) -> dict[str, str]:
    """Split into keys and values; a value with spaces stands in double quotes.

    Raises:
        SpecError: Something is no ``key:value``, a key occurs twice, or a value is empty.
    """
    found: dict[str, str] = {}
    position = 0
    text = text.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise SpecError(
                f"{text[position : position + 30].strip()!r} is no key:value",
                remedy='write key:value or key:"two words"',
            )
        key = match["key"].lower()
        value = (match["quoted"] if match["quoted"] is not None else match["bare"]).strip()
        if key in found:
            raise SpecError(f"key {key!r} occurs twice", remedy="keep one of them")
        if not value:
            raise SpecError(f"key {key!r} has no value", remedy="give one or leave the key out")
        found[key] = value
        position = match.end()
    if not found:
        raise SpecError("the prompt holds no key:value", remedy='start with subject:"..."')
    return found


def compose(text: str) -> str:
    """The plain prompt that a key:value text stands for.

    Raises:
        SpecError: As :func:`parse`.
    """
    found = parse(text)
    keys = [key for key in ORDER if key in found] + sorted(set(found) - set(ORDER))
    return ", ".join(found[key] for key in keys)
