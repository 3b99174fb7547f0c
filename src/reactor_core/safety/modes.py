"""Permission words of ``chmod``: what they open and whom they make."""

from __future__ import annotations

import re

__all__ = ["loosens", "sets_user"]

_OCTAL = re.compile(r"[=+-]?0?o?([0-7]{1,5})")
_CLAUSE = re.compile(r"([ugoa]*)((?:[+=-][rwxXstugo]*)+)")
_STEP = re.compile(r"([+=-])([rwxXstugo]*)")


def _octal(mode: str) -> int | None:
    match = _OCTAL.fullmatch(mode.strip())
    return None if match is None or mode.strip().startswith("-") else int(match[1], 8)


def sets_user(mode: str) -> bool:
    """Whether programs run with the rights of their owner or group afterwards (setuid, setgid)."""
    bits = _octal(mode)
    if bits is not None:
        return bool(bits & 0o4000) or bool(bits & 0o2000 and bits & 0o111 and not bits & 0o200)
    return any("s" in what and sign != "-" and who != "g" for who, sign, what in _steps(mode))


def loosens(mode: str, *, group: bool = False) -> bool:
    """Whether everybody may write afterwards; with ``group``: whether anybody but the owner may do anything."""
    bits = _octal(mode)
    if bits is not None:
        return bool(bits & (0o077 if group else 0o002))
    for who, sign, what in _steps(mode):
        others = not who or "o" in who or "a" in who
        if group and sign != "-" and what.strip("st") and who != "u":
            return True
        # Without a name the mask of the process applies, which keeps others from writing.
        if others and who and sign != "-" and ("w" in what or ("u" in what and sign == "=")):
            return True
    return False


def _steps(mode: str) -> list[tuple[str, str, str]]:
    steps = []
    for clause in mode.strip().split(","):
        match = _CLAUSE.fullmatch(clause)
        if match is not None:
            steps += [(match[1], sign, what) for sign, what in _STEP.findall(match[2])]
    return steps
