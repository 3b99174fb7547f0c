"""What a judge knows while it walks through an action, and how it hands a part to the judge of another kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from reactor_core.safety.setting import Setting
from reactor_core.safety.verdict import Effect, Finding, Judged, Verdict

__all__ = ["Disk", "Effort", "Scope", "TooComplex", "unclear"]

MAX_DEPTH = 12
"""Nestings of one language in another, as in ``sh -c "python -c ..."``, that are followed."""
MAX_STEPS = 20_000
"""Nodes, words and statements that are looked at in one action; beyond it a person has to look."""


class TooComplex(Exception):
    """The action is larger or deeper than what is looked at. The door turns it into a finding of rule C6."""


class Disk(Protocol):
    """What may be asked of the machine. Without one (scoring, replaying) an action is judged by its text alone."""

    def read(self, path: str, limit: int) -> bytes | None:
        """The first bytes of a regular file; None if there is none or it is larger than ``limit``."""

    def resolve(self, path: str) -> str:
        """The path with every symbolic link followed."""

    def is_dir(self, path: str) -> bool:
        """Whether it is a folder."""

    def glob(self, pattern: str, limit: int) -> list[str] | None:
        """Paths that an absolute pattern stands for; None if there are more than ``limit``."""


@dataclass(slots=True)
class Effort:
    """Counts what was looked at, so that no action takes for ever. Counted, not timed: the verdict must not depend on
    how busy the machine is."""

    left: int = MAX_STEPS

    def spend(self, steps: int = 1) -> None:
        """Count steps.

        Raises:
            TooComplex: They are used up.
        """
        self.left -= steps
        if self.left < 0:
            raise TooComplex(f"more than {MAX_STEPS:,} steps")


JudgeKind = Callable[[str, str, "Scope"], Judged]


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a part of an action would run.

    Args:
        setting: What is assumed.
        judge: ``judge(kind, text, scope)``: the judge of another kind, for what is nested in this one.
        cwd: Folder at this point; absolute, or empty if it cannot be known.
        host: Where it runs, by name; empty for this machine. On another host every path is that host's.
        dialect: Dialect of SQL, if it is known: ``postgres``, ``mysql``, ``tsql``, ``sqlite``, ``bigquery``, ...
        privileged: Whether it runs as another user with more rights.
        variables: What variables are known to hold here; None: known to be unset or unknowable.
        made: Paths that the same action has made, so that deleting them again loses nothing.
        links: Symbolic links that the same action has made, absolute, and what they lead to.
        fetched: Paths and names that the same action got from elsewhere, so that running them is running foreign code.
        disk: The machine, or None.
        depth: How deeply this part is nested.
        effort: Shared by all parts of one action.
    """

    setting: Setting
    judge: JudgeKind
    cwd: str
    host: str = ""
    dialect: str = ""
    privileged: bool = False
    variables: Mapping[str, str | None] = field(default_factory=dict)
    made: frozenset[str] = frozenset()
    links: Mapping[str, str] = field(default_factory=dict)
    fetched: frozenset[str] = frozenset()
    disk: Disk | None = None
    depth: int = 0
    effort: Effort = field(default_factory=Effort)

    def nested(self, kind: str, text: str, **changes: object) -> Judged:
        """Judge ``text`` as an action of ``kind`` that this one contains.

        Args:
            kind: shell, sql, python, file, network, ...
            text: The contained action.
            changes: Fields of the scope that differ inside.

        Raises:
            TooComplex: It is nested too deeply.
        """
        if self.depth >= MAX_DEPTH:
            raise TooComplex(f"nested more than {MAX_DEPTH} deep")
        return self.judge(kind, text, replace(self, depth=self.depth + 1, **changes))  # type: ignore[arg-type]


def unclear(says: str, *, part: str = "") -> Finding:
    """A finding of rule C6: the effect cannot be derived."""
    return Finding(Verdict.CONFIRM, "C6", says, Effect(reversible=False), part)
