"""Sets variables, and puts aliases in the place of the words that they stand for."""

from __future__ import annotations

from dataclasses import replace

from reactor_core.safety.shell.expand import Expander
from reactor_core.safety.shell.grammar import parse
from reactor_core.safety.shell.nodes import Assignment, Literal, Node, Pipeline, Script, Simple
from reactor_core.safety.shell.nodes import Item as ListItem
from reactor_core.safety.shell.state import EMPTY, UNKNOWN, Shell, Value

__all__ = ["aliased", "assign"]


def aliased(node: Simple, shell: Shell) -> tuple[Script, list[str]] | None:
    """The command with its alias put in; None if its first word is none."""
    if not node.words or len(node.words[0]) != 1:
        return None
    first = node.words[0][0]
    if not isinstance(first, Literal) or first.quoted or first.text not in shell.aliases:
        return None
    script = parse(shell.aliases[first.text])
    if not script.items:
        return None
    *before, last = script.items
    commands: list[Node] = list(last.pipeline.commands)
    end = commands[-1]
    if not isinstance(end, Simple):
        return script, [first.text]
    commands[-1] = replace(
        end,
        assignments=(*node.assignments, *end.assignments),
        words=(*end.words, *node.words[1:]),
        redirections=(*end.redirections, *node.redirections),
    )
    item = ListItem(Pipeline(tuple(commands), last.pipeline.negated), last.joined, last.background)
    return Script((*before, item)), [first.text]


def assign(assignment: Assignment, shell: Shell, expander: Expander) -> None:
    """Set a variable."""
    name = assignment.name
    if assignment.array:
        words = expander.words(assignment.value)  # type: ignore[arg-type]
        items = tuple(Value(word.parts, word.origin, word.globbed) for word in words)
        before = shell.variables.get(name, (EMPTY,))[0].items or ()
        if any(word.many for word in words):
            value = UNKNOWN
        else:
            value = Value(("",), items=(*before, *items) if assignment.append else items)
    else:
        value = expander.value(assignment.value)  # type: ignore[arg-type]
        if assignment.index is not None:
            value = _with_element(assignment, value, shell, expander)
        elif assignment.append:
            value = expander.variable(name) + value if shell.ways(name) is not None else value
    shell.set(name, value)
    if "allexport" in shell.options:
        shell.exported.add(name)


def _with_element(assignment: Assignment, value: Value, shell: Shell, expander: Expander) -> Value:
    items = list(shell.variables.get(assignment.name, (EMPTY,))[0].items or ())
    text = expander.value(assignment.index or ()).text
    if text is None or not text.isdigit() or int(text) > 1000:
        return UNKNOWN
    while len(items) <= int(text):
        items.append(EMPTY)
    items[int(text)] = value
    return Value(("",), items=tuple(items))
