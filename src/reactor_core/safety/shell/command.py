"""A simple command after all expansions: what the shell engine hands to the judges of single tools."""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from reactor_core.safety.scope import Scope

__all__ = ["NOTHING_KNOWN", "NOWHERE", "Command", "Origin", "Redirect", "Text", "Word", "known", "line_of"]

_NARROWING = frozenset(
    [
        "grep",
        "egrep",
        "fgrep",
        "rg",
        "ag",
        "head",
        "tail",
        "awk",
        "gawk",
        "sed",
        "jq",
        "yq",
        "fzf",
        "shuf",
        "comm",
        "look",
        "xmllint",
    ]
)
"""Filters that drop lines, so that the rest of a listing is no longer the whole of it."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a text came from, as far as the action itself tells.

    Attributes:
        fetched: From another machine, unverified.
        secret: It holds a secret, or what may be one.
        decoded: It went through a decoder, such as ``base64 -d``.
        files: Absolute paths of files whose content it holds.
        pipeline: Commands that made it, each as its words (None: not known), in the order of the pipe.
        variables: Names of variables of the environment whose values it holds, and which are not known.
    """

    fetched: bool = False
    secret: bool = False
    decoded: bool = False
    files: tuple[str, ...] = ()
    pipeline: tuple[tuple[str | None, ...], ...] = ()
    variables: tuple[str, ...] = ()

    def __or__(self, other: Origin) -> Origin:
        """Both together."""
        if other is NOWHERE or other is self:
            return self
        if self is NOWHERE:
            return other
        return Origin(
            self.fetched or other.fetched,
            self.secret or other.secret,
            self.decoded or other.decoded,
            tuple(dict.fromkeys(self.files + other.files)),
            tuple(dict.fromkeys(self.pipeline + other.pipeline)),
            tuple(dict.fromkeys(self.variables + other.variables)),
        )

    @property
    def listing(self) -> tuple[str | None, ...]:
        """Words of the command whose whole output this is; empty if nothing listed it or a filter dropped lines."""
        if not self.pipeline or any(stage and stage[0] in _NARROWING for stage in self.pipeline[1:]):
            return ()
        return self.pipeline[0]


NOWHERE = Origin()


@dataclass(frozen=True, slots=True)
class Text:
    """What is read from standard input or from a substitution.

    Attributes:
        text: The content; None if it cannot be known.
        origin: Where it came from.
    """

    text: str | None = None
    origin: Origin = NOWHERE


NOTHING_KNOWN = Text()


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a command.

    Attributes:
        parts: Known pieces in order, and None for each piece that cannot be known.
        globbed: An unquoted pattern is in it: it may stand for any number of paths.
        many: It may turn into several words or none, because an unquoted part is not known.
        origin: Where its content came from.
    """

    parts: tuple[str | None, ...] = ("",)
    globbed: bool = False
    many: bool = False
    origin: Origin = NOWHERE

    @property
    def text(self) -> str | None:
        """The whole word, patterns kept as they are; None if any piece is not known."""
        return None if None in self.parts else "".join(part for part in self.parts if part)

    @property
    def known_prefix(self) -> str:
        """What is known from the start up to the first unknown piece."""
        prefix = ""
        for part in self.parts:
            if part is None:
                break
            prefix += part
        return prefix

    @property
    def pattern(self) -> str:
        """The word with ``*`` in the place of each unknown piece."""
        return "".join("*" if part is None else part for part in self.parts)

    def __str__(self) -> str:
        return "".join("$?" if part is None else part for part in self.parts)


def known(text: str) -> Word:
    """A word that is fully known."""
    return Word((text,))


@dataclass(frozen=True, slots=True)
class Redirect:
    """Where a stream of a command goes to or comes from.

    Attributes:
        op: ``>``, ``>>`` or ``<``; clobbering and the two streams at once are folded into these.
        target: The path.
        fd: Number of the stream.
    """

    op: str
    target: Word
    fd: int


@dataclass(frozen=True, slots=True)
class Command:
    """One command as it would be run.

    Attributes:
        argv: Its words; at least one. The first is the program, with or without a path.
        env: What this action sets for it in the environment; None: set, but not known to what.
        stdin: What it reads, if the action says so; None: the terminal or nothing.
        redirects: Files that its streams are redirected to. The engine has judged them already.
        piped: Whether another command of the action reads its output.
        scope: Where it runs: folder, host, rights, variables, what the action has made and fetched so far.
    """

    argv: tuple[Word, ...]
    scope: Scope
    env: Mapping[str, str | None] = field(default_factory=dict)
    stdin: Text | None = None
    redirects: tuple[Redirect, ...] = ()
    piped: bool = False

    @property
    def name(self) -> str:
        """Name of the program without its folder; empty if it cannot be known."""
        text = self.argv[0].text
        return "" if text is None else posixpath.basename(text)

    @property
    def args(self) -> tuple[Word, ...]:
        """Words after the program."""
        return self.argv[1:]

    def __str__(self) -> str:
        return line_of(self.argv)


def line_of(words: Iterable[Word]) -> str:
    """A line of shell that gives exactly these words again, for ``scope.nested("shell", ...)``.

    A piece that is not known becomes an unset variable, which the engine cannot know either; a pattern stays one.
    """
    return " ".join(_quoted(word) for word in words)


def _quoted(word: Word) -> str:
    if word.parts == ("",):
        return "''"
    out = []
    for part in word.parts:
        if part is None:
            out.append("$UNKNOWN" if word.many else '"$UNKNOWN"')
        elif word.globbed:
            out.append("".join(c if c in "*?[]!-" or c.isalnum() else shlex.quote(c) for c in part))
        elif part:
            out.append(shlex.quote(part))
    return "".join(out)
