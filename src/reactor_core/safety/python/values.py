"""Values as far as they are known without running anything."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

__all__ = [
    "DECODED",
    "INPUT",
    "MANY",
    "REMOTE",
    "SECRET",
    "Call",
    "Value",
    "constant",
    "join_marks",
    "named",
    "unknown",
]

REMOTE = "remote"
"""It came over the network."""
SECRET = "secret"  # noqa: S105  a mark, not a secret
"""It holds a secret."""
DECODED = "decoded"
"""It was decoded or put together so that the text does not show it."""
INPUT = "input"
"""It comes from outside of the snippet: an argument, the environment, a file."""
MANY = "many"
"""It stands for many things, as the names in a folder do."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call on the way to a value.

    Args:
        name: Last name of what was called.
        args: Positional values.
        kwargs: Named values.
        starred: Whether arguments are missing here because they came from ``*`` or ``**``.
    """

    name: str
    args: tuple[Value, ...] = ()
    kwargs: Mapping[str, Value] = field(default_factory=dict)
    starred: bool = False

    def get(self, name: str, at: int | None = None) -> Value | None:
        """An argument by name, else by position; None: it was not given."""
        if name in self.kwargs:
            return self.kwargs[name]
        return self.args[at] if at is not None and at < len(self.args) else None


@dataclass(frozen=True, slots=True)
class Value:
    """A value.

    Args:
        known: Whether ``value`` is it.
        value: A constant, or a list, tuple, set or dict of values.
        name: Where it comes from, with dots: ``os.system``, ``boto3.client().delete_object``; empty: from nothing
            that has a name.
        path: It is a ``pathlib`` path; ``value`` is its text.
        marks: What is known of it besides.
        calls: The calls in its name, in order.
        code: A function or class of the snippet.
        bound: First arguments that are already given to it, and named ones.
        owner: The value that it is an attribute of.
        text: For a text that is not fully known: its parts, None where one is unknown.
    """

    known: bool = False
    value: Any = None
    name: str = ""
    path: bool = False
    marks: frozenset[str] = frozenset()
    calls: tuple[Call, ...] = ()
    code: ast.AST | None = None
    bound: tuple[tuple[Value, ...], Mapping[str, Value]] | None = None
    owner: Value | None = None
    text: tuple[str | None, ...] | None = None

    @property
    def string(self) -> str | None:
        """Its text, if it is a known text, known bytes or a known path."""
        if not self.known:
            return None
        if isinstance(self.value, bytes):
            return self.value.decode("utf-8", "replace")
        return self.value if isinstance(self.value, str) else None

    @property
    def items(self) -> list[Value] | None:
        """What it holds, if it is a known list, tuple or set."""
        if self.known and isinstance(self.value, (list, tuple, set, frozenset)):
            return [item for item in self.value if isinstance(item, Value)]
        return None

    @property
    def last(self) -> str:
        """Last part of its name."""
        return self.name.rpartition(".")[2]

    def marked(self, *marks: str) -> Value:
        """The same value with more marks."""
        return replace(self, marks=self.marks | set(marks)) if marks else self

    def rendered(self, hole: str) -> str | None:
        """Its text with ``hole`` for unknown parts; None: nothing of it is known."""
        if self.string is not None:
            return self.string
        if self.known and isinstance(self.value, (int, float)):
            return str(self.value)
        if self.text is None or all(part is None for part in self.text):
            return None
        return "".join(hole if part is None else part for part in self.text)


def constant(value: Any, *marks: str) -> Value:
    """A known value."""
    return Value(known=True, value=value, marks=frozenset(marks))


def unknown(*marks: str) -> Value:
    """A value of which nothing is known but its marks."""
    return Value(marks=frozenset(marks))


def named(name: str, *, marks: frozenset[str] = frozenset(), calls: tuple[Call, ...] = ()) -> Value:
    """Something that has a name but no known value."""
    return Value(name=name, marks=marks, calls=calls)


def join_marks(values: Sequence[Value]) -> frozenset[str]:
    """Marks of values together, what they hold included."""
    marks: set[str] = set()
    for value in values:
        marks |= value.marks
        if value.known and isinstance(value.value, dict):
            marks |= join_marks([one for one in value.value.values() if isinstance(one, Value)])
        elif value.items:
            marks |= join_marks(value.items)
    return frozenset(marks)
