"""What an expression without columns comes to: text that is put together at run time."""

from __future__ import annotations

import base64
import binascii
import logging
import re
from collections.abc import Mapping

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from reactor_core.safety.scope import TooComplex

__all__ = ["DIALECTS", "UNKNOWN_NAME", "correlated", "expression", "fold_text"]

logging.getLogger("sqlglot").addHandler(logging.NullHandler())
logging.getLogger("sqlglot").propagate = False  # it warns of every statement that it does not know

DIALECTS = {"postgres": "postgres", "mysql": "mysql", "tsql": "tsql", "oracle": "oracle"}
"""Flavour of the tokens -> dialect of the expression parser."""

UNKNOWN_NAME = "unknown_name"
"""Stands in a text for a part that is not known."""

_PLACE = re.compile(r"%(?:\d+\$)?[-]?\d*([sIL%])")
_MOST = 100_000
_LONGEST = 10_000
"""Characters of a condition or a computed text; parsers need seconds for longer ones."""


def expression(text: str, flavour: str) -> exp.Expr | None:
    """The tree of a condition or a value in the dialect of a flavour, else in any dialect that takes it; None."""
    if len(text) > _LONGEST:
        raise TooComplex(f"a condition of {len(text):,} characters")
    for dialect in dict.fromkeys((DIALECTS.get(flavour, "postgres"), "postgres", "mysql", "tsql", "sqlite", "oracle")):
        try:
            tree = sqlglot.parse_one(text, read=dialect, into=exp.Condition)
        except (SqlglotError, RecursionError, ValueError, TypeError, AttributeError):
            continue
        if isinstance(tree, exp.Expr):
            return tree
    return None


def fold_text(text: str, flavour: str, variables: Mapping[str, str | None]) -> tuple[str | None, bool, bool]:
    """The text that an expression makes.

    Returns:
        The text, with :data:`UNKNOWN_NAME` for parts that are not known, or None if nothing of it is; whether all of it
        is known; and whether it was decoded from something that cannot be read.
    """
    tree = expression(text, flavour)
    if tree is None:
        return None, False, False
    folder = _Folder(variables)
    value = folder.fold(tree)
    if value is None or not value.replace(UNKNOWN_NAME, "").strip():
        return None, False, folder.decoded
    return value, not folder.partial, folder.decoded


