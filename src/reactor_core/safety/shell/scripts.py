"""Runs the scripts that a shell is given: ``sh -c``, standard input, files; and ``eval`` and ``source``."""

from __future__ import annotations

import fnmatch
import re
from dataclasses import replace

from reactor_core.safety.scope import unclear
from reactor_core.safety.shell.command import Origin, Word
from reactor_core.safety.shell.running import Call, Outcome, absolute, deeper
from reactor_core.safety.shell.state import UNKNOWN, Shell, Value
from reactor_core.safety.verdict import Effect, Scale

__all__ = ["content_of", "evaluate", "fetched", "is_harmless_source", "run_content", "run_shell", "source"]

_VALUES = frozenset({"-o", "+o", "-O", "+O", "--rcfile", "--init-file"})
_FIRST = frozenset({"--rcfile", "--init-file"})
"""Files that a shell reads before anything else."""
_ACTIVATING = (
    "*/bin/activate", "bin/activate", "*/activate", "*/Scripts/activate", "*/.bashrc", "*/.profile", "*/.bash_profile",
    "*/.zshrc", "*/.bash_aliases", "*/nvm.sh", "*/conda.sh", "*/.cargo/env", "*/.sdkman/bin/sdkman-init.sh",
    "/etc/os-release", "/etc/profile", "/usr/share/bash-completion/*", "*/bash_completion", "*/.asdf/asdf.sh",
    "/opt/ros/*/setup.bash", "*/.venv/*/activate*", "*/venv/*/activate*",
)  # fmt: skip
LIMIT = 1_000_000
"""Bytes of a script that are looked at."""


def is_harmless_source(path: str) -> bool:
    """Whether sourcing the file only prepares the environment, as of a virtual environment."""
    return any(fnmatch.fnmatchcase(path, pattern) for pattern in _ACTIVATING)


def content_of(call: Call, word: Word) -> Value:
    """What a file holds: as the action wrote it, or as the disk has it."""
    if word.text is None:
        return Value((None,), word.origin)
    path = call.path(word.text)
    if path in ("/dev/stdin", "/dev/fd/0", "/proc/self/fd/0") and call.stdin is not None:
        return call.stdin
    if path in call.world.contents:
        return call.world.contents[path]
    disk = call.scope.disk
    if disk is not None and not call.scope.host and path.startswith("/"):
        raw = disk.read(path, LIMIT)
        if raw is not None:
            try:
                return Value((raw.decode(),))
            except UnicodeDecodeError:
                return UNKNOWN
    return Value((None,), replace(word.origin, fetched=word.origin.fetched or fetched(call, path)))


def fetched(call: Call, path: str) -> bool:
    """Whether a file came from elsewhere in this action."""
    return any(path == one or path.startswith(one.rstrip("/") + "/") for one in call.world.fetched)


def run_content(call: Call, value: Value, shell: Shell, what: str, *, assembled: bool = False) -> Outcome:
    """Run a text that was read from somewhere.

    Args:
        call: What runs it.
        value: The text.
        shell: The shell in which it runs.
        what: What it is, for people.
        assembled: It was put together at run time, for which alone a person has to look at it.
    """
    origin = value.origin
    if origin.fetched:
        if call.world.verified:
            call.add(unclear(f"runs {what} that was fetched and checked against a sum or a signature"))
        else:
            call.found(
                "B5", f"runs {what} that comes from elsewhere, unseen", Effect(scale=Scale.ALL, reversible=False)
            )
        if value.text is None:
            return Outcome(Value((None,), origin))
    if value.text is None:
        _partly(call, value, shell, what)
        return Outcome(Value((None,), Origin(pipeline=(("sh",),))))
    if origin.decoded or assembled:
        call.add(unclear(f"runs {what} that is decoded or assembled only while it runs"))
    held = list(shell.traps)
    outcome = call.runner.text(value.text, shell)
    if shell is not call.shell:
        for trap in shell.traps[len(held) :]:  # this shell ends here
            shell.dead = ""
            call.runner.text(trap, shell)
    return outcome


def _partly(call: Call, value: Value, shell: Shell, what: str) -> None:
    """A script of which only parts are known: these are judged, and a person has to see the rest."""
    call.add(unclear(f"runs {what} whose content is not known"))
    text = "".join("$UNKNOWN" if part is None else part for part in value.parts)
    if any(value.parts):
        call.runner.text(text, shell)


def run_shell(call: Call) -> Outcome:
    """``sh``, ``bash`` and the like with their options."""
    args = list(call.args)
    command = False
    reads_stdin = False
    first: list[Word] = []
    while args:
        text = args[0].text
        if text is None or not re.match(r"[-+].", text):
            break
        args.pop(0)
        if text == "--":
            break
        if text in ("--help", "--version", "--no-exec") or re.fullmatch(r"-[abd-z]*n[abd-z]*", text):
            return Outcome()
        if text in _VALUES:
            first += args[:1] if text in _FIRST else []
            args = args[1:]
        elif text.startswith("-") and not text.startswith("--"):
            command = command or "c" in text
            reads_stdin = reads_stdin or "s" in text
    shell = _new_shell(call)
    for word in first:
        run_content(call, content_of(call, word), shell, f"the file {word}")
    if "PROMPT_COMMAND" in call.env:
        run_content(call, call.env["PROMPT_COMMAND"], shell, "what PROMPT_COMMAND says")
    if command:
        if not args:
            return Outcome()
        shell.positional = _positional(args[2:])
        shell.name = (args[1].text or "sh") if len(args) > 1 else "sh"
        return run_content(call, _value(args[0]), shell, "a script")
    if args and not reads_stdin:
        shell.positional = _positional(args[1:])
        shell.name = args[0].text or "sh"
        return run_content(call, content_of(call, args[0]), shell, f"the script {args[0]}")
    if call.stdin is None:
        return Outcome()
    shell.positional = _positional(args)
    shell.stdin = UNKNOWN
    return run_content(call, call.stdin, shell, "what it reads from its input")


def _new_shell(call: Call) -> Shell:
    """A new shell: it knows what was exported, and no functions or aliases."""
    shell = call.shell.copy()
    shell.variables = {name: ways for name, ways in shell.variables.items() if name in shell.exported}
    shell.functions, shell.aliases = {}, {}
    shell.variables.update({name: (value,) for name, value in call.env.items()})
    shell.exported |= set(call.env)
    shell.scope = deeper(call.scope)
    shell.stdin = call.stdin
    shell.calling = ()
    shell.traps = []
    return shell


def _positional(words: list[Word]) -> tuple[Value, ...] | None:
    return None if any(word.many for word in words) else tuple(_value(word) for word in words)


def _value(word: Word) -> Value:
    return Value(word.parts, word.origin, word.globbed)


def evaluate(call: Call) -> Outcome:
    """``eval``: the words are joined and read again."""
    total = Value()
    for number, word in enumerate(call.args):
        total = total + Value((" ",)) + _value(word) if number else total + _value(word)
    return run_content(call, total, call.shell, "a text", assembled=bool(total.origin.pipeline))


def source(call: Call) -> Outcome:
    """``source`` and ``.``."""
    args = [word for word in call.args if word.text != "--"]
    if not args:
        return Outcome()
    word = args[0]
    value = content_of(call, word)
    if value.text is None and not value.origin.fetched and word.text is not None:
        path = absolute(word.text, call.scope.cwd)
        if is_harmless_source(path) or path.rpartition("/")[2].startswith(".env"):
            return Outcome()  # reading .env is judged as such: it only sets variables
    return run_content(call, value, call.shell, f"the file {word}")
