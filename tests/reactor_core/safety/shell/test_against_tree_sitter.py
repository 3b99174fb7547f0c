"""The grammar against another one: every labelled command has the same number of commands for both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import tree_sitter
import tree_sitter_bash

from reactor_core.safety.scoring import read_labelled
from reactor_core.safety.shell.grammar import parse
from reactor_core.safety.shell.nodes import Simple

ROWS = Path(__file__).parents[1] / "rows"
PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_bash.language()))
COMMANDS = {"command", "declaration_command", "unset_command"}


def ours(script: object) -> int:
    """Simple commands with at least one word, however deep."""
    count, left = 0, [script]
    while left:
        node = left.pop()
        count += isinstance(node, Simple) and bool(node.words)
        if is_dataclass(node):
            left += [getattr(node, each.name) for each in fields(node)]
        elif isinstance(node, tuple | list):
            left += node
    return count


def theirs(text: str) -> int | None:
    """The same of tree-sitter; None where it could not read all."""
    root = PARSER.parse(text.encode()).root_node
    return None if root.has_error else sum(node.type in COMMANDS for node in walk(root))


def walk(node: Any) -> Iterator[Any]:
    yield node
    for child in node.children:
        yield from walk(child)


def test_both_find_the_same_commands() -> None:
    rows = [row for file in sorted(ROWS.rglob("*.jsonl")) for row in read_labelled(file)]
    texts = [row.action for row in rows if row.kind in ("shell", "cloud")]
    counted = [(text, ours(parse(text)), theirs(text)) for text in texts]
    assert [each for each in counted if each[2] is not None and each[1] != each[2]] == []
    assert sum(each[2] is None for each in counted) <= 0.01 * len(texts), "hardly any is beyond it"
    assert len(texts) > 500
