"""What a program does to the files that its words name, judged by the one place where paths are judged."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from reactor_core.safety import paths
from reactor_core.safety.tools.line import Textual, shown
from reactor_core.safety.tools.registry import Call
from reactor_core.safety.tools.table import PathRole
from reactor_core.safety.verdict import Finding, Judged, Touch

__all__ = [
    "FEW",
    "acts",
    "appended",
    "deleted",
    "fetched",
    "judged_path",
    "literal",
    "merged",
    "overwritten",
    "read",
    "role_of",
]

FEW = 20
"""Named files up to this number are a bounded loss."""


def merged(*parts: Judged | Finding | None) -> Judged:
    """All of them as one, in order."""
    findings: list[Finding] = []
    resolved: list[str] = []
    touches: list[Touch] = []
    for part in parts:
        if isinstance(part, Finding):
            findings.append(part)
        elif part is not None:
            findings.extend(part.findings)
            resolved.extend(part.resolved)
            touches.extend(part.touches)
    return Judged(tuple(findings), tuple(resolved), tuple(touches))


def deleted(call: Call, words: Iterable[Textual], *, recursive: bool) -> Judged:
    """Files and folders that are removed. A word that is not known may be any of them."""
    listed = list(words)
    many = len(listed) > FEW
    return merged(*(_deleted(call, word, recursive, many) for word in listed))


def _deleted(call: Call, word: Textual, recursive: bool, many: bool) -> Judged:
    if word.text is None:
        return merged(_unknown(call, word, "deletes", recursive))
    path = literal(word)
    finding = paths.deletion(path, call.scope, recursive=recursive, many=many)
    return _judged(call, path, "delete", finding)


def _unknown(call: Call, word: Textual, does: str, recursive: bool = False) -> Finding:
    """A target that is not known is asked about, unless all that its beginning can stand for is harmless."""
    prefix = word.known_prefix
    if recursive and prefix.endswith("/") and prefix.strip("/"):
        finding = paths.deletion(f"{prefix}*", call.scope, recursive=recursive)
        if finding is not None and finding.rule == "A3":
            return finding
    return call.found("C6", f"{does} {shown(word)}, which cannot be known beforehand", shown(word), reversible=False)


def overwritten(call: Call, words: Iterable[Textual], *, content: str | None = None) -> Judged:
    """Files whose content is replaced."""
    return merged(*(_overwritten(call, word, content) for word in words))


def _overwritten(call: Call, word: Textual, content: str | None) -> Judged:
    if word.text is None:
        return merged(_unknown(call, word, "overwrites") if _risky_prefix(word) else None)
    path = literal(word)
    return _judged(call, path, "write", paths.overwriting(path, call.scope, content=content))


def _risky_prefix(word: Textual) -> bool:
    """An output whose name is put together in a harmless folder, such as ``build/$(date).log``, is no question."""
    prefix = word.known_prefix
    return prefix == "" or prefix.startswith(("/", "~"))


def literal(word: Textual) -> str:
    """The path of a known word. A quoted star is a character of a name and no pattern."""
    text = word.text or ""
    if word.globbed or not any(mark in text for mark in "*?["):
        return text
    return text.translate(_NO_PATTERN)


_NO_PATTERN = str.maketrans("*?[", "___")


def appended(call: Call, words: Iterable[Textual], *, content: str | None = None) -> Judged:
    """Files that something is added to."""
    return merged(
        *(
            _judged(call, word.text, "write", paths.appending(word.text, call.scope, content=content))
            for word in words
            if word.text is not None
        )
    )


def read(call: Call, words: Iterable[Textual]) -> Judged:
    """Files that are read."""
    parts = []
    for word in words:
        text = word.text if word.text is not None else word.known_prefix
        if text:
            parts.append(_judged(call, text, "read", paths.reading(text, call.scope)))
    return merged(*parts)


def fetched(call: Call, word: Textual) -> bool:
    """Whether the same action got this file from elsewhere."""
    if word.text is None:
        return False
    return word.text in call.scope.fetched or paths.normal(word.text, call.scope) in call.scope.fetched


def acts(call: Call, path: str) -> bool:
    """Whether something new at this place takes effect by itself."""
    return paths.place(path, call.scope) in _ACTING


_ACTING = frozenset(
    {
        paths.Place.SYSTEM, paths.Place.START_FILE, paths.Place.HOOK, paths.Place.CI, paths.Place.POLICY,
        paths.Place.AUDIT_LOG, paths.Place.SECRET, paths.Place.ROOT, paths.Place.DEVICE,
    }
)  # fmt: skip


def role_of(call: Call, words: Iterable[Textual], role: PathRole) -> Judged:
    """Files in the part that a table gives them."""
    match role:
        case "delete":
            return deleted(call, words, recursive=False)
        case "delete_tree":
            return deleted(call, words, recursive=True)
        case "overwrite":
            return overwritten(call, words)
        case "append":
            return appended(call, words)
        case "read":
            return read(call, words)
        case "run":
            return merged(*(_run(call, word) for word in words))
        case "none":
            return Judged()


def _run(call: Call, word: Textual) -> Finding:
    if fetched(call, word):
        return call.found("B5", f"runs {shown(word)}, which the same action has fetched", shown(word), outward=True)
    return call.found("C6", f"runs {shown(word)}, whose content is not known", shown(word))


def judged_path(
    call: Call, word: Textual | str, judge: Callable[[str], Finding | None], *, how: str = "write"
) -> Judged:
    """A known path, judged by one of the functions of :mod:`reactor_core.safety.paths`."""
    path = word if isinstance(word, str) else literal(word)
    return _judged(call, path, how, judge(path))


def _judged(call: Call, path: str, how: str, finding: Finding | None) -> Judged:
    touch = Touch("path", paths.normal(path, call.scope) or path, how)
    if finding is not None and not finding.part:
        finding = Finding(finding.verdict, finding.rule, finding.says, finding.effect, call.part)
    return Judged(() if finding is None else (finding,), (), (touch,))
