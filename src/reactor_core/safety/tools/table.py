"""What the programs do, as data: ``data/*.toml``, one table a program.

A program's table::

    [systemctl]                      # its name; further names in `names`, which may be patterns such as "mkfs.*"
    names = []
    values = ["-H", "--host"]        # options that a value follows
    single_dash = false              # -name is one long option (find, terraform, java, go)
    abbreviates = false              # long options may be cut short (coreutils, git)
    stops = false                    # options end at the first operand (ssh, env)
    dry = ["--dry-run", "-n"]        # with one of these nothing is done: A4. "--dry-run=client" asks for that value
    target = ["operands"]            # where names of what is touched are: operands (behind the subcommand), options
    paths = { "-o" = "overwrite" }   # what is done to the files named there, by every use (see Use.paths)
    otherwise = "verb"               # what a use that no row describes comes to: a rule, or "verb": by its words

    [[systemctl.use]]                # rows in order: the first that fits decides
    sub = ["stop", "re*", "set-property", "remote rm"]   # first operands; several words are several operands
    has = ["-f", "--force"]          # one of these options
    lacks = ["--user"]               # none of these
    value = { "--state" = "^absent$" }                   # value of an option, as a pattern; "1", "2" are operands
    like = "reactor|auditd"          # one of the targets matches this pattern
    rule = "C5"                      # the verdict's rule; see the rubric
    says = "stops {target}"          # {target}: the targets; {sub}: the subcommand
    precious = "B5"                  # instead of `rule`: a target has a name such as prod, ...
    scratch = "C4"                   # ... all targets have names such as tmp, spot, staging, dev, ...
    many = "B4"                      # ... more than `few` targets (default 3), a pattern, or an unknown list
    unknown = "C6"                   # ... a target cannot be known
    remote = "B6"                    # ... it happens on another machine
    input = "fetched"                # fits only if standard input came from elsewhere
    effect = ["outward"]             # outward, secret, privilege, final (cannot be undone)
    also = true                      # go on to the next rows as well

What a row does not mention does not matter. A row with a rule of A lets the use pass.
"""

from __future__ import annotations

import re
import tomllib
from fnmatch import fnmatchcase
from functools import lru_cache
from importlib.resources import files
from typing import Literal

import msgspec

from reactor_core.safety.tools.line import Line, Textual

__all__ = ["PathRole", "Tool", "Use", "fits", "lookup", "tools"]

PathRole = Literal["delete", "delete_tree", "overwrite", "append", "read", "run", "none"]
"""What is done to a file: see :mod:`reactor_core.safety.paths`; ``run``: it is executed."""


