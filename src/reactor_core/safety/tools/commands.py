"""Hands each command to the judge of its program, or to its table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from reactor_core.safety.scope import Scope
from reactor_core.safety.tools import archives as _archives  # noqa: F401  each registers its judges
from reactor_core.safety.tools import cloud_aws as _cloud_aws  # noqa: F401
from reactor_core.safety.tools import cloud_azure as _cloud_azure  # noqa: F401
from reactor_core.safety.tools import cloud_google as _cloud_google  # noqa: F401
from reactor_core.safety.tools import cloud_others as _cloud_others  # noqa: F401
from reactor_core.safety.tools import cloud_vault as _cloud_vault  # noqa: F401
from reactor_core.safety.tools import containers as _containers  # noqa: F401
from reactor_core.safety.tools import copying as _copying  # noqa: F401
from reactor_core.safety.tools import databases as _databases  # noqa: F401
from reactor_core.safety.tools import editors as _editors  # noqa: F401
from reactor_core.safety.tools import embedded as _embedded  # noqa: F401
from reactor_core.safety.tools import fetching as _fetching  # noqa: F401
from reactor_core.safety.tools import fleets as _fleets  # noqa: F401
from reactor_core.safety.tools import frameworks as _frameworks  # noqa: F401
from reactor_core.safety.tools import git as _git  # noqa: F401
from reactor_core.safety.tools import hosting as _hosting  # noqa: F401
from reactor_core.safety.tools import iac as _iac  # noqa: F401
from reactor_core.safety.tools import interpreters as _interpreters  # noqa: F401
from reactor_core.safety.tools import javascript as _javascript  # noqa: F401
from reactor_core.safety.tools import k8s as _k8s  # noqa: F401
from reactor_core.safety.tools import modes as _modes  # noqa: F401
from reactor_core.safety.tools import processes as _processes  # noqa: F401
from reactor_core.safety.tools import python_packages as _python_packages  # noqa: F401
from reactor_core.safety.tools import remote as _remote  # noqa: F401
from reactor_core.safety.tools.handed import judge_handed
from reactor_core.safety.tools.judging import judge_by_table
from reactor_core.safety.tools.line import Textual
from reactor_core.safety.tools.programs import judge_unlisted, program_of
from reactor_core.safety.tools.registry import Call, Origin, handler_of, read_call
from reactor_core.safety.tools.surroundings import judge_environment
from reactor_core.safety.tools.targets import merged
from reactor_core.safety.verdict import Judged

__all__ = ["judge_command"]


class _Text(Protocol):
    @property
    def text(self) -> str | None: ...

    @property
    def origin(self) -> Origin: ...


class _Command(Protocol):
    @property
    def argv(self) -> Sequence[Textual]: ...

    @property
    def env(self) -> Mapping[str, str | None]: ...

    @property
    def stdin(self) -> _Text | None: ...

    @property
    def piped(self) -> bool: ...


def judge_command(command: _Command, scope: Scope) -> Judged:
    """Judge one resolved command: what its program does with these words, this environment and this input.

    Redirections, and what a wrapper runs, are commands of their own and not looked at here.
    """
    scope.effort.spend(1 + len(command.argv))
    stdin = command.stdin
    program = program_of(command.argv[0], scope)
    call = read_call(
        command.argv,
        program,
        scope,
        env=command.env,
        stdin=None if stdin is None else stdin.text,
        has_stdin=stdin is not None,
        origin=None if stdin is None else stdin.origin,
        piped=command.piped,
    )
    return merged(judge_environment(call), judge_handed(call), _judge(call))


def _judge(call: Call) -> Judged:
    if _asks_for_help(call):
        return Judged()
    handler = handler_of(call.program)
    judged = handler(call) if handler is not None else None
    if judged is not None:
        return judged
    if call.tool is not None:
        return judge_by_table(call, call.tool)
    return judge_unlisted(call)


def _asks_for_help(call: Call) -> bool:
    """``--help`` and ``--version`` as words of the program itself, before anything that it might run or that ends its
    options."""
    if not call.program:
        return False
    for index, word in enumerate(call.words[1:]):
        if word.text in {"--help", "--version"}:
            return index < 3 or call.tool is None or not call.tool.stops
        if word.text is None or word.text == "--":
            return False
    return False
