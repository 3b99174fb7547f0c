"""Functions that are not called where they stand: handed over, wrapped, hung up somewhere, or called by no name."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from reactor_core.safety.python.modules import CALLED, CALLED_LAST, CALLERS
from reactor_core.safety.python.values import Call, Value
from reactor_core.safety.python.world import World
from reactor_core.safety.verdict import Verdict

__all__ = ["grave_only", "hand_over", "is_function", "run_later", "run_perhaps", "wrapped"]

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_PROPERTIES = frozenset({"property", "cached_property", "functools.cached_property", "staticproperty", "validator"})


class _Follower(Protocol):
    world: World

    def invoke(self, function: Value, call: Call, part: str = "") -> Value: ...

    def each(self, value: Value) -> tuple[bool, list[Value]]: ...


def is_function(value: Value) -> bool:
    """Whether it is a function of the snippet, or one that is known to destroy, run or send."""
    if isinstance(value.code, _FUNCTIONS):
        return True
    return value.code is None and (value.bound is not None or _named(value))


def _named(value: Value) -> bool:
    return value.name in CALLED or value.last in CALLED_LAST


@contextmanager
def grave_only(world: World) -> Iterator[None]:
    """Follow what may never run: only what must be blocked counts."""
    before = len(world.findings)
    try:
        yield
    finally:
        world.findings[before:] = [one for one in world.findings[before:] if one.verdict is Verdict.BLOCK]


def run_later(code: ast.ClassDef) -> list[str]:
    """Methods of a class that nobody calls by their name: those with double underscores, and properties."""
    names = []
    for item in code.body:
        if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef)):
            double = item.name.startswith("__") and item.name.endswith("__")
            shown = {ast.unparse(one) for one in item.decorator_list}
            if (double and item.name not in {"__init__", "__call__"}) or shown & _PROPERTIES:
                names.append(item.name)
    return names


def run_perhaps(code: ast.ClassDef) -> list[str]:
    """Other methods of a class with a foreign parent, which may call them: the ``emit`` of a handler of logs."""
    if not code.bases:
        return []
    methods = [item.name for item in code.body if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef))]
    return [name for name in methods if name not in run_later(code) and name not in {"__init__", "__call__"}]


def wrapped(function: Value) -> list[Value]:
    """Functions that were given to the unknown call whose result this is: ``numpy.vectorize(f)`` calls ``f``."""
    if not function.calls or not function.name.endswith("()"):
        return []
    made = function.calls[-1]
    return [value for value in (*made.args, *made.kwargs.values()) if is_function(value)]


def hand_over(follower: _Follower, name: str, call: Call) -> None:
    """Functions that are given to something that may call them, such as a thread.

    Args:
        follower: Whose frame it is.
        name: Of what they are given to.
        call: With which arguments.
    """
    given = [*call.args, *call.kwargs.values()]
    arguments = call.kwargs.get("args")
    for value in given:
        for one in (value, *(value.items or [])):
            if not is_function(one):
                continue
            foreign = one.code is None and one.bound is None
            rest = tuple(arguments.items or ()) if arguments is not None else _others(call, one)
            if name.endswith((".map", ".imap", ".imap_unordered", ".starmap")) and len(call.args) > 1:
                exact, items = follower.each(call.args[1])
                with follower.world.loop("listed" if exact else "open"):
                    for item in items:
                        follower.invoke(one, Call(one.last, (item,)))
            elif not foreign or name.rpartition(".")[2] in CALLERS:
                follower.invoke(one, Call(one.last, rest))
            elif rest:
                with grave_only(follower.world):
                    follower.invoke(one, Call(one.last, rest))


def _others(call: Call, one: Value) -> tuple[Value, ...]:
    """The arguments behind a function; those before it are the caller's own where there are some behind it."""
    at = next((index for index, value in enumerate(call.args) if value is one), -1)
    behind = call.args[at + 1 :]
    return behind or tuple(value for value in call.args if value is not one)
