"""Programs that change who may do what with a file."""

from __future__ import annotations

import re

from reactor_core.safety import paths
from reactor_core.safety.tools.line import Textual, shown
from reactor_core.safety.tools.registry import Call, handles, nothing
from reactor_core.safety.tools.targets import acts, judged_path, merged
from reactor_core.safety.verdict import Finding, Judged

__all__: list[str] = []

_MODE = re.compile(r"^(?:[0-7]{1,5}|[ugoa]*(?:[-+=][rwxXstugo]*)+(?:,[ugoa]*(?:[-+=][rwxXstugo]*)+)*)$")


@handles("chmod", "gchmod")
def judge_chmod(call: Call) -> Judged | None:
    """The mode is the first word that looks like one: ``-w`` is a mode as well."""
    recursive = call.line.has("-R", "--recursive")
    words = list(call.words[1:])
    mode: str | None = None
    rest: list[Textual] = []
    reference = call.line.has("--reference")
    for word in words:
        text = word.text
        if text is not None and text.startswith("-") and not _MODE.match(text):
            continue
        if mode is None and not reference and text is not None and _MODE.match(text):
            mode = text
            continue
        if mode is None and not reference:
            return merged(call.found("C6", f"sets the mode {shown(word)}, which cannot be known beforehand"))
        rest.append(word)
    if mode is None:
        return nothing() if not rest else merged(call.found("C5", "copies the mode of another file"))
    return merged(*(_change(call, word, mode, recursive) for word in rest))


def _change(call: Call, word: Textual, mode: str, recursive: bool) -> Judged | Finding:
    if word.text is None:
        return call.found("C6", f"changes the mode of {shown(word)}, which cannot be known beforehand", privilege=True)
    return judged_path(call, word, lambda path: paths.mode_change(path, call.scope, mode=mode, recursive=recursive))


@handles("chown", "chgrp", "gchown")
def judge_chown(call: Call) -> Judged | None:
    """Changes the owner."""
    recursive = call.line.has("-R", "--recursive")
    words = call.line.operands if call.line.has("--reference") else call.line.operands[1:]
    owner = call.line.sub(0)
    parts: list[Judged | Finding | None] = []
    for word in words:
        if word.text is None:
            parts.append(call.found("C6", f"changes the owner of {shown(word)}, which cannot be known beforehand"))
            continue
        parts.append(
            judged_path(call, word, lambda path: paths.owner_change(path, call.scope, owner=owner, recursive=recursive))
        )
    return merged(*parts)


@handles("setcap")
def judge_setcap(call: Call) -> Judged | None:
    """Gives a program rights of root."""
    if call.line.has("-v", "-n"):
        return nothing()
    if call.line.has("-r"):
        return merged(call.found("C5", "takes capabilities from a program", privilege=True))
    strong = re.compile(r"setuid|setgid|sys_admin|dac_|sys_ptrace|sys_module|chown|fowner|setfcap|sys_rawio|=e?i?p|all")
    given = call.line.sub(0)
    if strong.search(given):
        return merged(call.found("B5", f"gives a program the right {given}, enough to become root", privilege=True))
    return merged(call.found("C5", f"gives a program the right {given}", privilege=True))


@handles("chattr")
def judge_chattr(call: Call) -> Judged | None:
    """Attributes: making the audit trail writable again, or a system file immutable."""
    parts: list[Judged | Finding | None] = []
    protects = any((word.text or "").startswith("+") for word in call.line.operands)
    for word in call.line.operands:
        text = word.text or ""
        own = not acts(call, text)
        if text.startswith(("+", "=")) or not text or (protects and own):
            continue
        if paths.place(text, call.scope).name in {"AUDIT_LOG", "POLICY"}:
            parts.append(call.found("B5", f"takes the protection from {text}", text, privilege=True))
        else:
            parts.append(call.found("C5", f"changes attributes of {text}", text, privilege=True))
    return merged(*parts)
