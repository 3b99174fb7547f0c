"""Commands whose effect is spelled out elsewhere: in what another command lists, or in a table that is read later."""

from __future__ import annotations

import re
from dataclasses import replace

from reactor_core.safety.sensitive import names_secret, secret_name
from reactor_core.safety.shell.command import Word
from reactor_core.safety.shell.running import Call, deeper
from reactor_core.safety.verdict import Effect, Scale

__all__ = ["schedule", "shown", "standing_for"]

_CRON = re.compile(r"\s*(?:@\w+|(?:[\d*/,A-Za-z-]+\s+){5})\s*(.+)")
_FINDS_PROCESSES = frozenset({"pgrep", "pidof"})
_KILLS = frozenset({"kill", "xkill", "skill"})


def standing_for(call: Call) -> list[tuple[Word, ...]]:
    """The words, and those of the command that says by name what they say by number."""
    out = [call.words]
    if call.name not in _KILLS:
        return out
    targets = [word for word in call.args if not (word.text or "").startswith("-")]
    if targets and all(_own(word) for word in targets):
        return []
    for word in call.args:
        for stage in word.origin.pipeline[:1]:
            if stage[0] in _FINDS_PROCESSES and None not in stage:
                signals = [each for each in call.args if (each.text or "").startswith("-")]
                names = [Word((text,)) for text in stage[1:]]
                out.append((Word(("pkill",)), *signals, *names))
    for stage in _filters(call):
        names = [Word((text,)) for text in stage[1:] if text and not text.startswith("-")]
        out.extend((Word(("pkill",)), Word(("-f",)), name) for name in names[:1])
    return out


def _own(word: Word) -> bool:
    """Whether a process is one that the action has started itself."""
    if word.text is not None:
        return word.text.startswith("%")
    return bool(word.origin.pipeline) and word.origin.pipeline[0] in (("$!",), ("jobs", "-p"))


def _filters(call: Call) -> list[tuple[str | None, ...]]:
    """The filters that a list of processes went through before its numbers were taken."""
    return [
        stage
        for word in call.args
        if word.origin.pipeline and word.origin.pipeline[0][0] in ("ps", "lsof", "top")
        for stage in word.origin.pipeline[1:]
        if stage[0] in ("grep", "egrep", "rg", "awk")
    ]


def shown(call: Call) -> None:
    """What is printed where people and logs see it: variables that hold a secret, or the whole environment."""
    name = call.name
    if name in ("echo", "printf", "print") and not call.piped:
        for word in call.args:
            for variable in word.origin.variables:
                if secret_name(variable):
                    call.found("C8", f"prints {variable}", Effect(target=variable, scale=Scale.ITEM, secret=True))
    elif name == "printenv" and any(secret_name(word.text or "") for word in call.args):
        call.found("C8", "prints a secret of the environment", Effect(scale=Scale.ITEM, secret=True))
    elif name in ("grep", "egrep", "rg", "awk", "sed") and call.stdin is not None and call.stdin.origin.secret:
        listed = call.stdin.origin.pipeline[:1]
        wanted = any(names_secret(word.text or "") for word in call.args)
        if wanted and listed and listed[0][0] in ("env", "printenv", "export", "set"):
            call.found("C8", "prints secrets of the environment", Effect(scale=Scale.MANY, secret=True))


def schedule(call: Call) -> None:
    """The lines of a crontab that is read from the input: what they run is run."""
    if call.name in ("at", "batch"):
        lists = any(word.text in ("-l", "-r") for word in call.args)
        if call.stdin is not None and call.stdin.text is not None and not lists:
            shell = call.shell.copy()
            shell.scope = deeper(call.scope)
            call.runner.text(call.stdin.text, shell)
        return
    operands = [word.text for word in call.args if word.text and not word.text.startswith("-")]
    takes_input = any(word.text == "-" for word in call.args) or not call.args
    if operands and operands != ["-"] and not any(word.text in ("-l", "-r", "-e") for word in call.args):
        call.found("C5", "changes what runs at set times", Effect(scale=Scale.ITEM, privilege=True))
    if not takes_input or call.stdin is None or (operands and operands != ["-"]):
        return
    call.found("C5", "changes what runs at set times", Effect(scale=Scale.ITEM, privilege=True))
    for part in call.stdin.parts:
        for line in (part or "").splitlines():
            match = _CRON.match(line)
            if match and not line.lstrip().startswith("#"):
                shell = call.shell.copy()
                shell.scope = deeper(replace(call.scope, cwd=call.scope.setting.home))
                call.runner.text(match[1], shell)
