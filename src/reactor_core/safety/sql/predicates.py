"""Whether a condition picks rows or takes them all, found by trying it on made-up rows.

A condition that is true for every row tried is taken for one that is always true. Rows are made up from the values that
the condition itself compares with, their neighbours, and what keys and creation times hold in real tables: ``id > 0``
is true for every key there is.

What is not covered: how many of the real rows a condition meets. ``status <> 'x'`` picks rows here, though it may be
all of them.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any

from sqlglot import exp

from reactor_core.safety.sql.constants import correlated, expression
from reactor_core.safety.sql.tokens import Node, text_of

__all__ = ["Reach", "reach"]


class Reach(Enum):
    """Which rows a condition takes."""

    NONE = "none"
    SOME = "some"
    EVERY = "every"


class _Unsure(Enum):
    """A value that cannot be computed here."""

    UNSURE = "unsure"


_UNSURE = _Unsure.UNSURE
_NOW = "2026-06-01"
_KEYS = frozenset({"id", "uuid", "guid", "pk", "rowid", "ctid", "oid", "_id", "key", "rid", "_rowid_", "objectid"})
_BORN = re.compile(
    r"^(?:created|inserted|added|joined|registered)(?:_?(?:at|on|date|time|ts))?$|^date_(?:joined|created)$|^ts$"
)
_KEY_VALUES: tuple[Any, ...] = (1, 2, 7, 500, 123_456, 4_000_000)
_BORN_VALUES: tuple[Any, ...] = ("2012-03-04", "2019-07-01", "2024-02-29", "2026-05-30")
_PLAIN_VALUES: tuple[Any, ...] = (-5, 0, 1, 100, 3_000_000, "", "a", "zoo", "2015-05-05", "2031-01-01")
_MOST_ROWS = 240


def reach(
    condition: Sequence[Node] | str,
    *,
    flavour: str = "postgres",
    target: str = "",
    same: frozenset[str] = frozenset(),
) -> Reach:
    """Which rows of ``target`` a condition takes.

    Args:
        condition: What stands after WHERE or ON.
        flavour: How it is read.
        target: Last part of the table's name, in small letters.
        same: Names and aliases under which this very table appears in the statement.
    """
    text = condition if isinstance(condition, str) else text_of(condition)
    tree = expression(text, flavour)
    if tree is None:
        return Reach.SOME
    if _nearly_all(tree, target):
        return Reach.EVERY
    columns = list(
        dict.fromkeys(_place(node, same) for node in tree.find_all(exp.Column) if not _within_query(node, tree))
    )
    rows = _rows(tree, columns, target)
    if all(_truth(_Row(row, target, same).value(tree)) is True for row in rows):
        return Reach.EVERY
    if not columns and not any(correlated(query) for query in tree.find_all(exp.Select)):
        # It does not look at the row: it takes all rows or none, and which of the two only the server knows.
        never = _truth(_Row({}, target, same).value(tree)) is False
        return (
            Reach.NONE
            if never and all(isinstance(node, _SURE) and not node.is_string for node in tree.walk())
            else Reach.EVERY
        )
    return Reach.SOME


def _column(node: exp.Column) -> str:
    return node.name.lower()


def _place(node: exp.Column, same: frozenset[str]) -> tuple[str, str]:
    """Table and name of a column; the target itself is no table."""
    table = node.table.lower()
    return ("" if table in same else table, _column(node))


def _within_query(node: exp.Expr, root: exp.Expr) -> bool:
    up: exp.Expr | None = node
    while up is not None and up is not root:
        if isinstance(up, (exp.Select, exp.SetOperation)):
            return True
        up = up.parent
    return False


def _is_key(column: str, target: str) -> bool:
    single = target.removesuffix("s")
    return column in _KEYS or column in (f"{single}_id", f"{target}_id", f"{single}id", f"{single}_uuid")


def _bare(node: exp.Expr) -> exp.Expr:
    """Without brackets."""
    while isinstance(node, exp.Paren):
        node = node.this
    return node


def _nearly_all(tree: exp.Expr, target: str) -> bool:
    """``id <> 5``: all rows but one or a few."""
    tree = _bare(tree)
    if isinstance(tree, exp.Not):
        inner = _bare(tree.this)
        left = inner.this
        picks = isinstance(inner, exp.EQ) or (isinstance(inner, exp.In) and inner.args.get("query") is None)
        return (
            picks and isinstance(left, exp.Column) and _is_key(_column(left), target) and not _columns_in(inner, left)
        )
    if isinstance(tree, exp.NEQ) and isinstance(tree.left, exp.Column):
        return _is_key(_column(tree.left), target) and isinstance(tree.right, (exp.Literal, exp.Neg))
    return False


def _columns_in(node: exp.Expr, but: exp.Expr) -> bool:
    return any(column is not but for column in node.find_all(exp.Column))


def _rows(tree: exp.Expr, columns: list[tuple[str, str]], target: str) -> list[dict[tuple[str, str], Any]]:
    """Rows to try: each column through its values, together and one after the other."""
    constants = [_literal(node) for node in tree.find_all(exp.Literal)]
    nullable = {
        _column(column)
        for node in tree.find_all(exp.Is, exp.Coalesce, exp.NullSafeEQ)
        for column in node.find_all(exp.Column)
    }
    pools: list[list[Any]] = []
    for _, column in columns:
        if _is_key(column, target) or (column.endswith("_id") and column not in nullable):
            pool = [*_KEY_VALUES, *(value for value in constants if isinstance(value, int) and 0 < value < 5_000_000)]
            pool += [value + 1 for value in pool[len(_KEY_VALUES) :]]
        elif _BORN.match(column):
            pool = [
                *_BORN_VALUES,
                *(value for value in constants if isinstance(value, str) and "2011" < value < "2027"),
            ]
        else:
            pool = list(_PLAIN_VALUES)
            for value in constants:
                pool += [value, value + "x"] if isinstance(value, str) else [value - 1, value, value + 1]
            if column in nullable:
                pool.append(None)
        pools.append(pool)
    if not pools:
        return [{}]
    longest = max(len(pool) for pool in pools)
    product = itertools.islice(itertools.product(*pools), _MOST_ROWS)
    turning = (
        [pool[(step * (place + 1)) % len(pool)] for place, pool in enumerate(pools)] for step in range(longest * 3)
    )
    return [dict(zip(columns, values, strict=True)) for values in itertools.chain(product, turning)]


def _literal(node: exp.Literal) -> Any:
    if node.is_string:
        return str(node.this)
    try:
        number = float(str(node.this))
    except ValueError:
        return 0
    return int(number) if number.is_integer() else number


def _truth(value: Any) -> bool | None:
    """True, False, or None for NULL and for what is not known."""
    if value is None or value is _UNSURE:
        return None
    if isinstance(value, str):
        match = re.match(r"\s*-?\d+(?:\.\d+)?", value)
        if value.lower() in ("t", "true", "yes", "on"):
            return True
        return bool(match and float(match.group()))
    return bool(value)


_COMPARED: dict[type[exp.Expr], Callable[[Any, Any], bool]] = {
    exp.EQ: lambda a, b: bool(a == b),
    exp.NullSafeEQ: lambda a, b: bool(a == b),
    exp.NEQ: lambda a, b: bool(a != b),
    exp.GT: lambda a, b: bool(a > b),
    exp.GTE: lambda a, b: bool(a >= b),
    exp.LT: lambda a, b: bool(a < b),
    exp.LTE: lambda a, b: bool(a <= b),
}
_COUNTED: dict[type[exp.Expr], Callable[[Any, Any], Any]] = {
    exp.Add: lambda a, b: a + b,
    exp.Sub: lambda a, b: a - b,
    exp.Mul: lambda a, b: a * b,
    exp.Div: lambda a, b: a / b if b else None,
    exp.Mod: lambda a, b: a % b if b else None,
}
_SURE = (exp.Boolean, exp.Literal, exp.Paren, exp.Connector, exp.Not, exp.Neg, exp.Binary)
"""What every dialect computes alike, as long as no texts are compared."""
_TODAY = (exp.CurrentDate, exp.CurrentTimestamp, exp.CurrentDatetime, exp.CurrentTime)


class _Row:
    """Values of expressions for one made-up row."""

    def __init__(self, row: dict[tuple[str, str], Any], target: str, same: frozenset[str]) -> None:
        self._row = row
        self._target = target
        self._same = same

    def value(self, node: Any) -> Any:
        """Value of a node; None is NULL."""
        if isinstance(node, exp.Literal):
            return _literal(node)
        if isinstance(node, exp.Boolean):
            return bool(node.this)
        if isinstance(node, exp.Null):
            return None
        if isinstance(node, exp.Column):
            return self._of_column(node)
        if isinstance(node, (exp.Paren, exp.Cast, exp.TryCast, exp.National)):
            return self.value(node.this) if isinstance(node.this, exp.Expr) else node.this
        if isinstance(node, exp.Neg):
            inner = self.value(node.this)
            return -inner if isinstance(inner, (int, float)) else _UNSURE
        if isinstance(node, exp.Not):
            truth = _truth(inner) if (inner := self.value(node.this)) is not _UNSURE else None
            return (_UNSURE if inner is _UNSURE else None) if truth is None else not truth
        if isinstance(node, (exp.And, exp.Or, exp.Xor)):
            return self._joined(node)
        if isinstance(node, exp.DPipe):
            return _UNSURE
        for kind, compare in _COMPARED.items():
            if type(node) is kind and isinstance(node, exp.Binary):
                return self._compared(node, compare)
        for kind, count in _COUNTED.items():
            if type(node) is kind:
                left, right = self.value(node.this), self.value(node.expression)
                both = isinstance(left, (int, float)) and isinstance(right, (int, float))
                return count(left, right) if both else _UNSURE
        return self._special(node)

    def _of_column(self, node: exp.Column) -> Any:
        if node.name.lower() in ("true", "false"):
            return node.name.lower() == "true"
        if node.name.lower() in ("rownum", "sysdate", "systimestamp", "getdate"):
            return 1 if node.name.lower() == "rownum" else _NOW
        return self._row.get(_place(node, self._same), _UNSURE)

    def _joined(self, node: exp.Connector) -> Any:
        values = [self.value(node.left), self.value(node.right)]
        truths = [_truth(value) for value in values]
        if isinstance(node, exp.Xor):
            return _UNSURE if None in truths else truths[0] != truths[1]
        deciding = isinstance(node, exp.Or)
        if deciding in truths:
            return deciding
        if None not in truths:
            return not deciding
        return _UNSURE if _UNSURE in values else None

    def _compared(self, node: exp.Binary, compare: Callable[[Any, Any], bool]) -> Any:
        if self._one_column(node.left, node.right):
            return isinstance(node, (exp.EQ, exp.GTE, exp.LTE, exp.NullSafeEQ))
        if isinstance(node.right, exp.Any) and isinstance(node, exp.EQ):
            return self._in_query(node.left, node.right.this)
        bound = node.right.find(exp.Min, exp.Max) if isinstance(node.right, exp.Subquery) else None
        if bound is not None and isinstance(node, exp.GTE if isinstance(bound, exp.Min) else exp.LTE):
            return True if self._whole(node.right.this) else _UNSURE
        left, right = self.value(node.left), self.value(node.right)
        if left is _UNSURE or right is _UNSURE:
            return _UNSURE
        if isinstance(node, exp.NullSafeEQ):
            return left == right
        if left is None or right is None:
            return None
        if isinstance(left, str) != isinstance(right, str):
            left, right = str(left), str(right)
            numbers = [re.fullmatch(r"-?\d+(?:\.\d+)?", one) for one in (left, right)]
            if all(numbers):
                left, right = float(left), float(right)
        return compare(left, right)

    def _one_column(self, left: exp.Expr, right: exp.Expr) -> bool:
        """Whether both sides are one column of one table: itself, or of the same table under another alias."""
        left, right = _bare(left), _bare(right)
        if left.sql().lower() == right.sql().lower() and left.find(exp.Column) and not left.find(exp.Rand):
            return True
        if not (isinstance(left, exp.Column) and isinstance(right, exp.Column) and _column(left) == _column(right)):
            return False
        tables = {left.table.lower(), right.table.lower()}
        return "" in tables or tables <= self._same

    def _whole(self, query: Any) -> bool:
        """Whether a query gives every row of the target table."""
        if not isinstance(query, exp.Select) or query.args.get("limit") or query.args.get("joins"):
            return False
        source = query.find(exp.Table)
        where = query.args.get("where")
        if (
            source is None
            or source.name.lower() not in self._same | {self._target}
            or query.args.get("group")
            or query.args.get("having")
        ):
            return False
        return where is None or reach(where.this.sql(), target=self._target) is Reach.EVERY

    def _special(self, node: Any) -> Any:
        if isinstance(node, exp.Is):
            value = self.value(node.this)
            wanted = self.value(node.expression)
            if value is _UNSURE:
                return _UNSURE
            holds = value is None if wanted is None else _truth(value) is wanted
            return holds is not bool(node.args.get("negate"))  # sqlglot writes IS NOT so
        if isinstance(node, exp.Exists):
            return _UNSURE if correlated(node.this) else True
        if isinstance(node, exp.In):
            return self._in(node)
        if isinstance(node, exp.Any) or (isinstance(node, exp.Subquery) and not node.find(exp.Column)):
            return _UNSURE
        if isinstance(node, exp.Between):
            value, low, high = (self.value(node.args[name]) for name in ("this", "low", "high"))
            if any(one is _UNSURE or one is None for one in (value, low, high)):
                return _UNSURE
            if len({isinstance(one, str) for one in (value, low, high)}) > 1:
                value, low, high = str(value), str(low), str(high)
            return low <= value <= high
        if isinstance(node, (exp.Like, exp.ILike)):
            return self._like(node)
        if isinstance(node, (exp.RegexpLike, exp.RegexpILike, exp.SimilarTo)):
            pattern = self.value(node.expression)
            return True if pattern in ("", ".*", "^.*$", "^", "$", "%", ".*$", "^.*") else _UNSURE
        if isinstance(node, _TODAY) or (isinstance(node, exp.Anonymous) and node.name.lower() in ("now", "getdate")):
            return _NOW
        if isinstance(node, exp.Coalesce):
            values = [self.value(one) for one in (node.this, *node.expressions)]
            return next((value for value in values if value is not None), None)
        if isinstance(node, exp.Length):
            value = self.value(node.this)
            return value if value is None or value is _UNSURE else len(str(value))
        if isinstance(node, (exp.Abs, exp.Sqrt)):
            value = self.value(node.this)
            return abs(value) if isinstance(value, (int, float)) else _UNSURE
        if isinstance(node, exp.Rand):
            return 0.5
        if isinstance(node, exp.If):
            return self.value(node.args["true" if _truth(self.value(node.this)) else "false"])
        return _UNSURE

    def _in(self, node: exp.In) -> Any:
        query = node.args.get("query")
        if query is not None:
            return self._in_query(node.this, query)
        value = self.value(node.this)
        values = [self.value(one) for one in node.expressions]
        if any(one.sql().lower() == node.this.sql().lower() for one in node.expressions):
            return True
        if value is _UNSURE or value is None:
            return value
        if any(str(one) == str(value) for one in values if one is not _UNSURE and one is not None):
            return True
        return _UNSURE if _UNSURE in values else (None if None in values else False)

    def _in_query(self, left: exp.Expr, query: exp.Expr) -> Any:
        """``id IN (SELECT id FROM t)`` on t itself takes all; of other queries nothing is known."""
        inner = _bare(query)
        inner = inner.this if isinstance(inner, exp.Subquery) else inner
        given = inner.expressions[0] if isinstance(inner, exp.Select) and len(inner.expressions) == 1 else None
        if not isinstance(left, exp.Column) or not isinstance(given, (exp.Column, exp.Star)) or not self._whole(inner):
            return _UNSURE
        return True if _column(left) == (given.name.lower() or "*") else _UNSURE

    def _like(self, node: exp.Binary) -> Any:
        value, pattern = self.value(node.this), self.value(node.expression)
        if value is None or value is _UNSURE or not isinstance(pattern, str):
            return None if value is None else _UNSURE
        shape = "".join(".*" if c == "%" else "." if c == "_" else re.escape(c) for c in pattern)
        return bool(re.fullmatch(shape, str(value), re.DOTALL | re.IGNORECASE))
