"""One spelling for a prompt, so that two ways of typing it are one cache entry."""

from __future__ import annotations

import unicodedata

from reactor_core.errors import SpecError

__all__ = ["normalize_prompt"]

_STRAIGHT = str.maketrans({"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"'})
# Zero-width joiner and non-joiner build emoji and Indic letters; every other format character is dropped.
_KEPT_FORMAT = {"\u200d", "\u200c"}


def normalize_prompt(text: str, *, name: str = "prompt") -> str:
    """Compose to NFC, straighten curly quotes, drop control characters, and make one space of any white space.

    Dropped are the categories Cc and Cf (ASCII controls, direction overrides, zero-width marks) but for the two
    zero-width joiners that letters and emoji are built with.

    Args:
        name: The field, for the error message.

    Raises:
        SpecError: Nothing is left.
    """
    composed = unicodedata.normalize("NFC", text).translate(_STRAIGHT)
    kept = (
        " " if character.isspace() else character
        for character in composed
        if character.isspace() or character in _KEPT_FORMAT or unicodedata.category(character) not in {"Cc", "Cf"}
    )
    result = " ".join("".join(kept).split())
    if not result.strip("\u200c\u200d "):
        raise SpecError(
            f"{name}={text[:40]!r} holds only white space and control characters", remedy="say what it should show"
        )
    return result
