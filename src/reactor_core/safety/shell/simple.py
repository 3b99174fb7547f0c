"""Runs one simple command: expands its words, opens its redirections, and hands it to whoever knows what it does."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Sequence
from dataclasses import replace

from reactor_core.safety.scope import Scope, unclear
from reactor_core.safety.shell.assignments import aliased, assign
from reactor_core.safety.shell.builtins import BUILTINS
from reactor_core.safety.shell.command import Redirect, Word, line_of
from reactor_core.safety.shell.containers import THROWAWAY, outside
from reactor_core.safety.shell.expand import Expander
from reactor_core.safety.shell.flow import check, shows_secret
from reactor_core.safety.shell.indirect import schedule, shown, standing_for
from reactor_core.safety.shell.nodes import Item as ListItem
from reactor_core.safety.shell.nodes import Pipeline, Script, Simple
from reactor_core.safety.shell.outputs import printed
from reactor_core.safety.shell.redirects import judge_redirects, opened, take
from reactor_core.safety.shell.repeated import REPEATERS
from reactor_core.safety.shell.running import Call, Outcome, Runs, absolute, deeper
from reactor_core.safety.shell.scripts import fetched, run_shell
from reactor_core.safety.shell.sources import Source
from reactor_core.safety.shell.state import EMPTY, UNKNOWN, Chooser, Shell, Value
from reactor_core.safety.shell.traces import remember
from reactor_core.safety.shell.unwrap import unwrap
from reactor_core.safety.tools import judge_command
from reactor_core.safety.verdict import Effect, Scale

__all__ = ["call", "run_simple"]

_FOLDERS = ("/bin", "/usr/bin", "/sbin", "/usr/sbin", "/usr/local/bin")
_PROGRAMS = (
    "rm", "dd", "sh", "bash", "dash", "zsh", "mv", "cp", "chmod", "chown", "cat", "tee", "nc", "curl", "wget", "find",
    "shred", "kill", "python3", "perl", "mkfs", "mkfs.ext4", "wipefs", "reboot", "shutdown", "sudo", "env", "git",
    "ssh",
)  # fmt: skip
"""Programs that a pattern in the place of a program is tried with."""
_OUTER = frozenset({"env", "command", "builtin", "exec", "nohup", "time", "busybox", "toybox"})
_MAX_CALLS = 12


def run_simple(node: Simple, shell: Shell, expander: Expander, runner: Runs, chooser: Chooser) -> Outcome:
    """Run it under one choice of what is ambiguous."""
    shell.scope.effort.spend(6)
    ways = shell.folders()
    cwd = ways[chooser.pick(("variable", "PWD"), len(ways))]
    scope = replace(shell.scope, cwd=cwd)
    substituted = aliased(node, shell)
    if substituted is not None:
        for name in substituted[1]:
            shell.aliases.pop(name, None)
        outcome = runner.script(substituted[0], shell)
        if "expand_aliases" in shell.options:
            return outcome
    words = tuple(expander.words(node.words))
    env: dict[str, Value] = {}
    if not words:
        for assignment in node.assignments:
            assign(assignment, shell, expander)
        settled = [assignment.name for assignment in node.assignments]
    else:
        inner = shell.copy()
        held, expander.shell = expander.shell, inner
        for assignment in node.assignments:
            assign(assignment, inner, expander)
            env[assignment.name] = inner.variables[assignment.name][0]
        expander.shell = held
        for assignment in node.declared:
            assign(assignment, shell, expander)
        settled = [assignment.name for assignment in node.declared]
    _judge_settings(settled, shell, scope, runner)
    stdin, redirects, out = opened(node.redirections, shell, expander, scope, runner)
    if not words:
        _emptied(redirects, shell, scope, runner)
        return Outcome(status=True)
    one = Call(
        words, shell, scope, runner, chooser, env, shell.stdin if stdin is None else stdin, redirects, node.declared,
        piped=shell.piped,
    )  # fmt: skip
    outcome = runner.call(one)
    if not out and not redirects:
        shown(one)
    judge_redirects(one, redirects, outcome.output)
    return replace(outcome, output=EMPTY) if out else outcome


def _judge_settings(names: Sequence[str], shell: Shell, scope: Scope, runner: Runs) -> None:
    """What is set for all that follows in this shell: some variables act by themselves."""
    acting = {name: shell.variables[name][0] for name in names if name in _ACTING and name in shell.variables}
    if acting:
        _judge_words(Call((Word((":",)),), shell, scope, runner, Chooser(), acting))


_ACTING = frozenset({
    "PROMPT_COMMAND", "HISTFILE", "HISTSIZE", "HISTFILESIZE", "SAVEHIST", "LD_PRELOAD", "LD_AUDIT", "BASH_ENV", "PATH",
    "SAFETY_AUDIT_ENABLED", "DYLD_INSERT_LIBRARIES",
})  # fmt: skip


def _emptied(redirects: Sequence[Redirect], shell: Shell, scope: Scope, runner: Runs) -> None:
    one = Call((Word((":",)),), shell, scope, runner, Chooser(), redirects=tuple(redirects))
    judge_redirects(one, redirects, EMPTY)


def call(one: Call) -> Outcome:
    """Run a command whose words are known."""
    one.scope.effort.spend(2)
    world = one.world
    first = one.words[0]
    if first.text is None:
        return _unknown_program(one)
    if not first.text:
        return Outcome(status=False)
    if first.origin.decoded:
        one.add(unclear(f"runs {first.text}, a name that is decoded only while it runs"))
    if first.globbed:
        _matching_programs(one, first.text)
    name = one.name
    if "/" not in first.text and name in one.shell.functions and (not one.plain or name not in BUILTINS):
        return _function(one, name)
    if "/" in first.text and (program := world.programs.get(one.path(first.text))):
        return call(replace(one, words=(Word((program,)), *one.args)))
    alias = world.config.get((name, one.args[0].text or "")) if one.args else None
    if alias is not None:
        return _tool_alias(one, alias)
    if name in BUILTINS and ("/" not in first.text or BUILTINS[name] is run_shell):
        world.resolved.append(line_of(one.words))
        if name not in ("eval", "source", "."):
            check(one)
        outcome = BUILTINS[name](replace(one, words=_inside(one)))
        if outcome is not None:
            if name in ("source", ".", "export", "unset", "set"):
                _judge_tool(one)
            output = outcome.output
            if name in ("export", "declare", "set") and shows_secret(one):
                output = Value((None,), replace(output.origin, secret=True))
            return replace(outcome, output=output)
    if "/" in first.text and (outcome := _script(one)) is not None:
        return outcome
    start = len(world.findings)
    if one.name not in BUILTINS:
        world.resolved.append(line_of(one.words))
    inner = REPEATERS[name](one) if name in REPEATERS else unwrap(one)
    if inner is not None and name in _OUTER:
        return inner
    check(one)
    _judge_tool(one)
    if name in ("crontab", "at", "batch"):
        schedule(one)
    secret = shows_secret(one) or any(finding.effect.secret for finding in world.findings[start:])
    if inner is not None and name not in REPEATERS:
        return inner
    output = printed(Source(name, one.args, one.stdin, one.shell, one.scope.cwd, secret))
    if inner is not None:
        output = Value((None,), inner.output.origin | output.origin)
    remember(one)
    return Outcome(output, None)


def _judge_tool(one: Call) -> None:
    for words in standing_for(one):
        _judge_words(replace(one, words=words))


def _judge_words(one: Call) -> None:
    inner = replace(one, words=_inside(one), scope=_inside_scope(one))
    command = inner.command()
    before = len(one.world.findings)
    take(one, judge_command(command, command.scope))
    if any(outer == THROWAWAY for _, outer in one.shell.roots):
        _spare_container(one, before)


def _spare_container(one: Call, before: int) -> None:
    """What a container changes in itself is gone with it, unless it reaches out."""
    findings = one.world.findings
    findings[before:] = [
        finding
        for finding in findings[before:]
        if finding.rule not in ("C1", "C4", "C5")
        or finding.effect.outward
        or any(not outer.startswith(THROWAWAY) and outer in finding.effect.target for _, outer in one.shell.roots)
    ]


def _inside(one: Call) -> tuple[Word, ...]:
    """The words with paths as this machine knows them: through mounts of a container and through links."""
    links = one.world.links
    if not links and not one.shell.roots:
        return one.words
    return (one.words[0], *(_moved(word, one, links) for word in one.args))


def _moved(word: Word, one: Call, links: dict[str, str]) -> Word:
    text = word.parts[0]
    if not text or text.startswith("-"):
        return word
    if one.shell.roots and text.startswith("/"):
        return replace(word, parts=(outside(text, one.shell.roots), *word.parts[1:]))
    if links and not word.origin.pipeline:
        path = absolute(text, one.scope.cwd)
        for link, target in links.items():
            if path.startswith(link + "/") or (path == link and text.endswith("/")):
                return replace(word, parts=(target.rstrip("/") + path[len(link) :] or "/", *word.parts[1:]))
    return word


def _inside_scope(one: Call) -> Scope:
    scope = one.scope
    return replace(scope, cwd=outside(scope.cwd, one.shell.roots)) if one.shell.roots and scope.cwd else scope


def _matching_programs(one: Call, pattern: str) -> None:
    """A pattern in the place of a program stands for the first program that fits."""
    for program in _PROGRAMS:
        if any(fnmatch.fnmatchcase(f"{folder}/{program}", pattern) for folder in _FOLDERS):
            call(replace(one, words=(Word((program,)), *one.args)))


def _unknown_program(one: Call) -> Outcome:
    first = one.words[0]
    one.world.resolved.append(line_of(one.words))
    check(one)
    if first.known_prefix.endswith("/") or "/" in first.known_prefix:
        one.add(unclear(f"runs a program in {first.known_prefix} whose name is not known"))
    else:
        one.add(unclear("runs a command that is not known"))
    rest = "".join(part for part in first.parts if part)
    if rest and "/" not in rest:
        one.runner.call(replace(one, words=(Word((rest,)), *one.args)))
    if len(one.words) > 1 and first.many:
        # It may be a wrapper such as $SUDO, or nothing at all.
        one.runner.call(replace(one, words=one.args))
    return Outcome(UNKNOWN)


def _function(one: Call, name: str) -> Outcome:
    shell = one.shell
    if name in shell.calling:
        if shell.fork:
            one.found(
                "B6", f"{name} starts itself over and over: a fork bomb", Effect(scale=Scale.ALL, reversible=False)
            )
        if shell.calling.count(name) >= 3:
            return Outcome(UNKNOWN)
    inner = shell.copy()
    inner.scope = deeper(one.scope)
    inner.positional = (
        None
        if any(word.many for word in one.args)
        else tuple(Value(word.parts, word.origin, word.globbed) for word in one.args)
    )
    inner.calling = (*shell.calling, name)
    inner.stdin = one.stdin
    inner.variables.update({key: (value,) for key, value in one.env.items()})
    item = ListItem(Pipeline((shell.functions[name],)))
    outcome = one.runner.script(Script((item,)), inner)
    dead, positional = inner.dead, shell.positional
    scope, stdin, calling = shell.scope, shell.stdin, shell.calling
    shell.become(inner)
    shell.positional, shell.scope, shell.stdin, shell.calling = positional, scope, stdin, calling
    shell.dead = dead if dead == "exit" else ""
    return outcome


def _tool_alias(one: Call, alias: str) -> Outcome:
    """An alias that the action has defined in a tool, as with ``git config alias.x``."""
    rest = " ".join(line_of((word,)) for word in one.args[1:])
    line = f"{alias[1:]} {rest}" if alias.startswith("!") else f"{one.name} {alias} {rest}"
    inner = one.shell.copy()
    inner.scope = deeper(one.scope)
    return one.runner.text(line, inner)


def _script(one: Call) -> Outcome | None:
    """A program that is given by its path and that the action itself has written; None for any other."""
    path = one.path(one.words[0].text or "")
    value = one.world.contents.get(path)
    if value is None or fetched(one, path):
        return None
    text = value.text
    if text is not None and (match := re.match(r"#!\s*(\S+)(?:[ \t]+(\S+))?.*", text)):
        program = (match[2] if match[1].endswith("/env") and match[2] else match[1]).rpartition("/")[2]
        if program not in BUILTINS:
            return one.runner.call(replace(one, words=(Word((program,)), one.words[0], *one.args)))
    return one.runner.call(replace(one, words=(Word(("bash",)), one.words[0], *one.args)))
