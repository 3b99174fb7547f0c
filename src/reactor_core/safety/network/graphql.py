"""GraphQL documents: which operation runs, and what its top fields are asked with."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["TopField", "operation", "with_variables"]

_TOKENS = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*"""|"(?:[^"\\\n]|\\.)*"|#[^\n]*|[A-Za-z_]\w*|-?\d+(?:\.\d+)?|\.\.\.|[{}()\[\]:=!|&$@,]'
)


@dataclass(frozen=True, slots=True)
class TopField:
    """A field right below the operation: ``deleteOrders`` and its arguments as they are written."""

    name: str
    arguments: str


def operation(document: str, name: str | None = None) -> tuple[str, list[TopField]] | None:
    """Kind (query, mutation, subscription) and top fields of what runs; of several operations the named one, or all
    under the strictest kind. None if the text is no GraphQL."""
    tokens = [piece for piece in _TOKENS.findall(document) if piece[0] not in "#,"]
    if not tokens or (tokens[0] not in {"query", "mutation", "subscription", "fragment", "{"}):
        return None
    found: list[tuple[str, str, list[TopField]]] = []
    at = 0
    while at < len(tokens):
        kind, title = "query", ""
        if tokens[at] != "{":
            kind = tokens[at]
            title = tokens[at + 1] if at + 1 < len(tokens) and re.match(r"\w", tokens[at + 1]) else ""
        while at < len(tokens) and tokens[at] != "{":
            at = _closed(tokens, at) if tokens[at] == "(" else at + 1
        end = _closed(tokens, at)
        if kind in {"query", "mutation", "subscription"}:
            found.append((kind, title, _top(tokens[at + 1 : end - 1])))
        at = max(end, at + 1)
    chosen = [one for one in found if name and one[1] == name] or found
    if not chosen:
        return None
    kinds = {kind for kind, _, _ in chosen}
    return "mutation" if "mutation" in kinds else chosen[0][0], [top for _, _, tops in chosen for top in tops]


def _closed(tokens: list[str], at: int) -> int:
    """Index behind the bracket that closes the one at ``at``."""
    depth = 0
    for index in range(at, len(tokens)):
        depth += (tokens[index] in "{([") - (tokens[index] in "})]")
        if depth == 0:
            return index + 1
    return len(tokens)


def _top(tokens: list[str]) -> list[TopField]:
    tops = []
    at = 0
    while at < len(tokens):
        name = tokens[at]
        if not re.match(r"[A-Za-z_]", name):
            at += 1
            continue
        if at + 2 < len(tokens) and tokens[at + 1] == ":":  # an alias: the field's own name follows
            at, name = at + 2, tokens[at + 2]
        at += 1
        arguments = ""
        if at < len(tokens) and tokens[at] == "(":
            end = _closed(tokens, at)
            arguments = " ".join(tokens[at + 1 : end - 1])
            at = end
        while at < len(tokens) and tokens[at] == "@":
            at += 2
            if at < len(tokens) and tokens[at] == "(":
                at = _closed(tokens, at)
        if at < len(tokens) and tokens[at] == "{":
            at = _closed(tokens, at)
        tops.append(TopField(name, arguments))
    return tops


def with_variables(arguments: str, variables: Mapping[str, Any]) -> str:
    """The arguments with the values of their variables in them."""

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        return str(variables[name]) if name in variables else match.group()

    return re.sub(r"\$ ?(\w+)", value, arguments)
