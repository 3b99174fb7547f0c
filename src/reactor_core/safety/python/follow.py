"""Statements and calls of a snippet, followed in the order in which they run.

Both branches of an ``if`` are followed, a loop once for each thing that is known to be gone through and once for all
others. A function counts when it is called or handed to something that may call it.
"""

from __future__ import annotations

import ast
from collections import ChainMap
from collections.abc import Callable, Iterable
from dataclasses import replace

from reactor_core.safety.python.contexts import patched, waits
from reactor_core.safety.python.evaluate import Evaluator
from reactor_core.safety.python.folding import fold_function, fold_method
from reactor_core.safety.python.indirect import grave_only, hand_over, run_later, run_perhaps, wrapped
from reactor_core.safety.python.modules import GROWS, STARRED, canonical
from reactor_core.safety.python.values import MANY, Call, Value, constant, named, unknown
from reactor_core.safety.python.world import World
from reactor_core.safety.verdict import Effect, Scale, found

__all__ = ["Follower"]

_MOST_CALLS = 40
"""Calls of the snippet's own functions inside of each other that are followed."""
_LISTS = frozenset({
    "sorted", "list", "tuple", "reversed", "set", "frozenset", "iter", "tqdm", "tqdm.tqdm", "itertools.islice",
    "random.sample", "itertools.chain", "tqdm.auto.tqdm",
})  # fmt: skip
_ORDERS = frozenset({"sorted", "min", "max"})
_MAPS = frozenset({"map", "filter", "itertools.starmap", "functools.reduce", "itertools.filterfalse"})