class Use(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One way to use a program.

    Attributes:
        sub: Subcommands; patterns allowed; several words are several operands.
        has: One of these options is given.
        lacks: None of these is.
        value: Values of options (``--x``) or operands (``"1"`` is the first behind the subcommand), as patterns.
        like: A pattern that one of the targets matches.
        at_least: Operands behind the subcommand.
        at_most: Operands behind the subcommand.
        rule: Rule of the rubric.
        says: A sentence without its subject.
        precious: Rule if a target is called production or the like.
        scratch: Rule if all targets are called scratch or the like.
        many: Rule for more than ``few`` targets, a pattern or an unknown list.
        few: How many are few.
        unknown: Rule if a target cannot be known.
        remote: Rule if it happens on another machine.
        input: ``fetched`` or ``secret``: fits only if standard input is that.
        target: Where the names of what is touched are; empty takes the program's.
        paths: Where files are (``operands``, ``operands:first``, ``operands:last``, an option) and what is done.
        nested: Where an action of another kind is, and its kind.
        effect: outward, secret, privilege, final.
        also: Go on to the next rows.
    """

    sub: tuple[str, ...] = ()
    has: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    value: dict[str, str] = {}
    like: str = ""
    at_least: int = 0
    at_most: int = 10_000
    rule: str = "A5"
    says: str = ""
    precious: str = ""
    scratch: str = ""
    many: str = ""
    few: int = 3
    unknown: str = ""
    remote: str = ""
    input: Literal["", "fetched", "secret"] = ""
    target: tuple[str, ...] = ()
    paths: dict[str, PathRole] = {}
    nested: dict[str, str] = {}
    effect: tuple[Literal["outward", "secret", "privilege", "final"], ...] = ()
    also: bool = False


class Tool(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One program. See the head of this module."""

    names: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    single_dash: bool = False
    abbreviates: bool = False
    stops: bool = False
    dry: tuple[str, ...] = ()
    target: tuple[str, ...] = ("operands",)
    paths: dict[str, PathRole] = {}
    otherwise: str = "A5"
    says: str = ""
    use: tuple[Use, ...] = ()

    @property
    def known(self) -> frozenset[str]:
        """Options that the table mentions."""
        named = {*self.values, *self.flags, *(name.partition("=")[0] for name in self.dry)}
        for use in self.use:
            named.update(use.has, use.lacks, (name for name in use.value if name.startswith("-")))
        return frozenset(named)


class _Shelf(msgspec.Struct, frozen=True):
    exact: dict[str, Tool]
    patterns: tuple[tuple[str, Tool], ...]
    known: dict[int, frozenset[str]]


@lru_cache(maxsize=1)
def _shelf() -> _Shelf:
    exact: dict[str, Tool] = {}
    patterns: list[tuple[str, Tool]] = []
    for file in sorted((files("reactor_core.safety.tools") / "data").iterdir(), key=lambda entry: entry.name):
        if not file.name.endswith(".toml"):
            continue
        for name, tool in msgspec.convert(tomllib.loads(file.read_text(encoding="utf-8")), dict[str, Tool]).items():
            for one in (name, *tool.names):
                if any(mark in one for mark in "*?["):
                    patterns.append((one, tool))
                elif one in exact:
                    raise ValueError(f"{file.name}: {one} has a table already")
                else:
                    exact[one] = tool
    known = {id(tool): tool.known for tool in (*exact.values(), *(tool for _, tool in patterns))}
    return _Shelf(exact, tuple(patterns), known)


def tools() -> dict[str, Tool]:
    """All tables by name, without those whose name is a pattern."""
    return dict(_shelf().exact)


def lookup(program: str) -> Tool | None:
    """The table of a program; None if there is none."""
    shelf = _shelf()
    found = shelf.exact.get(program)
    if found is None:
        found = next((tool for pattern, tool in shelf.patterns if fnmatchcase(program, pattern)), None)
    return found


def known_options(tool: Tool) -> frozenset[str]:
    """Options that its table mentions."""
    return _shelf().known.get(id(tool), frozenset()) or tool.known


def sub_length(use: Use, line: Line) -> int | None:
    """How many operands the fitting subcommand has: 0 if the use names none; None if none fits."""
    if not use.sub:
        return 0
    for sub in use.sub:
        parts = sub.split()
        if len(line.operands) >= len(parts) and all(
            fnmatchcase(line.sub(index), part) for index, part in enumerate(parts)
        ):
            return len(parts)
    return None


def fits(use: Use, line: Line, targets: tuple[Textual, ...], skip: int) -> bool:
    """Whether a row describes this use, its subcommand apart."""
    rest = line.operands[skip:]
    if not use.at_least <= len(rest) <= use.at_most:
        return False
    if use.has and not any(_given(name, line) for name in use.has):
        return False
    if any(_given(name, line) for name in use.lacks):
        return False
    if not all(_matches(place, pattern, line, rest) for place, pattern in use.value.items()):
        return False
    return not use.like or any(
        _pattern(use.like).search(target.text if target.text is not None else target.known_prefix) for target in targets
    )


def _given(name: str, line: Line) -> bool:
    option, equals, value = name.partition("=")
    if not equals:
        return line.has(option)
    return any(one.text == value for one in line.values(option))


def _matches(place: str, pattern: str, line: Line, rest: tuple[Textual, ...]) -> bool:
    if place.isdigit():
        index = int(place) - 1
        return index < len(rest) and bool(_pattern(pattern).search(rest[index].text or ""))
    return any(_pattern(pattern).search(value.text or "") for value in line.values(place))


@lru_cache(maxsize=4096)
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
