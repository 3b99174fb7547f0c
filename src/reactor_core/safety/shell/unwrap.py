"""Runs what a wrapper wraps: ``sudo``, ``timeout``, ``ssh``, ``docker run`` and the like."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from reactor_core.safety.scope import Scope
from reactor_core.safety.shell.command import Word
from reactor_core.safety.shell.containers import mounted
from reactor_core.safety.shell.running import Call, Outcome, absolute, deeper
from reactor_core.safety.shell.state import Shell, Value
from reactor_core.safety.shell.wrappers import CONTAINERS, WRAPPERS, Wrapper

__all__ = ["joined_line", "unwrap"]

_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(slots=True)
class _Taken:
    """What stands before the wrapped command."""

    words: tuple[Word, ...] = ()
    options: list[tuple[str, Word | None]] = field(default_factory=list)
    operands: list[Word] = field(default_factory=list)
    env: dict[str, Value] = field(default_factory=dict)
    scripts: list[Word] = field(default_factory=list)
    chdir: Word | None = None
    login: bool = False
    query: bool = False
    clean: bool = False


def unwrap(call: Call) -> Outcome | None:
    """Run what the command wraps; None if it is no wrapper or wraps nothing here."""
    name = call.name
    wrapper = WRAPPERS.get(name) or (WRAPPERS["ld.so"] if re.match(r"ld(-linux.*|-\d.*|)\.so", name) else None)
    if wrapper is None:
        return None
    args = call.args
    if name in CONTAINERS and (at := _position(args, "compose")) >= 0:
        wrapper, args = WRAPPERS["docker-compose"], args[at + 1 :]
    if wrapper.subcommands:
        rest = _behind_subcommand(args, wrapper)
        if rest is None:
            return None
        args = rest
    taken = _take(args, wrapper)
    if taken.query:
        return None
    scope = call.scope
    if wrapper.privileged and not _for_plain_user(taken):
        scope = replace(scope, privileged=True)
    if taken.chdir is not None:
        scope = replace(scope, cwd=absolute(taken.chdir.text, scope.cwd) if taken.chdir.text else "")
    shell = call.shell
    if wrapper.remote or wrapper.inside:
        host = _host(taken, wrapper)
        if host not in _LOCAL:
            shell, scope = _elsewhere(call, taken, wrapper, host)
    inner = replace(call, scope=scope, shell=shell, env={**({} if taken.clean else call.env), **taken.env}, plain=True)
    return _run(inner, taken, wrapper)


def _run(call: Call, taken: _Taken, wrapper: Wrapper) -> Outcome | None:
    outcome: Outcome | None = None
    for script in taken.scripts:
        outcome = _line(call, joined_line([script]))
    if taken.scripts and (wrapper.operands == 99 or not taken.words):
        return outcome
    words = taken.words
    if taken.login or wrapper.joined:
        if not words:
            # An interactive shell that reads what the action feeds it.
            return call.runner.call(replace(call, words=(Word(("bash",)),), env={})) if call.stdin else outcome
        return _line(call, joined_line(words, quoted=taken.login))
    if not words:
        if call.name in ("su", "runuser") and call.stdin is not None:
            return call.runner.call(replace(call, words=(Word(("bash",)),)))
        return outcome
    return call.runner.call(replace(call, words=words, scope=deeper(call.scope), declared=()))


def _line(call: Call, line: str) -> Outcome:
    shell = call.shell.copy()
    shell.scope = deeper(call.scope)
    shell.stdin = call.stdin
    shell.variables.update({name: (value,) for name, value in call.env.items()})
    shell.exported |= set(call.env)
    return call.runner.text(line, shell)


def joined_line(words: Sequence[Word], *, quoted: bool = False) -> str:
    """Words as one line that a shell reads again: not quoted, as ``ssh`` and ``watch`` do it."""
    out = []
    for word in words:
        text = "".join("$UNKNOWN" if part is None else part for part in word.parts)
        if quoted and None not in word.parts and not re.fullmatch(r"[\w./:=@%+,-]*", text):
            text = "'" + text.replace("'", "'\\''") + "'"
        out.append(text)
    return " ".join(out)


def _position(args: Sequence[Word], text: str) -> int:
    """Where the first word that is no option is, if it is ``text``; -1 otherwise."""
    for index, word in enumerate(args):
        if word.text == text:
            return index
        if word.text is None or not word.text.startswith("-"):
            if index and (args[index - 1].text or "").startswith("-"):
                continue
            return -1
    return -1


def _behind_subcommand(args: Sequence[Word], wrapper: Wrapper) -> tuple[Word, ...] | None:
    """The words behind one of the subcommands; None if none is there."""
    index = 0
    while index < len(args):
        text = args[index].text
        for sub in wrapper.subcommands:
            length = len(sub.split())
            if sub and [word.text for word in args[index : index + length]] == sub.split():
                # A global option such as -n prod may stand before; those behind are read next.
                return tuple(args[index + length :])
        if text is not None and text.startswith("-") and len(text) > 1:
            index += 2 if text in wrapper.values else 1
            continue
        return tuple(args) if "" in wrapper.subcommands else None
    return None


def _take(args: Sequence[Word], wrapper: Wrapper) -> _Taken:
    taken = _Taken()
    index = 0
    operands = max(wrapper.operands, 0)
    while index < len(args):
        word = args[index]
        text = word.text
        if text == "--":
            index += 1
            if len(taken.operands) >= operands or wrapper.spaced:
                break
            continue
        if text == "-" and wrapper.operands in (0, 99):
            taken.clean = wrapper.assigns
            index += 1
            continue
        if text is not None and text.startswith("-") and len(text) > 1:
            index = _option(args, index, wrapper, taken)
            continue
        if text is not None and wrapper.assigns and _ASSIGNMENT.match(text):
            name, _, value = text.partition("=")
            taken.env[name] = Value((value,), word.origin)
            index += 1
            continue
        if text is None and wrapper.assigns and _ASSIGNMENT.match(word.known_prefix):
            name, _, value = word.known_prefix.partition("=")
            taken.env[name] = Value((value, *word.parts[1:]), word.origin)
            index += 1
            continue
        if len(taken.operands) < operands:
            taken.operands.append(word)
            index += 1
            continue
        break
    if wrapper.spaced and not any(word.text == "--" for word in args[:index]) and wrapper.inside is False:
        taken.words = ()
    else:
        taken.words = tuple(args[index:])
    return taken


def _option(args: Sequence[Word], index: int, wrapper: Wrapper, taken: _Taken) -> int:
    """Take one option with its value; gives the index behind."""
    text = args[index].text or ""
    name, equals, value = text.partition("=")
    following = args[index + 1] if index + 1 < len(args) else None
    used = 1
    given: Word | None = Word((value,)) if equals and text.startswith("--") else None
    names = [name] if text.startswith("--") or name in wrapper.values | wrapper.scripts else []
    if not names:
        for at, letter in enumerate(text[1:], 1):
            names.append(f"-{letter}")
            if f"-{letter}" in wrapper.values | wrapper.scripts | wrapper.chdir:
                if at + 1 < len(text):
                    given = Word((text[at + 1 :],))
                break
        if text in wrapper.queries | wrapper.login:
            names.append(text)
    last = names[-1]
    if given is None and last in wrapper.values | wrapper.scripts | wrapper.chdir and following is not None:
        given = following
        used = 2
    taken.options.append((last, given))
    if last in wrapper.scripts and given is not None:
        taken.scripts.append(given)
    if last in wrapper.chdir:
        taken.chdir = given
    taken.login = taken.login or any(each in wrapper.login for each in names)
    taken.query = taken.query or any(each in wrapper.queries for each in names)
    taken.clean = taken.clean or text in ("-i", "--ignore-environment")
    return index + used


def _for_plain_user(taken: _Taken) -> bool:
    users = [value.text for name, value in taken.options if name in ("-u", "--user") and value is not None]
    return bool(users) and users[-1] not in (None, "root", "0", "#0")


def _host(taken: _Taken, wrapper: Wrapper) -> str:
    for name, value in taken.options:
        if name in ("-w", "-H", "-m", "-g") and wrapper.remote and value is not None:
            return value.pattern
    if not taken.operands:
        return "elsewhere"
    text = taken.operands[0].pattern
    return re.sub(r":\d+$", "", re.sub(r"^(?:ssh://)?(?:[^@/]*@)?", "", text)) or "elsewhere"


def _elsewhere(call: Call, taken: _Taken, wrapper: Wrapper, host: str) -> tuple[Shell, Scope]:
    shell = call.shell.copy()
    shell.variables = {}
    shell.functions, shell.aliases, shell.exported = {}, {}, set()
    scope = call.scope
    user = taken.operands[0].pattern.partition("@")[0] if taken.operands and "@" in taken.operands[0].pattern else ""
    root = user == "root" or (wrapper.inside and not wrapper.remote)
    home = "/root" if user == "root" else scope.setting.home
    scope = replace(
        scope, host=host, variables={"PWD": home, "HOME": home}, cwd=home, privileged=scope.privileged or root
    )
    shell.scope = scope
    if wrapper.inside:
        scope, shell.roots = mounted(call, taken.options, taken.operands, scope)
        shell.scope = scope
    return shell, scope