class Follower(Evaluator):
    """Runs through statements in one frame."""

    def __init__(
        self, world: World, names: dict[str, Value] | ChainMap[str, Value], dispatch: Callable[..., Value]
    ) -> None:
        super().__init__(world, names, dispatch)
        self.returned: Value | None = None
        self.depth = 0

    def block(self, statements: Iterable[ast.stmt]) -> None:
        """Follow statements."""
        for statement in statements:
            self.world.scope.effort.spend()
            method = getattr(self, "_do_" + type(statement).__name__.lower(), None)
            if method is not None:
                method(statement)
            if isinstance(statement, (ast.Return, ast.Break, ast.Continue, ast.Raise)):
                break

    def _do_expr(self, node: ast.Expr) -> None:
        self.value(node.value)

    def _do_import(self, node: ast.Import) -> None:
        for alias in node.names:
            root = alias.name.partition(".")[0]
            self.names[alias.asname or root] = named(canonical(alias.name if alias.asname else root))

    def _do_importfrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            if alias.name == "*":
                for known in STARRED.get(node.module or "", ()):
                    self.names[known] = named(canonical(f"{node.module}.{known}"))
                continue
            base = named(canonical(node.module or ""))
            self.names[alias.asname or alias.name] = replace(self.attribute(base, alias.name), owner=None)

    def _do_assign(self, node: ast.Assign) -> None:
        value = self.value(node.value)
        for target in node.targets:
            self.bind(target, value)

    def _do_annassign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.bind(node.target, self.value(node.value))

    def _do_augassign(self, node: ast.AugAssign) -> None:
        self.bind(node.target, self.operate(self.value(node.target), node.op, self.value(node.value)))

    def _do_delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            self.value(target.value if isinstance(target, ast.Subscript) else target)

    def _do_return(self, node: ast.Return) -> None:
        self.returned = self.value(node.value)

    def _do_raise(self, node: ast.Raise) -> None:
        self.value(node.exc)

    def _do_assert(self, node: ast.Assert) -> None:
        self.value(node.test)

    def _do_if(self, node: ast.If) -> None:
        test = self.value(node.test)
        if not (test.known and not test.value):
            held = dict(self.names) if isinstance(node.test, (ast.Call, ast.Compare)) else None
            self.narrow(node.test)
            narrowed = {
                name: value for name, value in self.names.items() if held is not None and held.get(name) is not value
            }
            self.block(node.body)
            for name in narrowed:
                if held is not None and name in held and self.names[name] is narrowed[name]:
                    self.names[name] = held[name]
        if not (test.known and test.value):
            self.block(node.orelse)

    def _do_for(self, node: ast.For | ast.AsyncFor) -> None:
        exact, items = self.each(self.value(node.iter))
        with self.world.loop("listed" if exact else "open"):
            for item in items:
                self.bind(node.target, item)
                self.block(node.body)
        self.block(node.orelse)

    _do_asyncfor = _do_for

    def _do_while(self, node: ast.While) -> None:
        test = self.value(node.test)
        if test.known and not test.value:
            return
        leaves = any(isinstance(inner, (ast.Break, ast.Return, ast.Raise)) or waits(inner) for inner in ast.walk(node))
        with self.world.loop("endless" if test.known and not leaves else "open"):
            self.block(node.body)

    def _do_with(self, node: ast.With | ast.AsyncWith) -> None:
        replaced: set[str] = set()
        for item in node.items:
            value = self.value(item.context_expr)
            replaced |= patched(value)
            if item.optional_vars is not None:
                self.bind(item.optional_vars, value)
        self.world.patched |= replaced
        self.block(node.body)
        self.world.patched -= replaced

    _do_asyncwith = _do_with

    def _do_try(self, node: ast.Try) -> None:
        self.block(node.body)
        for handler in node.handlers:
            self.block(handler.body)
        self.block(node.orelse)
        self.block(node.finalbody)

    _do_trystar = _do_try

    def _do_match(self, node: ast.Match) -> None:
        self.value(node.subject)
        for case in node.cases:
            self.block(case.body)

    def _do_functiondef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        function = Value(code=node, name=node.name, value=self.names)
        for default in (*node.args.defaults, *node.args.kw_defaults):
            self.value(default)
        for decorator in node.decorator_list:
            outer = self.value(decorator)
            if outer.code is not None:
                self.invoke(outer, Call(node.name, (function,)), node.name)
        self.names[node.name] = function

    _do_asyncfunctiondef = _do_functiondef

    def _do_classdef(self, node: ast.ClassDef) -> None:
        self.names[node.name] = Value(code=node, name=node.name)
        for keyword in node.keywords:
            made_by = self.value(keyword.value)
            if isinstance(made_by.code, ast.ClassDef):
                self._instance(made_by, made_by.code, Call(node.name))
        self.block([item for item in node.body if not isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef))])

    def _call(self, node: ast.Call) -> Value:
        function = self.value(node.func)
        args: list[Value] = []
        starred = False
        for item in node.args:
            inner = self.value(item.value if isinstance(item, ast.Starred) else item)
            if not isinstance(item, ast.Starred):
                args.append(inner)
            elif inner.items is not None:
                args += inner.items
            else:
                args.append(inner)
                starred = True
        kwargs: dict[str, Value] = {}
        for keyword in node.keywords:
            inner = self.value(keyword.value)
            if keyword.arg is not None:
                kwargs[keyword.arg] = inner
            elif inner.known and isinstance(inner.value, dict):
                kwargs |= {str(name): value for name, value in inner.value.items() if isinstance(value, Value)}
            else:
                starred = True
        call = Call(function.last or function.name, tuple(args), kwargs, starred)
        return self.invoke(function, call, ast.unparse(node)[:300] if len(node.args) < 30 else function.name)

    def invoke(self, function: Value, call: Call, part: str = "") -> Value:
        """Call a value."""
        self.world.scope.effort.spend()
        if function.bound is not None:
            first, given = function.bound
            inner = replace(function, bound=None)
            return self.invoke(
                inner, replace(call, name=inner.last, args=(*first, *call.args), kwargs={**given, **call.kwargs}), part
            )
        if function.code is not None:
            return self._own(function, call)
        if function.owner is not None and isinstance(function.owner.code, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return self.invoke(function.owner, call, part)  # a task, called through what a decorator made of it
        for one in wrapped(function):
            self.invoke(one, replace(call, name=one.last), part)
        if function.owner is not None:
            folded = fold_method(function.owner, function.last, call)
            if folded is not None:
                return folded
            if function.owner.known and isinstance(function.owner.value, (list, set)) and function.last in GROWS:
                return self._grow(function.owner, call)
        name = function.name
        held = self.names.get(name)
        if held is not None and "." in name and held.code is not None:
            return self.invoke(held, call, part)
        if any(name == one or name.endswith(f".{one}") for one in self.world.patched):
            return unknown()
        special = self._special(name, function, call, part)
        if special is not None:
            return special
        folded = fold_function(name, call)
        if folded is not None:
            return folded
        result = self.dispatch(self.world, function, call, part)
        hand_over(self, name, call)
        return result

    def _grow(self, owner: Value, call: Call) -> Value:
        if self.world.endless and call.args and (call.args[0].known or "large" in call.args[0].marks):
            self.world.say(found("B6", "takes memory without end", Effect("memory", Scale.ALL)), call.name)
        if isinstance(owner.value, list) and call.args and len(owner.value) < 1_000:
            items = call.args[0].items
            owner.value.extend(items if call.name == "extend" and items else [call.args[0]])
        return constant(None)

    def _special(self, name: str, function: Value, call: Call, part: str) -> Value | None:
        """Builtins that give values back, and those that reach names by text."""
        first = call.args[0] if call.args else None
        if name in ("os.environ.get", "os.getenv", "os.environ.pop", "os.environ.setdefault", "os.getenvb"):
            return (
                self.environment(first.string) if first is not None and first.string is not None else unknown("input")
            )
        if name in _ORDERS and "key" in call.kwargs:
            hand_over(self, name, call)
        if name in _LISTS and first is not None:
            return first if first.items is not None or first.known else replace(first, known=False)
        if name in _MAPS and len(call.args) > 1:
            exact, items = self.each(call.args[1])
            with self.world.loop("listed" if exact else "open"):
                results = [self.invoke(call.args[0], Call(call.args[0].last, (item,)), part) for item in items]
            kept = items if name == "filter" else results
            return Value(known=True, value=kept, marks=frozenset() if exact else frozenset({MANY}))
        if name == "next" and first is not None and first.items:
            return first.items[0]
        if name in ("zip", "enumerate") and first is not None:
            exact, items = self.each(first)
            others = [self.each(one)[1] for one in call.args[1:]]
            rows = [
                constant(
                    (constant(at), item)
                    if name == "enumerate"
                    else (item, *(one[min(at, len(one) - 1)] for one in others if one))
                )
                for at, item in enumerate(items)
            ]
            return Value(known=True, value=rows, marks=frozenset() if exact else frozenset({MANY}))
        if name == "range" and all(one.known for one in call.args):
            try:
                return constant(range(*(one.value for one in call.args)))
            except (TypeError, ValueError):
                return unknown()
        if name in ("getattr", "operator.attrgetter", "inspect.getattr_static") and len(call.args) > 1:
            attr = call.args[1].string
            return (
                self.attribute(call.args[0], attr)
                if attr is not None
                else named(f"{call.args[0].name}.?", marks=frozenset({"hidden"}))
            )
        if function.calls and name == "operator.attrgetter()" and first is not None and function.calls[-1].args:
            return self.attribute(first, function.calls[-1].args[0].string or "?")
        if function.calls and name == "operator.methodcaller()" and first is not None:
            made = function.calls[-1]
            method = self.attribute(first, made.args[0].string or "?") if made.args else unknown()
            return self.invoke(method, Call(method.last, made.args[1:], made.kwargs), part)
        if name in ("__import__", "importlib.import_module", "importlib.__import__") and first is not None:
            if first.string is None:
                self.world.ask("imports a module that is not known", part)
            return named(canonical(first.string)) if first.string else named("?", marks=frozenset({"hidden"}))
        if name in ("functools.partial", "functools.partialmethod") and first is not None:
            return replace(first, bound=(call.args[1:], call.kwargs))
        if name in ("globals", "locals", "vars") and not call.args:
            return named("globals()")
        if name == "vars" and first is not None:
            return first
        if name == "dict" and not call.args:
            return constant(dict(call.kwargs))
        if name == "dict" and first is not None and first.known and isinstance(first.value, dict):
            return constant({**first.value, **call.kwargs})
        if (
            name in ("asyncio.run", "asyncio.get_event_loop().run_until_complete", "anyio.run", "trio.run")
            and first is not None
        ):
            return self.invoke(first, Call(first.last, call.args[1:]), part) if first.code is not None else first
        return None

    def _own(self, function: Value, call: Call) -> Value:
        """A function or class of the snippet."""
        code = function.code
        if self.depth >= _MOST_CALLS:
            return unknown()
        if isinstance(code, ast.ClassDef) and isinstance(function.value, dict):
            method = self.attribute(function, "__call__")
            return self.invoke(method, call) if method.code is not None else unknown()
        if isinstance(code, ast.ClassDef):
            return self._instance(function, code, call)
        if not isinstance(code, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            return unknown()
        outer = function.value if isinstance(function.value, (dict, ChainMap)) else self.names
        inner = Follower(self.world, ChainMap({}, outer), self.dispatch)
        inner.depth = self.depth + 1
        given = list(call.args)
        if (
            function.owner is not None
            and isinstance(function.owner.code, ast.ClassDef)
            and isinstance(function.owner.value, dict)
        ):
            given.insert(0, function.owner)
        parameters = [*code.args.posonlyargs, *code.args.args]
        defaults: list[ast.expr] = list(code.args.defaults)
        for parameter, default in zip(parameters[len(parameters) - len(defaults) :], defaults, strict=True):
            inner.names[parameter.arg] = self.value(default)
        for at, parameter in enumerate(parameters):
            if at < len(given):
                inner.names[parameter.arg] = given[at]
            elif parameter.arg in call.kwargs:
                inner.names[parameter.arg] = call.kwargs[parameter.arg]
            else:
                inner.names.setdefault(parameter.arg, unknown())
        for parameter, extra in zip(code.args.kwonlyargs, code.args.kw_defaults, strict=True):
            inner.names[parameter.arg] = call.kwargs.get(parameter.arg) or (self.value(extra) if extra else unknown())
        if code.args.vararg is not None:
            inner.names[code.args.vararg.arg] = constant(given[len(parameters) :])
        if code.args.kwarg is not None:
            names = {parameter.arg for parameter in parameters}
            inner.names[code.args.kwarg.arg] = constant({k: v for k, v in call.kwargs.items() if k not in names})
        if isinstance(code, ast.Lambda):
            return inner.value(code.body)
        inner.block(code.body)
        return inner.returned or unknown()

    def _instance(self, function: Value, code: ast.ClassDef, call: Call) -> Value:
        made = Value(code=code, name=function.name, value={})
        start = self.attribute(made, "__init__")
        if isinstance(start.code, ast.FunctionDef):
            self.invoke(start, call)
        elif call.kwargs:
            made.value.update(call.kwargs)
        if id(code) in self.world.making:
            return made
        self.world.making.add(id(code))
        for name in run_later(code):
            result = self.invoke(self.attribute(made, name), Call(name))
            if name.startswith("__reduce") and result.items and len(result.items) > 1:  # what loading it again calls
                maker, given = result.items[:2]
                with grave_only(self.world):
                    self.invoke(maker, Call(maker.last, tuple(given.items or ())))
        for name in run_perhaps(code):
            with grave_only(self.world):
                self.invoke(self.attribute(made, name), Call(name))
        self.world.making.discard(id(code))
        return made

    def run_text(self, text: str) -> Value:
        """Follow a text in this frame, as ``exec`` does.

        Raises:
            SyntaxError: It is not Python.
        """
        tree = ast.parse(text.strip())
        if len(tree.body) == 1 and isinstance(tree.body[0], ast.Expr):
            return self.value(tree.body[0].value)
        self.block(tree.body)
        return unknown()
