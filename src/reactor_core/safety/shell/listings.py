"""What commands print that list files, name things or make them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable

from reactor_core.safety.shell.command import Origin
from reactor_core.safety.shell.sources import Source
from reactor_core.safety.shell.state import Value, literal

__all__ = ["LISTINGS"]


def _name_part(source: Source) -> Value | None:
    words = source.operands("s")
    if not words or words[0].text is None:
        return None
    path = words[0].text.rstrip("/") or "/"
    if source.name == "dirname":
        return literal((posixpath.dirname(path) or ".") + "\n")
    base = posixpath.basename(path)
    if len(words) > 1 and words[1].text:
        base = base.removesuffix(words[1].text)
    return literal(base + "\n")


def _resolved_path(source: Source) -> Value | None:
    words = source.operands()
    if len(words) != 1 or words[0].text is None or not source.cwd or words[0].globbed:
        return None
    return literal(posixpath.normpath(posixpath.join(source.cwd, words[0].text)) + "\n")


def _which(source: Source) -> Value | None:
    words = source.operands()
    if source.name in ("command", "type") and not source.flag("-v", "-p", "-P"):
        return None
    return literal("".join(f"/usr/bin/{word.text}\n" for word in words)) if all(word.text for word in words) else None


_OR = frozenset({"-o", "-or", ","})
_AND = frozenset({"-a", "-and"})
_NOT = frozenset({"!", "-not"})
_BY_NAME = frozenset({"-name", "-iname"})
_BY_PATH = frozenset({"-path", "-ipath", "-wholename", "-iwholename"})
_RUNS = frozenset({"-printf", "-fprintf", "-ls", "-exec", "-execdir", "-delete"})
_DEEP = 32
"""More parentheses than this are not taken apart: anything may be found."""
_Tails = tuple[str, ...] | None
"""Patterns below a root, one of which each found path matches; None for anything."""


def _find(source: Source) -> Value | None:
    args = list(source.args)
    while args and args[0].text is not None and re.fullmatch(r"-[HLP]|-O\d?|-D", args[0].text):
        del args[: 2 if args[0].text == "-D" else 1]
    texts = [word.text for word in args]
    first = next((at for at, text in enumerate(texts) if text and text.startswith(("-", "(", "!", ")"))), len(texts))
    roots, tests = args[:first], texts[first:]
    if any(root.text is None for root in roots) or _RUNS & set(tests):
        return None
    tails = None if tests.count("(") > _DEEP else _either(tests, 0)[0]
    whole = ("/*",) if "-mindepth" in tests else ("", "/*")
    starts = [root.text or "." for root in roots] or ["."]
    out = [start.rstrip("/") + tail for start in starts for tail in (whole if tails is None else tails)]
    return Value(("\n".join(one or "/" for one in out) + "\n",), Origin(), globbed=True)


def _either(tests: list[str | None], at: int) -> tuple[_Tails, int]:
    """Alternatives up to the end or a closing parenthesis: all of what any of them finds."""
    found: list[str] = []
    anything = False
    while True:
        tails, at = _each_of(tests, at)
        anything = anything or tails is None
        found += tails or ()
        if at >= len(tests) or tests[at] == ")":
            return None if anything else tuple(dict.fromkeys(found)), at
        at += 1


def _each_of(tests: list[str | None], at: int) -> tuple[_Tails, int]:
    """Conditions up to the next alternative: what the first of them that names something leaves."""
    kept: _Tails = None
    negated = False
    while at < len(tests) and tests[at] not in _OR and tests[at] != ")":
        test, tails = tests[at], None
        if test in _NOT:
            negated = not negated
        elif test == "(":
            tails, at = _either(tests, at + 1)
        elif test in _BY_NAME | _BY_PATH and at + 1 < len(tests):
            at += 1
            tails = _tails(tests[at], by_path=test in _BY_PATH)
        if test not in _NOT | _AND:
            kept = tails if kept is None and not negated else kept
            negated = False
        at += 1
    return kept, at


def _tails(pattern: str | None, *, by_path: bool) -> _Tails:
    if pattern is None:
        return None
    if not by_path:
        return (f"/**/{pattern}",)
    inner = re.sub(r"^(?:\./|\*/)+", "", pattern)
    return (f"/**/{inner}",) if inner.strip("*?/") and not inner.startswith(("/", "*")) else None


def _listed(source: Source) -> Value | None:
    words = source.operands()
    if words and all(word.globbed and word.text for word in words):
        return Value(("\n".join(word.text or "" for word in words) + "\n",), Origin(), globbed=True)
    return None


def _git(source: Source) -> Value | None:
    texts = source.texts or []
    setting = source.shell.scope.setting
    line = " ".join(texts)
    if line == "rev-parse --show-toplevel":
        return literal(setting.project + "\n")
    if line in ("branch --show-current", "rev-parse --abbrev-ref HEAD", "symbolic-ref --short HEAD"):
        return literal(setting.branch + "\n")
    if texts[:1] == ["ls-files"] or (texts[:1] == ["diff"] and "--name-only" in texts) or texts[:2] == ["grep", "-l"]:
        if "-o" in texts or "--others" in texts:
            return None
        patterns = [text for text in texts[1:] if not text.startswith("-") and "*" in text]
        return Value(("\n".join(f"./**/{p}" for p in patterns or ["*"]) + "\n",), Origin(), globbed=True)
    return None


def _grep(source: Source) -> Value | None:
    if not (source.flag("-l", "--files-with-matches", "-L") and source.flag("-r", "-R", "--recursive")):
        if source.name == "rg" and source.flag("-l"):
            pass
        else:
            value = source.stdin
            return None if value is None else Value((None,), value.origin)
    words = source.operands("efmABCgt")
    starts = [word.text for word in words[1:]] or ["."]
    if any(start is None for start in starts):
        return None
    return Value(("\n".join(f"{start}/**/*" for start in starts if start) + "\n",), Origin(), globbed=True)


def _mktemp(source: Source) -> Value:
    world = source.shell.world
    world.descriptors += 1
    words = source.operands("p")
    texts = source.texts or []
    folder = "/tmp"  # noqa: S108  where mktemp makes them
    if "-p" in texts[:-1]:
        folder = texts[texts.index("-p") + 1]
    name = words[-1].text if words and words[-1].text else "tmp.XXXXXXXXXX"
    name = re.sub(r"X{3,}", f"made{world.descriptors}", name)
    if "/" not in name or "-t" in texts:
        name = f"{folder}/{name}"
    path = posixpath.normpath(posixpath.join(source.cwd or "/", name))
    world.made.add(path)
    return literal(path + "\n")


def _fixed(make: Callable[[Source], str]) -> Callable[[Source], Value | None]:
    def made(source: Source) -> Value | None:
        text = make(source)
        return literal(text + "\n") if text else None

    return made


def _printenv(source: Source) -> Value | None:
    words = source.operands()
    if len(words) != 1 or words[0].text is None:
        return None
    ways = source.shell.ways(words[0].text)
    return None if ways is None or len(ways) != 1 else ways[0] + literal("\n")


LISTINGS: dict[str, Callable[[Source], Value | None]] = {
    "basename": _name_part,
    "dirname": _name_part,
    "realpath": _resolved_path,
    "readlink": _resolved_path,
    "which": _which,
    "command": _which,
    "type": _which,
    "find": _find,
    "ls": _listed,
    "git": _git,
    "grep": _grep,
    "egrep": _grep,
    "rg": _grep,
    "mktemp": _mktemp,
    "pwd": _fixed(lambda source: source.cwd),
    "whoami": _fixed(lambda source: "root" if source.shell.scope.privileged else source.shell.scope.setting.user),
    "nproc": _fixed(lambda _source: "16"),
    "printenv": _printenv,
}
