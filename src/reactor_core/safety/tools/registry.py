"""Programs whose effect a table cannot state: their own judges in Python, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from reactor_core.safety.scope import Scope
from reactor_core.safety.tools.line import Line, Textual, read_line, shown
from reactor_core.safety.tools.table import Tool, known_options, lookup
from reactor_core.safety.verdict import Effect, Finding, Judged, found

__all__ = ["Call", "Handler", "Nowhere", "Origin", "handler_of", "handles", "nothing", "origin_of", "read_call"]


class Origin(Protocol):
    """Where a text came from."""

    @property
    def fetched(self) -> bool:
        """From another machine, unverified."""

    @property
    def secret(self) -> bool:
        """It holds a secret."""

    @property
    def decoded(self) -> bool:
        """It went through a decoder."""

    @property
    def files(self) -> tuple[str, ...]:
        """Files whose content it holds."""

    @property
    def pipeline(self) -> tuple[tuple[str | None, ...], ...]:
        """Commands that made it, each as its words."""

    @property
    def listing(self) -> tuple[str | None, ...]:
        """Words of the command whose whole output it is."""


@dataclass(frozen=True, slots=True)
class Nowhere:
    """A text that the action itself spells out."""

    fetched: bool = False
    secret: bool = False
    decoded: bool = False
    files: tuple[str, ...] = ()
    pipeline: tuple[tuple[str | None, ...], ...] = ()
    listing: tuple[str | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """One resolved command.

    Attributes:
        line: The command line, taken apart as the program's table says.
        words: All words, the program first.
        scope: Where it would run.
        env: Variables that are set for it; None: set to something unknown.
        stdin: What it reads from standard input: the text, or None if it is unknown; see ``has_stdin``.
        has_stdin: Whether standard input is a pipe, a file or a here-document at all.
        origin: Where standard input came from.
        piped: Whether another command of the action reads what it prints.
        tool: The program's table, or None.
    """

    line: Line
    words: tuple[Textual, ...]
    scope: Scope
    env: Mapping[str, str | None]
    stdin: str | None = None
    has_stdin: bool = False
    origin: Origin = field(default_factory=Nowhere)
    tool: Tool | None = None
    piped: bool = False

    @property
    def program(self) -> str:
        """Name of the program."""
        return self.line.program

    @property
    def part(self) -> str:
        """The command for people."""
        text = " ".join(shown(word) for word in self.words)
        return text if len(text) <= 300 else f"{text[:297]}..."

    def found(self, rule: str, says: str, target: str = "", **effect: Any) -> Finding:
        """A finding about this command."""
        return found(rule, says, Effect(target=target, **effect), part=self.part)

    def nested(self, kind: str, text: str, **changes: object) -> Judged:
        """Judge a contained action."""
        return self.scope.nested(kind, text, **changes)

    def runs(self, word: Textual) -> Judged:
        """Judge a word that is a line of shell; what cannot be known is asked about."""
        if word.text is None:
            return Judged((self.found("C6", f"{self.program}: runs what cannot be known beforehand"),))
        return self.nested("shell", word.text)

    def again(self, words: Sequence[Textual], **reading: Any) -> Line:
        """Read further words of the same program in another way."""
        return read_line(self.program, words, **reading)

    def shifted(self, count: int) -> Call:
        """The same call as if the first ``count`` operands were part of the program's name."""
        return replace(self, line=replace(self.line, operands=self.line.operands[count:]))


Handler = Callable[[Call], Judged | None]
"""Judges a call; None leaves it to the table."""

_HANDLERS: dict[str, Handler] = {}


def handles(*names: str) -> Callable[[Handler], Handler]:
    """Register the judge of some programs."""

    def register(handler: Handler) -> Handler:
        for name in names:
            assert name not in _HANDLERS, f"{name} has a judge already"
            _HANDLERS[name] = handler
        return handler

    return register


def handler_of(program: str) -> Handler | None:
    """The judge of a program; None if it has none."""
    return _HANDLERS.get(program)


def nothing() -> Judged:
    """Nothing speaks against it."""
    return Judged()


def origin_of(word: Textual) -> Origin:
    """Where the content of a word came from."""
    origin: Origin = getattr(word, "origin", None) or Nowhere()
    return origin


def read_call(
    words: Sequence[Textual],
    program: str,
    scope: Scope,
    *,
    env: Mapping[str, str | None],
    stdin: str | None = None,
    has_stdin: bool = False,
    origin: Origin | None = None,
    piped: bool = False,
) -> Call:
    """Take a command apart as the program's table says."""
    tool = lookup(program)
    if tool is None:
        line = read_line(program, words[1:])
    else:
        line = read_line(
            program,
            words[1:],
            values=tool.values,
            known=known_options(tool) if tool.abbreviates else frozenset(),
            single_dash=tool.single_dash,
            stops=tool.stops,
        )
    return Call(line, tuple(words), scope, env, stdin, has_stdin, origin or Nowhere(), tool, piped)
