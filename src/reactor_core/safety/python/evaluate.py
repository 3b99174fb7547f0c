"""Expressions of a snippet: constants are computed, names are followed, calls are handed on."""

from __future__ import annotations

import ast
import posixpath
from collections import ChainMap
from collections.abc import Callable, MutableMapping
from dataclasses import replace
from typing import Any

from reactor_core.safety.python.folding import plain, wrap
from reactor_core.safety.python.indirect import grave_only
from reactor_core.safety.python.modules import canonical, module_value
from reactor_core.safety.python.operations import OPERATORS, length, path_attribute, text_pieces, too_large, whole
from reactor_core.safety.python.values import (
    DECODED,
    INPUT,
    MANY,
    SECRET,
    Call,
    Value,
    constant,
    join_marks,
    named,
    unknown,
)
from reactor_core.safety.python.world import World
from reactor_core.safety.sensitive import secret_name
from reactor_core.safety.verdict import Effect, Scale, found

__all__ = ["Evaluator"]


_GUARDS = frozenset(
    {"gate", "safety", "guard", "policy", "firewall", "audit", "auditor", "antivirus", "guardrail", "sandbox"}
)


def _holds(container: Any, place: Any) -> bool:
    """Whether something can be put at a place of a known container."""
    if isinstance(container, dict):
        return isinstance(place, (str, int))
    return isinstance(container, list) and isinstance(place, int) and place < len(container)


def _one_of(item: Value) -> Value:
    """A bounded part of what a pattern stands for: named things, though their names are not known."""
    if item.string is None or "*" not in item.string:
        return item
    return replace(item, value=item.string.replace("**", "x").replace("*", "x"), marks=item.marks - {MANY})


