"""Actions written as calls, such as ``delete_path(path="dist", recursive=True)``: read, never executed.

The grammar is Python's, so quoting, escapes, lists and loops mean what they mean there. JSON's ``true``, ``false`` and
``null`` are understood, and so is a JSON object that names a tool and its arguments.
"""

from __future__ import annotations

import ast
import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

__all__ = ["Call", "Many", "Unresolved", "decoded", "listed", "parse_calls", "text_of"]

MAX_ITEMS = 100_000
"""Longest list that is written out; a longer one is only counted."""


@dataclass(frozen=True, slots=True)
class Unresolved:
    """A value that the text does not fix, by its source; ``prefix`` is the known beginning of a text."""

    source: str
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Many:
    """A list whose items are not fixed: how many there are (None: unknown), and its source."""

    count: int | None
    source: str


@dataclass(frozen=True, slots=True)
class Call:
    """One call.

    Attributes:
        name: Its last name, such as ``send`` of ``mail.send``.
        receiver: What stands before the last dot; empty if nothing does.
        positional: Values without a name, in order.
        named: Values by their names. Values are Python's constants, lists, dicts, :class:`Many` or
            :class:`Unresolved`.
        times: How often it is made: 1, or the length of the loop around it; None if that is unknown.
        source: The call as it was written.
    """

    name: str
    receiver: str = ""
    positional: tuple[Any, ...] = ()
    named: Mapping[str, Any] = field(default_factory=dict)
    times: int | None = 1
    source: str = ""

    def get(self, *names: str, at: int | None = None, default: Any = None) -> Any:
        """The value of the first of ``names`` that was given, else the one at a position, else ``default``."""
        for name in names:
            if name in self.named:
                return self.named[name]
        if at is not None and at < len(self.positional):
            return self.positional[at]
        return default

    def given(self, *names: str) -> bool:
        """Whether one of ``names`` was given a value that is not false, empty or ``None``; unresolved counts."""
        return any(name in self.named and self.named[name] not in (None, False, "", 0, "false", "no") for name in names)

    def text(self, *names: str, at: int | None = None) -> str | None:
        """As :meth:`get`, as text; None if it is absent or not fixed."""
        return text_of(self.get(*names, at=at))


def text_of(value: Any) -> str | None:
    """A constant as text; None for what is absent, not fixed or not a constant."""
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return None


def listed(value: Any) -> list[Any]:
    """A list of one thing or many: a list as it is, a text split at commas and semicolons, nothing for None."""
    if value is None:
        return []
    if isinstance(value, list | tuple | set):
        return [item for each in value for item in listed(each)]
    if isinstance(value, str):
        return [part.strip() for part in value.replace(";", ",").split(",") if part.strip()]
    return [value]


def parse_calls(text: str) -> tuple[Call, ...] | None:
    """The calls in ``text`` in the order of execution, loops unrolled into :attr:`Call.times`.

    Returns:
        None if it is not written as calls, or contains something else that acts.
    """
    stripped = text.strip().rstrip(";")
    if stripped.startswith(("{", "[")):
        found = _from_json(stripped)
        if found is not None:
            return found
    tree = _parsed(stripped) or _parsed(_KEYWORD.sub(lambda match: match[1] or f"{match[2]}_=", stripped))
    if tree is None:
        return None
    reader = _Reader()
    try:
        return (all(reader.statement(node, 1) for node in tree.body) and tuple(reader.calls)) or None
    except RecursionError:
        return None


_KEYWORD = re.compile(
    r"""("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|\b(from|with|in|as|class|import|for|is|global|pass|del|not|or|and|if)\s*=(?!=)"""
)
"""Words that Python keeps for itself and that mail and file tools call an argument, outside quoted text."""


def _parsed(text: str) -> ast.Module | None:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _from_json(text: str) -> tuple[Call, ...] | None:
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return None
    calls = []
    for item in said if isinstance(said, list) else [said]:
        if not isinstance(item, dict):
            return None
        function = item.get("function")
        inner = function if isinstance(function, dict) else item
        name = next((inner[key] for key in ("tool", "name", "function", "action", "method") if key in inner), None)
        if not isinstance(name, str):
            return None
        named = next(
            (inner[key] for key in ("arguments", "args", "input", "params", "parameters") if key in inner), None
        )
        if isinstance(named, str):
            try:
                named = json.loads(named)
            except ValueError:
                return None
        if named is None:
            named = {key: value for key, value in inner.items() if inner[key] is not name}
        if not isinstance(named, dict):
            return None
        receiver, _, last = name.rpartition(".")
        calls.append(Call(last, receiver, (), named, 1, json.dumps(item, ensure_ascii=False)))
    return tuple(calls)