class _Folder:
    def __init__(self, variables: Mapping[str, str | None]) -> None:
        self._variables = variables
        self.partial = False
        self.decoded = False

    def fold(self, node: object) -> str | None:
        """Text of a node; None: not known."""
        if isinstance(node, exp.Literal):
            return _hex_text(str(node.this)) or str(node.this)
        if isinstance(node, (exp.National, exp.RawString, exp.Heredoc, exp.Paren)):
            return self.fold(node.this)
        if isinstance(node, str):
            return node
        if isinstance(node, (exp.HexString, exp.ByteString)):
            self.decoded = True
            return _hex_text("0x" + str(node.this)) or str(node.this)
        if isinstance(node, (exp.Parameter, exp.Placeholder, exp.SessionParameter)):
            return self._variables.get(node.name.lower().lstrip("@:"))
        if isinstance(node, exp.Column):
            return None if node.table else self._variables.get(node.name.lower().lstrip("@:"))
        if isinstance(node, (exp.Cast, exp.TryCast, exp.Alias, exp.Collate)):
            return self.fold(node.this)
        if isinstance(node, (exp.Add, exp.DPipe)):
            return self._join([node.left, node.right])
        if isinstance(node, (exp.Concat, exp.ConcatWs)):
            parts = list(node.expressions)
            between = self.fold(parts.pop(0)) or "" if isinstance(node, exp.ConcatWs) else ""
            return self._join(parts, between)
        if isinstance(node, exp.Chr):
            return "".join(map(_character, (self.fold(one) for one in node.expressions)))
        if isinstance(node, exp.Func):
            return self._call(node)
        return None

    def _join(self, parts: list[exp.Expr], between: str = "") -> str | None:
        folded = [self.fold(part) for part in parts]
        if all(part is None for part in folded):
            return None
        self.partial = self.partial or None in folded
        return between.join(UNKNOWN_NAME if part is None else part for part in folded)[:_MOST]

    def _call(self, node: exp.Func) -> str | None:
        name = (node.name if isinstance(node, exp.Anonymous) else node.key).lower()
        nodes = node.expressions if isinstance(node, exp.Anonymous) else [*node.args.values()]
        given = [one for part in nodes for one in (part if isinstance(part, list) else [part]) if one is not None]
        if name == "format" and given:
            return self._format(given)
        values = [self.fold(one) for one in given if isinstance(one, (exp.Expr, str))]
        if not values or values[0] is None:
            return None
        first = values[0]
        if name in ("upper", "lower", "trim", "ltrim", "rtrim", "reverse"):
            self.decoded = self.decoded or name == "reverse"
            methods = {"upper": first.upper, "lower": first.lower, "trim": first.strip, "ltrim": first.lstrip}
            return first[::-1] if name == "reverse" else methods.get(name, first.rstrip)()
        if name in ("replace", "translate") and len(values) >= 3 and None not in values[:3]:
            old, new = str(values[1]), str(values[2])
            return (
                first.replace(old, new) if name == "replace" else first.translate(str.maketrans(old[: len(new)], new))
            )
        if name in ("unhex", "hextoraw", "from_hex", "unhex_string"):
            self.decoded = True
            return _hex_text("0x" + first)
        if name in ("from_base64", "frombase64", "base64_decode_string", "base64decode"):
            return self._decode(first, "base64")
        if name == "decode" and len(values) > 1:
            return self._decode(first, str(values[1]))
        if name in ("char", "chr", "nchar"):
            return "".join(map(_character, values))
        if name in ("quote_ident", "quote_literal", "convert_from", "to_char", "convert", "utl_raw.cast_to_varchar2",
                    "cast_to_varchar2", "coalesce", "substring", "left", "concat", "quotename"):  # fmt: skip
            return first if name != "concat" else self._join(given)
        return None

    def _decode(self, text: str, how: str) -> str | None:
        self.decoded = True
        try:
            if how.lower() == "base64":
                return base64.b64decode(text).decode("utf-8", "replace")
            return bytes.fromhex(text).decode("utf-8", "replace") if how.lower() == "hex" else None
        except (ValueError, binascii.Error):
            return None

    def _format(self, given: list[exp.Expr]) -> str | None:
        pattern = self.fold(given[0])
        if pattern is None:
            return None
        rest = iter(given[1:])

        def one(match: re.Match[str]) -> str:
            if match[1] == "%":
                return "%"
            value = self.fold(next(rest, None))
            if value is None:
                self.partial = True
                return "'" + UNKNOWN_NAME + "'" if match[1] == "L" else UNKNOWN_NAME
            return "'" + value.replace("'", "''") + "'" if match[1] == "L" else value

        return _PLACE.sub(one, pattern)


def _character(code: str | None) -> str:
    return chr(int(code)) if code and code.isdigit() and int(code) < 0x110000 else ""


def _hex_text(text: str) -> str | None:
    if not re.fullmatch(r"0[xX](?:[0-9a-fA-F]{2})+", text) or len(text) < 6:
        return None
    raw = bytes.fromhex(text[2:])
    return raw.decode("utf-16-le" if raw[1:2] == b"\0" else "utf-8", "replace")


def correlated(query: exp.Expr) -> bool:
    """Whether a subquery looks at the row outside: it names a table that is not its own."""
    own = {table.alias_or_name.lower() for table in query.find_all(exp.Table)}
    columns = [column for column in query.find_all(exp.Column) if not isinstance(column.parent, exp.Select)]
    return any(not column.table or column.table.lower() not in own for column in columns)
