"""Operators and attributes of constants."""

from __future__ import annotations

import ast
import posixpath
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from reactor_core.safety.python.folding import plain
from reactor_core.safety.python.values import Value, constant

__all__ = ["OPERATORS", "length", "path_attribute", "text_pieces", "too_large", "whole"]

_LARGE = 10**9


def whole(value: Value) -> bool:
    try:
        plain(value)
    except ValueError:
        return False
    return True


def text_pieces(left: Value, right: Value, op: ast.operator) -> tuple[str | None, ...] | None:
    """Parts of a text that is joined or formatted out of something unknown."""
    if isinstance(op, ast.Mod):
        if left.string is None or left.path:
            return None
        pieces: list[str | None] = []
        for index, piece in enumerate(left.string.replace("%r", "%s").replace("%d", "%s").split("%s")):
            pieces += [None] if index else []
            pieces.append(piece)
        return tuple(pieces)
    if left.path or right.path:
        return None
    sides = [[side.string] if side.string is not None else list(side.text or (None,)) for side in (left, right)]
    both = [*sides[0], *sides[1]]
    return tuple(both) if any(part is not None for part in both) else None


def length(a: Any, b: Any) -> int:
    size, times = (len(a), b) if hasattr(a, "__len__") else (len(b), a) if hasattr(b, "__len__") else (0, 0)
    return size * times if isinstance(times, int) else 0


def too_large(a: Any, b: Any) -> bool:
    return length(a, b) >= 8 * _LARGE


OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Mod: lambda a, b: a % b,
    ast.Pow: lambda a, b: a**b,
    ast.FloorDiv: lambda a, b: a // b,
    ast.Div: lambda a, b: a / b,
    ast.BitXor: lambda a, b: a ^ b,
    ast.BitAnd: lambda a, b: a & b,
    ast.BitOr: lambda a, b: a | b,
    ast.LShift: lambda a, b: a << b if b < 64 else 0,
    ast.RShift: lambda a, b: a >> b,
}


def path_attribute(base: Value, attr: str) -> Value | None:
    text = base.string
    if text is None:
        return replace(base, text=None) if attr in ("parent", "parents") else None
    if attr == "parent":
        parent = posixpath.dirname(text.rstrip("/")) or ("." if not text.startswith("/") else "/")
        return Value(known=True, value=parent, path=True, marks=base.marks)
    if attr == "parents":
        parents, at = [], text
        while at not in ("", "/", "."):
            at = posixpath.dirname(at.rstrip("/")) or ("/" if at.startswith("/") else ".")
            parents.append(Value(known=True, value=at, path=True, marks=base.marks))
        return constant(parents)
    name = posixpath.basename(text)
    simple = {"name": name, "stem": posixpath.splitext(name)[0], "suffix": posixpath.splitext(name)[1]}
    if attr in simple and "*" not in name:
        return constant(simple[attr], *base.marks)
    return None