_ARGUMENTS = ("arguments", "args", "input", "params", "parameters")
_SAME = {"list", "sorted", "set", "tuple", "Path", "str"}
"""Functions whose result holds what their first argument holds."""
_DECODERS = {"b64decode", "standard_b64decode", "urlsafe_b64decode", "fromhex", "unhexlify", "atob", "unquote"}
_NAMES = {"true": True, "false": False, "null": None, "none": None, "undefined": None}


class _Reader:
    """Collects calls and follows the plain assignments between them."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._variables: dict[str, Any] = {}

    def statement(self, node: ast.stmt, times: int | None) -> bool:
        """Whether the statement was understood."""
        match node:
            case ast.Expr(value=ast.Constant()) | ast.Pass() | ast.Import() | ast.ImportFrom():
                return True
            case ast.Expr(value=value) | ast.Return(value=ast.expr() as value):
                return self._acts(value, times)
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ):
                understood = not isinstance(value, ast.Call | ast.Await) or self._acts(value, times)
                self._variables[name] = self.value(value)
                return understood
            case ast.AugAssign(target=ast.Name(id=name)):
                self._variables[name] = Unresolved(name)
                return True
            case ast.For(target=target, iter=source, body=body) | ast.AsyncFor(target=target, iter=source, body=body):
                return self._loop(target, source, body, times)
            case ast.While(body=body):
                return all(self.statement(inner, None) for inner in body)
            case ast.If(body=body, orelse=orelse):
                return all(self.statement(inner, times) for inner in [*body, *orelse])
            case ast.With(body=body) | ast.AsyncWith(body=body):
                return all(self.statement(inner, times) for inner in body)
            case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=final):
                inside = [*body, *(inner for handler in handlers for inner in handler.body), *orelse, *final]
                return all(self.statement(inner, times) for inner in inside)
        return False

    def _loop(self, target: ast.expr, source: ast.expr, body: Sequence[ast.stmt], times: int | None) -> bool:
        items = self.value(source)
        if isinstance(items, list) and len(items) <= 50 and isinstance(target, ast.Name):
            understood = True
            for item in items:
                self._variables[target.id] = item
                understood = all(self.statement(inner, times) for inner in body) and understood
            return understood
        for name in ast.walk(target):
            if isinstance(name, ast.Name):
                self._variables[name.id] = Unresolved(name.id)
        count = _length(items)
        inner_times = None if count is None or times is None else times * count
        return all(self.statement(inner, inner_times) for inner in body)

    def _acts(self, node: ast.expr, times: int | None) -> bool:
        match node:
            case ast.Await(value=value):
                return self._acts(value, times)
            case ast.ListComp(elt=inner, generators=[one]) | ast.GeneratorExp(elt=inner, generators=[one]):
                return self._loop(one.target, one.iter, [ast.Expr(inner)], times)
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                return all(self._acts(part, times) for part in parts)
            case ast.Call(func=func, args=args, keywords=keywords):
                receiver, name = self._called(func)
                if not name:
                    return False
                if name in {"all", "any", "list", "print", "gather", "len"} and len(args) == 1 and not keywords:
                    return self._acts(args[0], times) if not isinstance(args[0], ast.Constant | ast.Name) else True
                positional = tuple(self.value(argument) for argument in args)
                named = {_argument(key.arg): self.value(key.value) for key in keywords if key.arg is not None}
                for key in keywords:
                    spread = self.value(key.value) if key.arg is None else None
                    if isinstance(spread, dict):
                        named.update({str(inner): value for inner, value in spread.items()})
                    elif spread is not None:
                        named["**"] = spread
                self.calls.append(Call(name, receiver, positional, named, times, ast.unparse(node)))
                return True
        return False

    def _called(self, func: ast.expr) -> tuple[str, str]:
        """Receiver and name of what is called; ``getattr`` with a fixed name is that name."""
        match func:
            case ast.Call(func=ast.Name(id="getattr"), args=[receiver, name, *_]):
                return ast.unparse(receiver), text_of(self.value(name)) or ""
        return _name(func)

    def value(self, node: ast.expr) -> Any:
        """What an expression is, as far as the text says it."""
        match node:
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name):
                if name in self._variables:
                    return self._variables[name]
                return _NAMES[name] if name in _NAMES else Unresolved(name)
            case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
                return self._sequence(parts)
            case ast.Dict(keys=keys, values=values):
                return {
                    text_of(self.value(key)) or ast.unparse(key): self.value(value)
                    for key, value in zip(keys, values, strict=True)
                    if key is not None
                }
            case ast.UnaryOp(op=ast.USub(), operand=inner):
                number = self.value(inner)
                return -number if isinstance(number, int | float) else Unresolved(ast.unparse(node))
            case ast.BinOp(left=left, op=ast.Add() | ast.Mult() | ast.Div(), right=right):
                return self._combined(node, self.value(left), self.value(right))
            case ast.JoinedStr(values=parts):
                return self._joined(node, [self.value(part) for part in parts])
            case ast.FormattedValue(value=inner):
                return self.value(inner)
            case ast.Subscript(value=inner, slice=ast.Slice() as cut):
                return self._cut(node, self.value(inner), cut)
            case ast.ListComp(generators=[one]) | ast.GeneratorExp(generators=[one]) | ast.SetComp(generators=[one]):
                return Many(None if one.ifs else _length(self.value(one.iter)), ast.unparse(node))
            case ast.Call(func=ast.Name(id="range"), args=args) if args:
                return self._range(node, [self.value(argument) for argument in args])
            case ast.Call(func=func, args=[inner, *_]) if _name(func)[1] in {
                "list",
                "sorted",
                "set",
                "tuple",
                "Path",
                "str",
            }:
                return self.value(inner)
            case ast.Call(func=func, args=[inner, *_]) if _name(func)[1] in _DECODERS:
                coded = text_of(self.value(inner))
                return (decoded(coded, _name(func)[1]) if coded else "") or Unresolved(ast.unparse(node))
            case ast.Call(func=ast.Attribute(value=inner, attr="decode"), args=[]):
                return self.value(inner)
            case ast.Call(func=ast.Attribute(value=ast.Constant(value=str() as mark), attr="join"), args=[inner]):
                texts = self.value(inner)
                if isinstance(texts, list) and all(isinstance(part, str) for part in texts):
                    return mark.join(texts)
                return Unresolved(ast.unparse(node))
        return Unresolved(ast.unparse(node))

    def _sequence(self, parts: Sequence[ast.expr]) -> Any:
        items: list[Any] = []
        for part in parts:
            if isinstance(part, ast.Starred):
                inner = self.value(part.value)
                items.extend(inner if isinstance(inner, list) else [inner])
            else:
                items.append(self.value(part))
        return items

    def _combined(self, node: ast.BinOp, left: Any, right: Any) -> Any:
        if isinstance(node.op, ast.Add):
            if isinstance(left, str) and isinstance(right, str):
                return left + right
            if isinstance(left, list) and isinstance(right, list):
                return left + right
            known = left if isinstance(left, str) else left.prefix if isinstance(left, Unresolved) else ""
            return Unresolved(ast.unparse(node), known)
        if isinstance(node.op, ast.Mult):
            if isinstance(left, int):
                left, right = right, left
            if isinstance(left, str | bytes | list) and isinstance(right, int) and not isinstance(right, bool):
                if len(left) * right > MAX_ITEMS:
                    return (
                        Many(len(left) * right, ast.unparse(node)) if isinstance(left, list) else left[:1] * MAX_ITEMS
                    )
                return left * right
            if isinstance(left, int | float) and isinstance(right, int | float):
                return left * right
        if isinstance(node.op, ast.Div) and isinstance(left, str) and isinstance(right, str):
            return f"{left}/{right}"
        return Unresolved(ast.unparse(node))

    def _joined(self, node: ast.JoinedStr, parts: list[Any]) -> Any:
        text = ""
        for part in parts:
            said = text_of(part)
            if said is None:
                return Unresolved(ast.unparse(node), text)
            text += said
        return text

    def _cut(self, node: ast.Subscript, inner: Any, cut: ast.Slice) -> Any:
        bounds = [None if bound is None else self.value(bound) for bound in (cut.lower, cut.upper, cut.step)]
        if not all(bound is None or isinstance(bound, int) for bound in bounds):
            return Unresolved(ast.unparse(node))
        low, high, step = bounds
        if isinstance(inner, str | list):
            return inner[slice(low, high, step)]
        length = _length(inner)
        if length is not None:
            return Many(len(range(length)[slice(low, high, step)]), ast.unparse(node))
        # Of a list of unknown length, at most this many.
        count = high - (low or 0) if isinstance(high, int) and high >= 0 and (low or 0) >= 0 else None
        return Many(count, ast.unparse(node))

    def _range(self, node: ast.Call, bounds: list[Any]) -> Any:
        if not all(isinstance(bound, int) for bound in bounds) or len(bounds) > 3 or bounds[2:] == [0]:
            return Many(None, ast.unparse(node))
        return Many(len(range(*bounds)), ast.unparse(node))


def decoded(text: str, how: str) -> str:
    """A text that is written in hexadecimal, base64 or per cent, as ``how`` names it; empty if it is none."""
    try:
        if how == "unquote":
            return unquote(text)
        raw = bytes.fromhex(text) if "hex" in how else base64.b64decode(text.replace("-", "+").replace("_", "/"))
    except ValueError:
        return ""
    return raw.decode("utf-8", "replace")


def _length(value: Any) -> int | None:
    if isinstance(value, list | tuple | str | dict):
        return len(value)
    return value.count if isinstance(value, Many) else None


def _argument(name: str) -> str:
    return name.removesuffix("_")


def _name(func: ast.expr) -> tuple[str, str]:
    match func:
        case ast.Name(id=name):
            return "", name
        case ast.Attribute(value=value, attr=name):
            return ast.unparse(value), name
    return "", ""
