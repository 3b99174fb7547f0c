"""Permissions as a call names them, in the words of ``chmod``."""

from __future__ import annotations

from reactor_core.safety.calls import Call

__all__ = ["bits", "told"]

_WRITTEN_PLAINLY = frozenset(
    {
        400,
        440,
        444,
        500,
        550,
        555,
        600,
        640,
        644,
        660,
        664,
        666,
        700,
        701,
        710,
        711,
        744,
        750,
        751,
        755,
        770,
        771,
        775,
        776,
        777,
    }
    | {1777, 2755, 2775, 4711, 4755, 6755, 4777, 6777, 2770, 4750, 4511, 7777}
)
"""Octal permissions that people write as plain numbers, ``mode=755``; any other number is what the number says."""


def bits(mode: object) -> str:
    """A mode as ``chmod`` takes it; empty if there is none."""
    if isinstance(mode, bool) or mode is None:
        return ""
    if isinstance(mode, int):
        return str(mode) if mode in _WRITTEN_PLAINLY else f"{mode:o}".zfill(3)
    if isinstance(mode, list):
        mode = ",".join(str(part) for part in mode)
    text = str(mode).strip().lower()
    if any(word in text for word in ("everyone", "world", "public", "other:", "o::", "anyone", "all:")):
        return "o+w" if any(mark in text for mark in ("w", "full", ":f", "modify", "(f)")) else "o+r"
    if text.startswith("-") and len(text) == len("-rwxrwxrwx"):
        text = text[1:]
    if len(text) == len("rwxrwxrwx") and set(text) <= set("rwxst-"):
        return ",".join(f"{who}={text[at : at + 3].replace('-', '')}" for who, at in (("u", 0), ("g", 3), ("o", 6)))
    return text


def told(call: Call) -> str:
    """A mode that a call says in words."""
    if call.given("world_writable", "public", "everyone", "writable_by_all") or "world" in call.name:
        return "o+w"
    if call.given("setuid", "suid"):
        return "u+s"
    if call.given("executable") or "executable" in call.name:
        return "u+x"
    if any(word in call.name for word in ("readonly", "read_only", "private")) or call.given(
        "readonly", "read_only", "private"
    ):
        return "go-w"
    return ""
