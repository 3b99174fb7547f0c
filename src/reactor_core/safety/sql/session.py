"""What is known while the statements of one text are read in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from reactor_core.safety.scope import Scope
from reactor_core.safety.sql.names import Name, Worth, worth
from reactor_core.safety.sql.tokens import Group, Node, Token
from reactor_core.safety.verdict import Effect, Finding, Scale, found

__all__ = ["Session", "group_starts", "has", "is_mark", "loss", "position", "upper_at"]


@dataclass(slots=True)
class Session:
    """One reading of a text.

    Args:
        scope: Where it runs.
        flavour: How the tokens were read.
        statement: Judges one statement; given from outside, because statements contain statements.
        text: Judges a text of SQL that is put together at run time, in the same session.
    """

    scope: Scope
    flavour: str
    statement: Callable[[Session, Sequence[Node]], list[Finding]]
    text: Callable[[Session, str], list[Finding]]
    made: set[str] = field(default_factory=set)
    variables: dict[str, str | None] = field(default_factory=dict)
    prepared: dict[str, str | None] = field(default_factory=dict)
    whole: dict[str, str] = field(default_factory=dict)
    """Names that WITH gives to all rows of a table -> that table."""
    renamed: dict[str, Name] = field(default_factory=dict)
    """Names that tables were given by this action -> what they were called before."""
    hidden: set[str] = field(default_factory=set)
    """Texts that were decoded from something that cannot be read."""
    schema: str = ""
    plan_only: bool = False
    looping: bool = False

    def worth(self, name: Name) -> Worth:
        """How much is lost with a table or schema."""
        name = self.renamed.get(str(name).lower(), name)
        if self.schema and len(name.parts) == 1 and not name.last.startswith(("#", "@")):
            if name.last in self.made:
                return Worth.TEMPORARY
            name = Name((self.schema, *name.parts), name.known)
        return worth(name, self.scope.setting, frozenset(self.made), self.scope.host)

    def judge_all(self, nodes: Sequence[Node]) -> list[Finding]:
        """A statement inside of another."""
        self.scope.effort.spend()
        return self.statement(self, nodes)


def upper_at(nodes: Sequence[Node], at: int) -> str:
    """The bare word at a place in capitals; empty behind the end and for everything else."""
    return nodes[at].upper if 0 <= at < len(nodes) else ""


def position(nodes: Sequence[Node], *words: str, start: int = 0) -> int:
    """Where the first of the words stands, outside of brackets; -1: nowhere."""
    return next((at for at in range(start, len(nodes)) if nodes[at].upper in words), -1)


def has(nodes: Sequence[Node], *phrase: str) -> bool:
    """Whether words follow each other somewhere, outside of brackets."""
    size = len(phrase)
    return any(all(nodes[at + i].upper == phrase[i] for i in range(size)) for at in range(len(nodes) - size + 1))


def is_mark(node: Node | None, mark: str) -> bool:
    """Whether a node is this operator."""
    return isinstance(node, Token) and node.raw == mark


def loss(session: Session, name: Name, does: str, *, every: bool, what: str = "table") -> Finding | None:
    """The finding for rows or a thing that get lost.

    Args:
        session: Where.
        name: Table that loses them.
        does: What happens to it, as in "empties".
        every: All rows or the thing itself, rather than some rows.
        what: What the name stands for.
    """
    value = session.worth(name)
    scale = Scale.ALL if every else Scale.ITEM
    effect = Effect(str(name), scale, reversible=False)
    if value is Worth.TEMPORARY:
        return found("A3", f"{does} {name}, which lives in this session only", Effect(str(name)))
    if value is Worth.AUDIT:
        return found("B5", f"{does} {name}: evidence is removed", effect)
    if value is Worth.CATALOGUE and not name.last.startswith("sqlite_sequence"):
        return found("B5", f"{does} {name}, which the server keeps itself in", effect)
    if not every:
        return found("C3", f"{does} some rows of {name}", effect)
    if value is Worth.SCRATCH:
        return found("C3", f"{does} the {what} {name}, whose name says scratch", effect)
    return found("B3", f"{does} the {what} {name}", effect)


def group_starts(node: Node, *words: str) -> bool:
    """Whether a bracket holds something that begins with one of the words."""
    return isinstance(node, Group) and bool(node.inner) and node.inner[0].upper in words
