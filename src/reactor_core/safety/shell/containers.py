"""Which files of this machine a container or another root sees, and under which names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reactor_core.safety.scope import Scope
from reactor_core.safety.shell.command import Word
from reactor_core.safety.shell.running import Call, absolute

__all__ = ["THROWAWAY", "mounted", "outside"]

THROWAWAY = "/tmp/reactor-container"  # noqa: S108  regenerable by definition
"""Where the own files of a container that is made for one command are taken to lie."""

Roots = tuple[tuple[str, str], ...]


def mounted(
    call: Call, options: Sequence[tuple[str, Word | None]], operands: Sequence[Word], scope: Scope
) -> tuple[Scope, Roots]:
    """The scope inside, and pairs of what a path begins with inside and outside.

    Args:
        call: The call of the container's program.
        options: Its options.
        operands: Image or container, or the new root.
        scope: What is assumed inside so far.
    """
    name = call.name
    if name in ("chroot", "arch-chroot", "schroot", "systemd-nspawn"):
        target = operands[0].text if operands else None
        for option, value in options:
            if option in ("-D", "--directory") and value is not None:
                target = value.text
        if target is None:
            return replace(scope, cwd="", host=call.scope.host), ()
        root = outside(absolute(target, call.scope.cwd), call.shell.roots)
        return replace(scope, cwd="/", host=call.scope.host), (("/", root),)
    texts = [word.text for word in call.args]
    if "run" not in texts or name in ("kubectl", "oc", "heroku", "fly", "flyctl"):
        return replace(scope, cwd="/"), ()
    pairs: list[tuple[str, str]] = [("/", THROWAWAY)]
    cwd = "/"
    for option, value in options:
        if value is None:
            continue
        if option in ("-v", "--volume"):
            pairs.extend(_volume(value, call))
        elif option == "--mount":
            pairs.extend(_mount(value, call))
        elif option in ("-w", "--workdir"):
            cwd = value.text or "/"
    return replace(scope, cwd=cwd, host=call.scope.host), tuple(sorted(pairs, key=lambda pair: -len(pair[0])))


def _volume(value: Word, call: Call) -> list[tuple[str, str]]:
    text = value.pattern
    source, _, rest = text.partition(":")
    target, _, mode = rest.partition(":")
    if not target or "ro" in mode.split(","):
        return []
    return [(target.rstrip("/") or "/", _source(source, call))]


def _mount(value: Word, call: Call) -> list[tuple[str, str]]:
    found = dict(piece.partition("=")[::2] for piece in value.pattern.split(","))
    source = found.get("source", found.get("src", ""))
    target = found.get("target", found.get("dst", found.get("destination", "")))
    if not source or not target or "readonly" in found or "ro" in found:
        return []
    return [(target.rstrip("/") or "/", _source(source, call))]


def _source(source: str, call: Call) -> str:
    if source.startswith(("/", ".", "~")):
        return absolute(source, call.scope.cwd)
    return f"/var/lib/docker/volumes/{source}/_data"


def outside(path: str, roots: Roots) -> str:
    """The path as this machine knows it."""
    for inner, outer in roots:
        if path == inner or path.startswith(inner.rstrip("/") + "/"):
            rest = path[len(inner.rstrip("/")) :]
            return (outer.rstrip("/") + rest).rstrip("/") or "/"
    return path