class Evaluator:
    """Values of expressions in one frame."""

    def __init__(self, world: World, names: MutableMapping[str, Value], dispatch: Callable[..., Value]) -> None:
        self.world = world
        self.names = names
        self.dispatch = dispatch

    def value(self, node: ast.AST | None) -> Value:
        """Value of an expression, its effects noted."""
        if node is None:
            return constant(None)
        self.world.scope.effort.spend()
        method = getattr(self, "_" + type(node).__name__.lower(), None)
        if method is None:
            values = [self.value(child) for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
            return unknown(*join_marks(values))
        found_value: Value = method(node)
        return found_value

    def _constant(self, node: ast.Constant) -> Value:
        return wrap(node.value, frozenset())

    def _name(self, node: ast.Name) -> Value:
        if node.id in self.names:
            return self.names[node.id]
        if node.id in ("__builtins__", "builtins"):
            return named("builtins")
        if node.id == "__file__":
            return constant(posixpath.join(self.world.scope.cwd, "script.py"))
        if node.id == "__name__":
            return constant("__main__")
        return named(node.id)

    def _attribute(self, node: ast.Attribute) -> Value:
        return self.attribute(self.value(node.value), node.attr)

    def attribute(self, base: Value, attr: str) -> Value:
        """An attribute of a value."""
        if isinstance(base.code, ast.ClassDef) and isinstance(base.value, dict):
            if attr in base.value:
                held: Value = base.value[attr]
                return held
            for item in base.code.body:
                if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef)) and item.name == attr:
                    return Value(code=item, owner=base, name=attr)
        if attr in ("__dict__", "__call__") and base.name:
            return base
        if base.name == "tempfile()" and attr == "name":
            return base.calls[-1].args[0]
        if base.path:
            inner = path_attribute(base, attr)
            if inner is not None:
                return inner
        name = canonical(f"{base.name}.{attr}" if base.name else f"?.{attr}")
        preset = module_value(name, self.world.scope.setting)
        if preset is not None:
            return preset
        return Value(name=name, marks=base.marks, calls=base.calls, owner=base)

    def _subscript(self, node: ast.Subscript) -> Value:
        base, key = self.value(node.value), self.value(node.slice)
        if base.name in ("os.environ", "environ") and key.string is not None:
            return self.environment(key.string)
        if base.name in ("globals()", "locals()", "vars()", "builtins", "sys.modules") and key.string is not None:
            root = key.string
            held = self.names.get(root) if base.name != "builtins" else None
            return held or (named("builtins") if root == "__builtins__" else named(canonical(root)))
        if base.items is not None and MANY in base.marks and isinstance(node.slice, ast.Slice):
            return constant([_one_of(item) for item in base.items])
        if base.known and not base.path:
            try:
                inner = base.value[plain(key)]
            except Exception:  # noqa: BLE001  whatever fails at run time has no value
                items = base.items
                return items[0].marked(*base.marks) if items and MANY in base.marks else unknown(*base.marks)
            result = inner if isinstance(inner, Value) else wrap(inner, base.marks)
            return result.marked(DECODED) if isinstance(key.value, slice) and key.value.step == -1 else result
        if (
            key.string is not None
            and base.name
            and not base.calls
            and base.name in ("os", "sys", "subprocess", "shutil")
        ):
            return self.attribute(base, key.string)
        return Value(name=f"{base.name}[]" if base.name else "", marks=base.marks, calls=base.calls, owner=base)

    def environment(self, name: str) -> Value:
        """A variable of the environment."""
        setting = self.world.scope.setting
        presets = {"HOME": setting.home, "USER": setting.user, "PWD": self.world.scope.cwd, "LOGNAME": setting.user}
        if name in presets:
            return constant(presets[name])
        held = self.world.scope.variables.get(name)
        if held is not None:
            return constant(held, INPUT, *([SECRET] if secret_name(name) else []))
        return unknown(INPUT, *([SECRET] if secret_name(name) else []))

    def _slice(self, node: ast.Slice) -> Value:
        parts = [
            self.value(part) if part is not None else constant(None) for part in (node.lower, node.upper, node.step)
        ]
        return constant(slice(*(part.value for part in parts))) if all(part.known for part in parts) else unknown()

    def _list(self, node: ast.List | ast.Tuple | ast.Set) -> Value:
        items: list[Value] = []
        for item in node.elts:
            if isinstance(item, ast.Starred):
                inner = self.value(item.value)
                items += inner.items or [unknown(MANY, *inner.marks)]
            else:
                items.append(self.value(item))
        return Value(known=True, value=tuple(items) if isinstance(node, ast.Tuple) else items)

    _tuple = _list
    _set = _list

    def _dict(self, node: ast.Dict) -> Value:
        held: dict[Any, Value] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            inner = self.value(value)
            if key is None:
                if inner.known and isinstance(inner.value, dict):
                    held.update(inner.value)
                else:
                    held["**"] = inner
                continue
            named_key = self.value(key)
            try:
                held[plain(named_key)] = inner
            except (TypeError, ValueError):
                held[f"?{len(held)}"] = inner
        return constant(held)

    def _joinedstr(self, node: ast.JoinedStr) -> Value:
        parts: list[str | None] = []
        marks: set[str] = set()
        for part in node.values:
            inner = self.value(part.value if isinstance(part, ast.FormattedValue) else part)
            marks |= inner.marks
            text = inner.rendered("\0")
            parts.append(None if text is None or "\0" in text else text)
        if None not in parts:
            return constant("".join(part for part in parts if part is not None), *marks)
        return Value(text=tuple(parts), marks=frozenset(marks))

    def _binop(self, node: ast.BinOp) -> Value:
        return self.operate(self.value(node.left), node.op, self.value(node.right))

    def operate(self, left: Value, op: ast.operator, right: Value) -> Value:
        """The value of ``left op right``."""
        marks = left.marks | right.marks
        if isinstance(op, ast.Div) and (left.path or right.path):
            if left.string is not None and right.string is not None:
                return Value(known=True, value=posixpath.join(left.string, right.string), path=True, marks=marks)
            start = left.string.rstrip("/") + "/" if left.string is not None else None
            return Value(path=True, text=(start, right.string) if start else None, marks=marks)
        if isinstance(op, (ast.Add, ast.Mod)) and not (left.known and right.known and whole(right)):
            pieces = text_pieces(left, right, op)
            if pieces is not None:
                return Value(text=pieces, marks=marks)
        try:
            a, b = plain(left), plain(right)
            if isinstance(op, ast.Pow) and (not isinstance(b, int) or abs(b) > 64):
                return unknown(*marks)
            if isinstance(op, ast.Mult):
                if too_large(a, b):
                    says = "takes more memory than there is"
                    self.world.say(found("B6", says, Effect("memory", Scale.ALL)))
                    return unknown(*marks)
                if length(a, b) > 100_000:
                    return unknown(*marks, "large")
            result = OPERATORS[type(op)](a, b)
        except Exception:  # noqa: BLE001  whatever fails at run time has no value
            return unknown(*marks)
        return wrap(result, marks)

    def _unaryop(self, node: ast.UnaryOp) -> Value:
        inner = self.value(node.operand)
        if isinstance(node.op, ast.USub) and inner.known and isinstance(inner.value, (int, float)):
            return constant(-inner.value)
        if isinstance(node.op, ast.Not) and inner.known:
            return constant(not inner.value)
        return unknown(*inner.marks)

    def _boolop(self, node: ast.BoolOp) -> Value:
        values = [self.value(one) for one in node.values]
        for value in values[:-1]:
            if not value.known:
                return (
                    replace(values[-1], marks=join_marks(values)) if values[-1].known else unknown(*join_marks(values))
                )
            if bool(value.value) == isinstance(node.op, ast.Or):
                return value
        return values[-1]

    def _compare(self, node: ast.Compare) -> Value:
        values = [self.value(one) for one in (node.left, *node.comparators)]
        if len(values) == 2 and all(value.known for value in values) and isinstance(node.ops[0], (ast.Eq, ast.NotEq)):
            try:
                return constant((plain(values[0]) == plain(values[1])) is isinstance(node.ops[0], ast.Eq))
            except ValueError:
                return unknown()
        return named("comparison", calls=(Call("compare", tuple(values)),))

    def _ifexp(self, node: ast.IfExp) -> Value:
        test, body, orelse = self.value(node.test), self.value(node.body), self.value(node.orelse)
        if test.known:
            return body if test.value else orelse
        return body if body == orelse else unknown(*body.marks, *orelse.marks)

    def _namedexpr(self, node: ast.NamedExpr) -> Value:
        value = self.value(node.value)
        self.names[node.target.id] = value
        return value

    def _await(self, node: ast.Await) -> Value:
        return self.value(node.value)

    def _starred(self, node: ast.Starred) -> Value:
        return self.value(node.value)

    def _lambda(self, node: ast.Lambda) -> Value:
        return Value(code=node, name="lambda", value=self.names)

    def _listcomp(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp) -> Value:
        results: list[Value] = []
        exact = self._generate(list(node.generators), lambda: results.append(self.value(node.elt)))
        return Value(known=True, value=results, marks=frozenset() if exact else frozenset({MANY}))

    _setcomp = _listcomp
    _generatorexp = _listcomp

    def _dictcomp(self, node: ast.DictComp) -> Value:
        values: list[Value] = []
        self._generate(list(node.generators), lambda: values.extend((self.value(node.key), self.value(node.value))))
        return unknown(*join_marks(values))

    def _generate(self, generators: list[ast.comprehension], body: Callable[[], object]) -> bool:
        """Run ``body`` for what comprehensions go through; whether all of that is known."""
        if not generators:
            body()
            return True
        first = generators[0]
        exact, items = self.each(self.value(first.iter))
        outer = self.names
        self.names = ChainMap({}, outer) if not isinstance(outer, ChainMap) else outer.new_child()
        with self.world.loop("listed" if exact else "open"):
            for item in items:
                self.bind(first.target, item)
                tests = [self.value(test) for test in first.ifs]
                for test in first.ifs:
                    self.narrow(test)
                if not any(test.known and not test.value for test in tests):
                    exact = self._generate(generators[1:], body) and exact
        self.names = outer
        return exact

    def each(self, value: Value) -> tuple[bool, list[Value]]:
        """What a loop over a value goes through, and whether that is all that is known of it."""
        items = value.items
        if items is not None:
            exact = MANY not in value.marks and not any(MANY in item.marks for item in items)
            return exact, items[:200]
        if value.known and isinstance(value.value, dict):
            return True, [constant(key) for key in list(value.value)[:200]]
        if value.known and isinstance(value.value, range):
            return len(value.value) <= 10_000, [constant(one) for one in list(value.value[:3])]
        if value.string is not None and not value.path:
            return True, [constant(one) for one in value.string[:200]]
        each = Value(
            name=f"{value.name}[]" if value.name else "", marks=value.marks | {MANY}, calls=value.calls, owner=value
        )
        return False, [each]

    def bind(self, target: ast.AST, value: Value) -> None:
        """Assign a value to a target."""
        if isinstance(target, ast.Name):
            self.names[target.id] = value
        elif isinstance(target, (ast.Tuple, ast.List)):
            items = value.items
            exact = items is not None and len(items) == len(target.elts)
            for index, part in enumerate(target.elts):
                inner = part.value if isinstance(part, ast.Starred) else part
                self.bind(inner, items[index] if exact and items else Value(name=f"{value.name}[]", marks=value.marks))
        elif isinstance(target, ast.Attribute):
            base = self.value(target.value)
            if isinstance(base.code, ast.ClassDef) and isinstance(base.value, dict):
                base.value[target.attr] = value
            else:
                self.assigned(base, target.attr, value)
        elif isinstance(target, ast.Subscript):
            base, key = self.value(target.value), self.value(target.slice)
            place = key.value if key.known else None
            if base.name == "os.environ" and key.string is not None:
                held = {**self.world.scope.variables, key.string: value.string}
                self.world.scope = replace(self.world.scope, variables=held)
            elif base.known and _holds(base.value, place):
                base.value[place] = value

    def assigned(self, base: Value, attr: str, value: Value) -> None:
        """An attribute of something outside of the snippet is set."""
        self.names[f"{base.name}.{attr}"] = value
        if isinstance(value.code, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            with grave_only(self.world):  # a hook, which somebody may call
                self.world.invoke(value, Call(attr))
        if base.name.startswith("reactor_core.safety"):
            self.world.say(found("B5", f"replaces {attr} of the safety gate", Effect(base.name, privilege=True)))
        words = set(base.name.lower().replace("_", ".").split("."))
        off = value.known and value.value in (False, None, 0)
        if words & _GUARDS and off and attr in ("enabled", "active", "enforce", "strict", "enable", "on"):
            self.world.say(found("B5", f"switches {base.name} off", Effect(base.name, Scale.ALL, privilege=True)))

    def narrow(self, test: ast.AST) -> None:
        """``if name.endswith('.pyc')`` says more of a path that ended in ``*``."""
        name: ast.AST | None = None
        ending, whole = "", False
        if (
            isinstance(test, ast.Call)
            and isinstance(test.func, ast.Attribute)
            and test.func.attr == "endswith"
            and test.args
        ):
            name, ending = test.func.value, self.value(test.args[0]).string or ""
        elif isinstance(test, ast.Compare) and isinstance(test.left, ast.Attribute) and isinstance(test.ops[0], ast.Eq):
            name, ending = test.left.value, self.value(test.comparators[0]).string or ""
            ending = ending if test.left.attr in ("suffix", "name") else ""
            whole = test.left.attr == "name"
        if not ending or not isinstance(name, ast.Name):
            return
        held = self.names.get(name.id)
        if held is not None and held.string is not None and held.string.endswith("*"):
            base = held.string[:-1] if whole else held.string
            self.names[name.id] = replace(held, value=base + ending)
