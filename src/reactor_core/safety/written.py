"""A file that is being written, and what runs by itself because of it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from reactor_core.safety.scope import Scope
from reactor_core.safety.verdict import Effect, Finding, Scale, Verdict, found

__all__ = ["Written", "effect", "language", "lines", "persistent", "strictest_of"]


@dataclass(frozen=True, slots=True)
class Written:
    """What is written where.

    Attributes:
        path: Absolute, folded.
        content: What is written or added; None if it is not known.
        scope: Where it is written.
        append: Whether what is there stays.
    """

    path: str
    content: str | None
    scope: Scope
    append: bool


def effect(path: str, *, reversible: bool = True) -> Effect:
    """What writing a file does that acts."""
    return Effect(target=path, scale=Scale.ITEM, reversible=reversible, privilege=True)


def lines(content: str) -> list[str]:
    """Lines that are neither empty nor comments."""
    stripped = (line.strip() for line in content.splitlines())
    return [line for line in stripped if line and not line.startswith("#")]


def strictest_of(given: list[tuple[str, str]], scope: Scope) -> Finding | None:
    """The strictest finding of commands, given with their kind."""
    worst: Finding | None = None
    for kind, command in given:
        if not command.strip():
            continue
        for finding in scope.nested(kind, command).findings:
            if worst is None or finding.verdict.rank > worst.verdict.rank:
                worst = finding
    return worst


_HIDDEN = re.compile(
    r"(/bin/\w*sh (-c )?)?['\"]?(/tmp|/var/tmp|/dev/shm|(/\S*|~|\$HOME)?/\.(?!local/|config/"
        r"|cargo/|venv/|pyenv/|nvm/|rbenv/)[\w-]+)/?\S*.*"
)  # fmt: skip


def persistent(it: Written, given: list[tuple[str, str]], *, otherwise: str) -> Finding:
    """What runs again and again by itself: what is blocked stays so, all else is a person's to decide.

    Args:
        it: The file.
        given: Its commands, each with its kind.
        otherwise: The rule for commands that nothing is blocked of.
    """
    worst = strictest_of(given, it.scope)
    if worst is not None and worst.verdict is Verdict.BLOCK:
        return found("B5", f"{it.path} would run by itself: {worst.says}", effect(it.path))
    if any(kind == "shell" and _HIDDEN.match(command) for kind, command in given):
        return found("B5", f"{it.path} would run a hidden program by itself", effect(it.path))
    return found(otherwise, f"changes what runs by itself: {it.path}", effect(it.path))


def language(content: str) -> str:
    """The kind of a script, by its first line."""
    first = content.partition("\n")[0]
    return "python" if first.startswith("#!") and "python" in first else "shell"
