"""What has happened so far while a snippet is followed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from reactor_core.safety import paths
from reactor_core.safety.python.values import DECODED, MANY, Call, Value
from reactor_core.safety.scope import Scope, unclear
from reactor_core.safety.verdict import Finding, Judged, Touch, Verdict

__all__ = ["World"]


@dataclass(slots=True)
class World:
    """State of one snippet.

    Args:
        scope: Where it runs; changes with ``os.chdir`` and with what it makes.
        run: Follows a text of Python in the same state.
        invoke: Calls a value with arguments.
    """

    scope: Scope
    run: Callable[[str], Value]
    invoke: Callable[[Value, Call], Value]
    findings: list[Finding] = field(default_factory=list)
    resolved: list[str] = field(default_factory=list)
    touches: list[Touch] = field(default_factory=list)
    patched: set[str] = field(default_factory=set)
    written: set[str] = field(default_factory=set)
    loops: list[str] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)
    """Statements that made temporary tables, which the same connection still has."""
    making: set[int] = field(default_factory=set)
    """Classes whose methods are being followed: one that makes itself is not followed again."""
    sockets: bool = False
    made: int = 0

    @property
    def repeated(self) -> bool:
        """Whether this runs for each of things that are not listed here."""
        return "open" in self.loops

    @property
    def endless(self) -> bool:
        """Whether this runs for ever."""
        return "endless" in self.loops

    @contextmanager
    def loop(self, kind: str) -> Iterator[None]:
        """Follow the body of a loop: ``listed``, ``open`` or ``endless``."""
        self.loops.append(kind)
        try:
            yield
        finally:
            self.loops.pop()

    def say(self, finding: Finding | None, part: str = "") -> None:
        """Note a finding; None is nothing."""
        if finding is not None:
            self.findings.append(finding if finding.part or not part else _in_part(finding, part))

    def ask(self, says: str, part: str = "") -> None:
        """Note that an effect cannot be derived."""
        self.findings.append(unclear(says, part=part))

    def take(self, judged: Judged) -> None:
        """Note what the judge of another kind found."""
        self.findings += judged.findings
        self.resolved += judged.resolved
        self.touches += judged.touches

    def nested(self, kind: str, text: str, *, decoded: bool = False, **changes: object) -> Judged:
        """Judge a text of another kind and note the result.

        Args:
            kind: shell, sql, network, ...
            text: The text.
            decoded: It was decoded at run time, so that it is asked even if it is harmless.
            changes: Fields of the scope that differ inside.
        """
        judged = self.scope.nested(kind, text, **changes)
        self.take(judged)
        if decoded and judged.verdict is Verdict.ALLOW:
            self.ask("runs something that was decoded at run time", text[:200])
        return judged

    def path(self, value: Value | None) -> str | None:
        """The normal path that a value stands for; None: it is not known."""
        text = None if value is None else value.string
        return paths.normal(text, self.scope) if text is not None and text != "" else None

    def delete(self, value: Value | None, *, recursive: bool, part: str) -> None:
        """A path is deleted."""
        path = self.path(value)
        if path is None:
            partial = value.rendered("*") if value is not None else None
            if partial is None or not partial.startswith(("/", "~")):
                self.ask("deletes something that is not known", part)
                return
            path = paths.normal(partial, self.scope)
            self.ask("deletes something that is not fully known", part)
        many = value is not None and (MANY in value.marks or "*" in path)
        self.touches.append(Touch("path", path, "delete"))
        self.say(paths.deletion(path, self.scope, recursive=recursive, many=many), part)

    def overwrite(self, value: Value | None, part: str, content: Value | None = None, *, appends: bool = False) -> None:
        """A file is written."""
        path = self.path(value)
        if path is None:
            partial = value.rendered("*") if value is not None else None
            if partial is not None and partial.startswith(("/", "~")):
                self.say(paths.overwriting(paths.normal(partial, self.scope), self.scope), part)
            return
        self.touches.append(Touch("path", path, "write"))
        text = content.string if content is not None else None
        judge = paths.appending if appends else paths.overwriting
        self.say(judge(path, self.scope, content=text), part)
        if content is not None and "remote" in content.marks:
            self.scope = replace(self.scope, fetched=self.scope.fetched | {path})

    def read(self, value: Value | None, part: str) -> bool:
        """A file is read; whether it holds a secret."""
        path = self.path(value)
        if path is None:
            return False
        self.touches.append(Touch("path", path, "read"))
        finding = paths.reading(path, self.scope)
        self.say(finding, part)
        return finding is not None and finding.effect.secret

    def make(self, path: str) -> str:
        """Note that this action made a path, so that deleting it loses nothing."""
        self.scope = replace(self.scope, made=self.scope.made | {path})
        return path

    def decoded(self, value: Value) -> bool:
        """Whether a text was decoded at run time."""
        return DECODED in value.marks


def _in_part(finding: Finding, part: str) -> Finding:
    return Finding(finding.verdict, finding.rule, finding.says, finding.effect, part)
