"""The judge of Python: a snippet is followed statement by statement, and every call that reaches out is judged."""

from __future__ import annotations

import ast
import textwrap
import warnings
from collections.abc import Mapping

from reactor_core.safety.python.code import CODE, judge_loading
from reactor_core.safety.python.databases import DATABASES, judge_database_method
from reactor_core.safety.python.doubtful import judge_doubtful
from reactor_core.safety.python.files import FILES, judge_file_method
from reactor_core.safety.python.follow import Follower
from reactor_core.safety.python.processes import PROCESSES, judge_process_method
from reactor_core.safety.python.remote import REMOTE_CALLS, judge_remote_method
from reactor_core.safety.python.services import SERVICES, judge_service_method
from reactor_core.safety.python.sinks import judge_showing
from reactor_core.safety.python.values import Call, Value, join_marks
from reactor_core.safety.python.verbs import judge_verb
from reactor_core.safety.python.world import World
from reactor_core.safety.scope import Scope, unclear
from reactor_core.safety.verdict import Judged

__all__ = ["judge"]

_BY_NAME: Mapping[str, object] = {**FILES, **PROCESSES, **CODE, **REMOTE_CALLS, **DATABASES, **SERVICES}
_METHODS = (
    judge_loading,
    judge_file_method,
    judge_process_method,
    judge_remote_method,
    judge_database_method,
    judge_service_method,
    judge_doubtful,
    judge_verb,
)


def judge(text: str, scope: Scope) -> Judged:
    """What a snippet does; see the module."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd escapes in the snippet
            tree = _parsed(textwrap.dedent(text).strip("\n"))
    except (SyntaxError, ValueError):
        return Judged((unclear("this is not Python"),), (text,))
    world = World(scope, _nowhere, _uncalled)
    follower = Follower(world, {}, _dispatch)
    world.run, world.invoke = follower.run_text, follower.invoke
    follower.block(tree.body)
    return Judged(tuple(world.findings), (ast.unparse(tree)[:2_000], *world.resolved), tuple(world.touches))


def _parsed(text: str) -> ast.Module:
    """The tree of a snippet. Line ends inside of quotes, which come about when a text is copied, count as escapes."""
    try:
        return ast.parse(text)
    except SyntaxError:
        mended, quote = [], ""
        for at, character in enumerate(text):
            if character in "'\"" and quote in ("", character) and text[at - 1 : at] != "\\":
                quote = "" if quote else character
            mended.append("\\n" if quote and character == "\n" else character)
        return ast.parse("".join(mended))


def _nowhere(_: str) -> Value:
    raise AssertionError("a world runs text only while it is followed")


def _uncalled(_: Value, __: Call) -> Value:
    raise AssertionError("a world calls functions only while it is followed")


def _dispatch(world: World, function: Value, call: Call, part: str) -> Value:
    """The effect of a call of something outside of the snippet."""
    judge_showing(world, function, call, part)
    handler = _BY_NAME.get(function.name)
    if callable(handler):
        result: Value | None = handler(world, function, call, part)
        if result is not None:
            return result
    if function.owner is not None and any(_is_set(call.kwargs.get(name)) for name in _TRIES):
        return _result(function, call, frozenset())
    for method in _METHODS:
        result = method(world, function, call, part)
        if result is not None and (result.known or result.name or result.path):
            return result
        if result is not None:
            return _result(function, call, result.marks)
    return _result(function, call, frozenset())


_TRIES = ("dry_run", "DryRun", "dryrun", "validate_only", "simulate")
"""Named arguments with which a service says only what it would do."""


def _is_set(value: Value | None) -> bool:
    return value is not None and value.known and value.value not in (False, None, "", "none", "None", 0)


def _result(function: Value, call: Call, marks: frozenset[str]) -> Value:
    """What an unknown call gives back: something whose name says where it comes from."""
    kept = function.marks | join_marks([*call.args, *call.kwargs.values()]) | marks
    calls = (*function.calls, call)[-24:]
    return Value(name=f"{function.name}()" if function.name else "", marks=kept, calls=calls, owner=function.owner)
