"""A command line, read as its own program would: options, their values, operands."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

__all__ = ["Known", "Line", "Option", "Textual", "program_name", "read_line", "shown", "spelled", "wordset"]


class Textual(Protocol):
    """A word of a command: its text, or None where it is not fully known, and what of its beginning is."""

    @property
    def text(self) -> str | None:
        """The whole word; None if a part of it cannot be known."""

    @property
    def known_prefix(self) -> str:
        """The beginning that is known; the text itself if all of it is."""

    @property
    def globbed(self) -> bool:
        """Whether an unquoted pattern is in it."""

    @property
    def many(self) -> bool:
        """Whether it may turn into several words or none."""


@dataclass(frozen=True, slots=True)
class Known:
    """A word, or a piece of one such as the value behind ``--out=``."""

    text: str | None
    known_prefix: str = ""
    globbed: bool = False
    many: bool = False

    def __post_init__(self) -> None:
        if self.text is not None and not self.known_prefix:
            object.__setattr__(self, "known_prefix", self.text)


@dataclass(frozen=True, slots=True)
class Option:
    """An option as it was given. ``value`` is None if it has none."""

    name: str
    value: Textual | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A command line.

    Attributes:
        program: Name of the program, without its folder.
        options: In order. Clusters of short ones are taken apart: ``-rf`` is ``-r`` and ``-f``.
        operands: All other words, in order.
        raw: All words after the program as they were given.
        unsure: Whether a word is unknown that may be an option or a subcommand.
    """

    program: str
    options: tuple[Option, ...]
    operands: tuple[Textual, ...]
    raw: tuple[Textual, ...]
    unsure: bool = False

    def has(self, *names: str) -> bool:
        """Whether one of these options is given."""
        return any(option.name in names for option in self.options)

    def values(self, *names: str) -> tuple[Textual, ...]:
        """All values of these options, in order."""
        return tuple(option.value for option in self.options if option.name in names and option.value is not None)

    def value(self, *names: str) -> str | None:
        """The last known value of one of these options; None if there is none."""
        known = [value.text for value in self.values(*names) if value.text is not None]
        return known[-1] if known else None

    @property
    def words(self) -> tuple[str, ...]:
        """Texts of the operands; an unknown one is shown by its beginning and three dots."""
        return tuple(shown(word) for word in self.operands)

    def sub(self, index: int = 0) -> str:
        """The operand at this place if it is known, else an empty string."""
        return (self.operands[index].text or "") if index < len(self.operands) else ""

    def after(self, count: int) -> tuple[Textual, ...]:
        """Operands behind the subcommand."""
        return self.operands[count:]


def wordset(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


def shown(word: Textual) -> str:
    """For people."""
    return word.text if word.text is not None else f"{word.known_prefix}…"


def spelled(words: Iterable[Textual]) -> str:
    """A line of shell that gives these words again; what is not known becomes a variable that nobody sets."""
    return " ".join(shlex.quote(word.text) if word.text is not None else '"$UNKNOWN"' for word in words)


def program_name(text: str) -> str:
    """``/usr/bin/../bin/rm`` is ``rm``; ``RM.EXE`` too."""
    name = text.rstrip("/").rsplit("/", 1)[-1]
    lower = name.lower()
    return lower.removesuffix(".exe") if lower.endswith(".exe") else name


def read_line(
    program: str,
    words: Sequence[Textual],
    *,
    values: Collection[str] = (),
    known: Collection[str] = (),
    single_dash: bool = False,
    stops: bool = False,
) -> Line:
    """Take the words after a program apart.

    Args:
        program: Its name.
        words: The words behind it.
        values: Options that a value follows, in the same word or the next.
        known: Options that the table names; a long one may be cut short as long as it is unambiguous among them.
        single_dash: ``-name`` is one long option and no cluster, as in find, java, go and terraform.
        stops: Options end at the first operand, as in env, nice, ssh and every program that runs another one.
    """
    options: list[Option] = []
    operands: list[Textual] = []
    unsure = False
    queue = list(words)
    position = 0
    while position < len(queue):
        word = queue[position]
        position += 1
        text = word.text if word.text is not None else word.known_prefix
        if word.text == "--":
            operands.extend(queue[position:])
            break
        if word.text is None and not text:
            unsure = True
        if len(text) < 2 or text[0] != "-":
            operands.append(word)
            if stops:
                operands.extend(queue[position:])
                break
            continue
        if text[1].isdigit() and text[:2] not in values and text[:2] not in known:  # -9, -20
            options.append(Option(text))
            continue
        following = queue[position] if position < len(queue) else None
        found, took = _options(word, text, following, values, known, single_dash)
        options.extend(found)
        position += took
    return Line(program, tuple(options), tuple(operands), tuple(words), unsure)


def _options(
    word: Textual,
    text: str,
    following: Textual | None,
    values: Collection[str],
    known: Collection[str],
    single_dash: bool,
) -> tuple[list[Option], int]:
    """The options of one word, and how many further words they take."""
    if text.startswith("--") or (single_dash and len(text) > 2 and not (text[:2] in values and text not in known)):
        name, equals, rest = text.partition("=")
        name = _completed(name, values, known)
        if equals:
            return [Option(name, _piece(word, rest))], 0
        if name in values and following is not None:
            return [Option(name, following)], 1
        return [Option(name)], 0
    found: list[Option] = []
    for index in range(1, len(text)):
        name = f"-{text[index]}"
        rest = text[index + 1 :]
        if name in values:
            if rest or word.text is None:
                return [*found, Option(name, _piece(word, rest))], 0
            return [*found, Option(name, following)], 1 if following is not None else 0
        found.append(Option(name))
    return found, 0


def _completed(name: str, values: Collection[str], known: Collection[str]) -> str:
    if not known or name in values or name in known or len(name) < 4 or not name.startswith("--"):
        return name
    fits = {full for full in (*values, *known) if full.startswith(name)}
    return fits.pop() if len(fits) == 1 else name


def _piece(word: Textual, rest: str) -> Textual:
    return Known(rest if word.text is not None else None, rest, word.globbed, word.many)
