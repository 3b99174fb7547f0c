"""What the parts of the engine hand to each other: one call of a command, its outcome, and who runs scripts."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Protocol

import msgspec

from reactor_core.safety.scope import MAX_DEPTH, Scope, TooComplex
from reactor_core.safety.setting import Setting
from reactor_core.safety.shell.command import Command, Redirect, Text, Word, line_of
from reactor_core.safety.shell.nodes import Assignment, Script
from reactor_core.safety.shell.state import EMPTY, Chooser, Shell, Value, World
from reactor_core.safety.verdict import Effect, Finding, found

__all__ = ["Call", "Outcome", "Runs", "absolute", "deeper"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command leaves behind.

    Attributes:
        output: What it prints.
        status: Whether it succeeds; None: not known.
    """

    output: Value = EMPTY
    status: bool | None = None


class Runs(Protocol):
    """Runs scripts."""

    def script(self, script: Script, shell: Shell) -> Outcome:
        """Run a script in this very shell."""

    def text(self, text: str, shell: Shell) -> Outcome:
        """Read and run a script in this very shell."""

    def call(self, call: Call) -> Outcome:
        """Run a command whose words are known."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a command.

    Attributes:
        words: Its words, the program first.
        shell: The shell that runs it.
        scope: Where it runs.
        runner: Runs what it contains.
        chooser: Chooses among possible values.
        env: Variables set for it alone.
        stdin: What it reads; None: nothing that the action says.
        redirects: Files of its streams.
        declared: Assignments among its words, as of ``export``.
        piped: Its output is read by another command.
        plain: Functions and aliases do not apply.
    """

    words: tuple[Word, ...]
    shell: Shell
    scope: Scope
    runner: Runs
    chooser: Chooser
    env: dict[str, Value] = field(default_factory=dict)
    stdin: Value | None = None
    redirects: tuple[Redirect, ...] = ()
    declared: tuple[Assignment, ...] = ()
    piped: bool = False
    plain: bool = False

    @property
    def world(self) -> World:
        """What the action has done so far."""
        return self.shell.world

    @property
    def name(self) -> str:
        """Name of the program without its folder; empty if it cannot be known."""
        text = self.words[0].text
        return "" if text is None else text.rstrip("/").rpartition("/")[2]

    @property
    def args(self) -> tuple[Word, ...]:
        """Words after the program."""
        return self.words[1:]

    def path(self, text: str) -> str:
        """A path of this folder, as the world knows it."""
        return absolute(text, self.scope.cwd)

    def found(self, rule: str, says: str, effect: Effect | None = None) -> None:
        """Add a finding about this call."""
        self.add(found(rule, says, effect, part=line_of(self.words)))

    def add(self, finding: Finding) -> None:
        """Add a finding."""
        if not finding.part:
            finding = Finding(finding.verdict, finding.rule, finding.says, finding.effect, line_of(self.words))
        self.world.findings.append(finding)

    def known_scope(self) -> Scope:
        """The scope with what is known at this point."""
        variables = dict(self.scope.variables)
        for name in self.shell.exported:
            ways = self.shell.ways(name)
            variables[name] = ways[0].text if ways is not None and len(ways) == 1 else None
        world = self.world
        setting = on_branch(self.scope.setting, world.branch)
        return replace(
            self.scope,
            setting=setting,
            variables=variables,
            made=frozenset(world.made),
            fetched=frozenset(world.fetched),
        )

    def command(self) -> Command:
        """For the judge of its program."""
        env: dict[str, str | None] = {}
        for name in self.shell.exported:
            ways = self.shell.variables.get(name)
            if ways:
                env[name] = ways[0].text if len(ways) == 1 else None
        env.update({name: value.text for name, value in self.env.items()})
        stdin = None if self.stdin is None else Text(self.stdin.text, self.stdin.origin)
        return Command(self.words, self.known_scope(), env, stdin, self.redirects, self.piped)


def on_branch(setting: Setting, branch: str) -> Setting:
    """The setting after a switch to another branch."""
    return msgspec.structs.replace(setting, branch=branch) if branch else setting


def absolute(text: str, cwd: str) -> str:
    """A path, folded; relative ones against ``cwd`` if that is known."""
    path = text if text.startswith("/") or not cwd else f"{cwd}/{text}"
    parts: list[str] = []
    for part in path.split("/"):
        if part == ".." and parts and parts[-1] != "..":
            parts.pop()
        elif (part == ".." and not path.startswith("/")) or part not in ("", ".", ".."):
            parts.append(part)
    return ("/" if path.startswith("/") else "") + "/".join(parts)


def deeper(scope: Scope, **changes: object) -> Scope:
    """The scope of what this scope contains.

    Raises:
        TooComplex: It is nested too deeply.
    """
    if scope.depth >= MAX_DEPTH:
        raise TooComplex(f"nested more than {MAX_DEPTH} deep")
    return replace(scope, depth=scope.depth + 1, **changes)  # type: ignore[arg-type]
