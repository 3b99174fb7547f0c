"""What a shell knows at one point of a script: variables, functions, aliases, folder; and what it has done so far."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from reactor_core.safety.scope import Scope
from reactor_core.safety.shell.command import NOWHERE, Origin, Word
from reactor_core.safety.shell.nodes import Node
from reactor_core.safety.verdict import Finding, Touch

__all__ = [
    "EMPTY",
    "MAX_TEXT",
    "OWN_PROCESS",
    "UNKNOWN",
    "Chooser",
    "Shell",
    "Value",
    "World",
    "joined_parts",
    "literal",
    "merged",
]

MAX_WAYS = 6
"""Values that a variable may have at one point; with more it is not known."""
MAX_TEXT = 200_000
"""Characters of a value that are followed."""


@dataclass(frozen=True, slots=True)
class Value:
    """What a variable, a stream or a file holds.

    Attributes:
        parts: Known pieces in order, None for each that is not known.
        origin: Where it came from.
        globbed: It is a pattern that stands for paths.
        items: The elements, if it is an array.
    """

    parts: tuple[str | None, ...] = ("",)
    origin: Origin = NOWHERE
    globbed: bool = False
    items: tuple[Value, ...] | None = None

    @property
    def text(self) -> str | None:
        """The whole; None if any piece is not known."""
        return None if None in self.parts else "".join(part for part in self.parts if part)

    def __add__(self, other: Value) -> Value:
        parts = joined_parts((*self.parts, *other.parts))
        if sum(len(part) for part in parts if part) > MAX_TEXT:
            parts = (None,)
        return Value(parts, self.origin | other.origin, self.globbed or other.globbed)

    def word(self) -> Word:
        """As one word."""
        return Word(self.parts, self.globbed, origin=self.origin)


EMPTY = Value()
UNKNOWN = Value((None,))
OWN_PROCESS = Value((None,), Origin(pipeline=(("$!",),)))
"""The number of a process that the action has started itself."""


def literal(text: str, origin: Origin = EMPTY.origin) -> Value:
    """A known text."""
    return Value((text,), origin)


def joined_parts(parts: Iterable[str | None]) -> tuple[str | None, ...]:
    """Pieces with neighbours put together."""
    out: list[str | None] = []
    for part in parts:
        if out and part is None and out[-1] is None:
            continue
        if out and part is not None and out[-1] is not None:
            out[-1] += part
        else:
            out.append(part)
    kept = [part for part in out if part != ""]
    return tuple(kept) or ("",)


class Chooser:
    """Goes through all combinations of what is chosen in one command, one combination a round.

    The same question has the same answer within a round.
    """

    def __init__(self, limit: int = 24) -> None:
        self._plan: list[tuple[int, int]] = []
        self._asked: dict[object, int] = {}
        self._left = limit

    def rounds(self) -> Iterator[Chooser]:
        """One round after the other."""
        while True:
            self._asked = {}
            self._depth = 0
            self._left -= 1
            yield self
            while self._plan and self._plan[-1][0] + 1 >= self._plan[-1][1]:
                self._plan.pop()
            if not self._plan or self._left <= 0:
                return
            chosen, count = self._plan[-1]
            self._plan[-1] = (chosen + 1, count)

    def pick(self, question: object, count: int) -> int:
        """Which of ``count`` answers holds in this round."""
        if count <= 1:
            return 0
        if question in self._asked:
            return self._asked[question]
        if self._depth >= len(self._plan):
            self._plan.append((0, count))
        chosen = self._plan[self._depth][0]
        self._depth += 1
        self._asked[question] = chosen
        return chosen

    _depth = 0


@dataclass(slots=True)
class World:
    """What the action has done so far, and what was found. Shared by all subshells.

    Attributes:
        contents: What is known of files that the action has written.
        made: Paths that did not exist before.
        fetched: Paths that hold what came from elsewhere.
        links: Symbolic links and copies of folders, with what they stand for.
        programs: Copies of and links to programs, with the name of the program.
        verified: Something fetched was checked against a signature or a sum.
        config: Aliases that were set in a tool, such as ``("git", "sync")``.
        branch: The branch that the action has switched to; empty if it has not.
        sockets: Numbers of streams that are connected to another host.
        descriptors: Numbers given to process substitutions so far.
    """

    findings: list[Finding] = field(default_factory=list)
    resolved: list[str] = field(default_factory=list)
    touches: list[Touch] = field(default_factory=list)
    contents: dict[str, Value] = field(default_factory=dict)
    made: set[str] = field(default_factory=set)
    fetched: set[str] = field(default_factory=set)
    links: dict[str, str] = field(default_factory=dict)
    programs: dict[str, str] = field(default_factory=dict)
    verified: bool = False
    config: dict[tuple[str, str], str] = field(default_factory=dict)
    branch: str = ""
    sockets: set[str] = field(default_factory=set)
    descriptors: int = 0


@dataclass(slots=True)
class Shell:
    """One shell at one point.

    Attributes:
        scope: Where it runs.
        world: What was done so far.
        variables: Possible values of each variable that was set.
        exported: Names of those that programs see.
        unset: Variables that are known not to be set.
        functions: Bodies.
        aliases: Texts.
        options: Of ``set`` and ``shopt``.
        positional: ``$1`` and so on; None: not known.
        name: ``$0``.
        stdin: What it reads.
        traps: Commands that run at the end.
        calling: Functions that are being called.
        dead: It has ended at this point: ``exit``, ``return``, ``break``.
        fork: A call of a function of itself here would multiply: it is in the background or in a pipeline.
        piped: Its output is read by another command.
        roots: Pairs of what a path begins with here and on this machine: inside a container.
    """

    scope: Scope
    world: World
    variables: dict[str, tuple[Value, ...]] = field(default_factory=dict)
    exported: set[str] = field(default_factory=set)
    unset: set[str] = field(default_factory=set)
    functions: dict[str, Node] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    options: set[str] = field(default_factory=set)
    positional: tuple[Value, ...] | None = None
    name: str = "bash"
    stdin: Value | None = None
    traps: list[str] = field(default_factory=list)
    calling: tuple[str, ...] = ()
    dead: str = ""
    fork: bool = False
    piped: bool = False
    roots: tuple[tuple[str, str], ...] = ()

    def copy(self) -> Shell:
        """The same shell, for a way that may not be taken or a subshell."""
        return replace(
            self,
            variables=dict(self.variables),
            exported=set(self.exported),
            unset=set(self.unset),
            functions=dict(self.functions),
            aliases=dict(self.aliases),
            options=set(self.options),
            traps=list(self.traps),
        )

    def become(self, other: Shell) -> None:
        """Go on from where ``other`` is."""
        for name in (
            "variables",
            "exported",
            "unset",
            "functions",
            "aliases",
            "options",
            "positional",
            "traps",
            "dead",
        ):
            setattr(self, name, getattr(other, name))

    def set(self, name: str, value: Value) -> None:
        """Assign."""
        self.variables[name] = (value,)
        self.unset.discard(name)

    def forget(self, name: str) -> None:
        """Unset."""
        self.variables.pop(name, None)
        self.exported.discard(name)
        self.unset.add(name)

    def ways(self, name: str) -> tuple[Value, ...] | None:
        """Possible values of a variable; None: it was not set here, and the environment is not known."""
        if name in self.variables:
            return self.variables[name]
        if name in self.unset:
            return (EMPTY,)
        if name in self.scope.variables:
            text = self.scope.variables[name]
            return (UNKNOWN if text is None else literal(text),)
        setting = self.scope.setting
        usual = {"HOME": setting.home, "USER": setting.user, "LOGNAME": setting.user, "SHELL": "/bin/bash",
                 "IFS": " \t\n", "PWD": self.scope.cwd, "OSTYPE": "linux-gnu", "HOSTTYPE": "x86_64"}  # fmt: skip
        text = usual.get(name)
        return None if not text else (literal(text),)

    def folders(self) -> tuple[str, ...]:
        """Folders that the shell may be in; an empty one is not known."""
        ways = self.variables.get("PWD")
        if ways is None:
            return (self.scope.cwd,)
        return tuple(way.text or "" for way in ways)


def merged(ways: list[Shell], into: Shell) -> None:
    """Go on where any of ``ways`` may be."""
    alive = [way for way in ways if not way.dead]
    if not alive:
        into.become(ways[0])
        return
    first, rest = alive[0], alive[1:]
    for other in rest:
        for name in set(first.variables) | set(other.variables):
            mine, theirs = first.ways(name), other.ways(name)
            both = tuple(dict.fromkeys((mine or (UNKNOWN,)) + (theirs or (UNKNOWN,))))
            first.variables[name] = both if len(both) <= MAX_WAYS else (UNKNOWN,)
        first.unset &= other.unset
        first.functions |= other.functions
        first.aliases |= other.aliases
        first.exported |= other.exported
        first.options |= other.options
        first.traps = list(dict.fromkeys(first.traps + other.traps))
        if first.positional != other.positional:
            first.positional = None
    into.become(first)
