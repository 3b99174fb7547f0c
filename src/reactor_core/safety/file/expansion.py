"""Paths in the arguments of a call: variables, braces and ``file://`` resolved as far as the text allows."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

from reactor_core.safety.calls import Unresolved, listed
from reactor_core.safety.scope import Scope

__all__ = ["expanded", "paths_in"]

MAX_BRACES = 200
"""Paths that braces are written out to; beyond it the rest stays as it is."""

_VARIABLE = re.compile(r"\$\{(\w+)(?::?-([^}]*))?\}|\$(\w+)|%(\w+)%|\{\{\s*(\w+)\s*\}\}")
_TEMPORARY = re.compile(
    r"[\w.]*(make|create|new|mk)_?(temp|tmp|scratch)\w*\(|[\w.]*(mkd?temp|mkstemp|temp_dir|tempdir"
    r"|TemporaryDirectory)\("
)
_INNERMOST = re.compile(r"\{([^{}]*,[^{}]*)\}")


def paths_in(value: Any, scope: Scope) -> list[str | None]:
    """The paths that an argument names, expanded; None stands for one that cannot be known."""
    found: list[str | None] = []
    for item in value if isinstance(value, list | tuple | set) else [value]:
        if isinstance(item, str):
            found += expanded(item, scope)
        elif item is None:
            continue
        elif isinstance(item, Unresolved) and _TEMPORARY.match(item.source):
            found.append("/tmp/reactor-made-here")  # noqa: S108  stands for a name that only the run fixes
        elif isinstance(item, Unresolved) or not isinstance(item, dict):
            found.append(None)
        else:
            found += [path for inner in listed(list(item.values())) for path in paths_in(inner, scope)]
    return found


def expanded(text: str, scope: Scope) -> list[str | None]:
    """One path as all that it stands for; None where a variable is not known."""
    if text.startswith("file://"):
        text = unquote(text.removeprefix("file://").removeprefix("localhost"))
    known = _with_variables(text, scope)
    return [None] if known is None else list(dict.fromkeys(_with_braces(known)))


def _with_variables(text: str, scope: Scope) -> str | None:
    """The text with its variables; None if one of them is not known."""
    setting = scope.setting
    values: dict[str, str | None] = {
        "HOME": setting.home,
        "USERPROFILE": setting.home,
        "USER": setting.user,
        "LOGNAME": setting.user,
        "USERNAME": setting.user,
        "PWD": scope.cwd or None,
        "OLDPWD": None,
        "APPDATA": f"{setting.home}/AppData/Roaming",
        "LOCALAPPDATA": f"{setting.home}/AppData/Local",
        "XDG_CONFIG_HOME": f"{setting.home}/.config",
        "XDG_CACHE_HOME": f"{setting.home}/.cache",
        "SystemRoot": "/Windows",
        "WINDIR": "/Windows",
        **scope.variables,
    }
    unknown = False

    def value(match: re.Match[str]) -> str:
        nonlocal unknown
        name = match[1] or match[3] or match[4] or match[5]
        said = values.get(name)
        if said is None and match[2] is not None:
            said = _with_variables(match[2], scope)
        if said is None:
            unknown = True
            return ""
        return said

    replaced = _VARIABLE.sub(value, text)
    return None if unknown or "$(" in text or "`" in text else replaced


def _with_braces(text: str) -> list[str]:
    done: list[str] = []
    waiting = [text]
    while waiting:
        one = waiting.pop()
        match = _INNERMOST.search(one)
        if match is None or len(done) + len(waiting) > MAX_BRACES:
            done.append(one)
            continue
        waiting += [f"{one[: match.start()]}{part}{one[match.end() :]}" for part in reversed(match[1].split(","))]
    return done
