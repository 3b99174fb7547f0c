"""What folders hold, as patterns: a listing stands for every name in it."""

from __future__ import annotations

import posixpath
from dataclasses import replace

from reactor_core.safety.python.values import MANY, Call, Value, constant, unknown
from reactor_core.safety.python.world import World

__all__ = ["glob_of", "names_in", "scandir_of", "walk_of"]


def walk_of(_world: World, _: Value, call: Call, _part: str) -> Value | None:
    top = call.get("top", 0)
    star = constant([constant("*", MANY)], MANY)
    root = (
        replace(top, known=top.string is not None, value=top.string, path=False).marked(MANY)
        if top is not None
        else unknown(MANY)
    )
    return constant([constant((root, star, star))], MANY)


def names_in(_world: World, _: Value, _call: Call, _part: str) -> Value | None:
    return constant([constant("*", MANY)], MANY)


def scandir_of(_world: World, _: Value, call: Call, _part: str) -> Value | None:
    top = call.args[0].string if call.args else "."
    return constant(
        [Value(known=True, path=True, value=posixpath.join(top, "*"), marks=frozenset({MANY}))]
        if top is not None
        else [unknown(MANY)],
        MANY,
    )


def glob_of(_world: World, _: Value, call: Call, _part: str) -> Value | None:
    pattern, root = call.get("pathname", 0), call.kwargs.get("root_dir")
    if pattern is None or pattern.string is None:
        return constant([replace(pattern or unknown(), marks=frozenset({MANY}))], MANY)
    text = posixpath.join(root.string, pattern.string) if root is not None and root.string else pattern.string
    return constant([constant(text, MANY)], MANY)
