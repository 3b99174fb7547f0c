"""Opens the redirections of a command, and judges the files that its streams go to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import msgspec

from reactor_core.safety import paths
from reactor_core.safety.scope import Scope, unclear
from reactor_core.safety.shell.builtins import BUILTINS
from reactor_core.safety.shell.command import Origin, Redirect, Word, line_of
from reactor_core.safety.shell.containers import outside
from reactor_core.safety.shell.expand import Expander
from reactor_core.safety.shell.flow import shows_secret
from reactor_core.safety.shell.nodes import Redirection
from reactor_core.safety.shell.running import Call, Runs
from reactor_core.safety.shell.scripts import content_of, run_shell
from reactor_core.safety.shell.state import UNKNOWN, Shell, Value, literal
from reactor_core.safety.shell.traces import written
from reactor_core.safety.verdict import Effect, Judged, Scale, found

__all__ = ["judge_redirects", "opened", "take"]

_NETWORK = re.compile(r"/dev/(tcp|udp)/([^/]+)/([^/]+)")
_STANDARD = re.compile(r"/dev/(stdin|stdout|stderr|null|zero|full|tty|fd/\d+|pts/\d+|u?random)|/proc/self/fd/\d+|&?-")


def opened(
    redirections: Sequence[Redirection], shell: Shell, expander: Expander, scope: Scope, runner: Runs
) -> tuple[Value | None, tuple[Redirect, ...], bool]:
    """Standard input if it is redirected, all files, and whether the output goes to one of them."""
    stdin: Value | None = None
    redirects: list[Redirect] = []
    out = False
    for redirection in redirections:
        op, fd = redirection.op, redirection.fd
        if op == "<<":
            value = expander.value(redirection.target)
            if fd in (None, 0):
                stdin = value
            continue
        if op == "<<<":
            value = expander.value(redirection.target)
            if fd in (None, 0):
                stdin = value + literal("\n")
            continue
        words = expander.words((redirection.target,))
        target = words[0] if len(words) == 1 else Word((None,))
        text = target.text or ""
        if op in (">&", "<&") and re.fullmatch(r"\d+-?|-", text):
            if op == "<&" and fd in (None, 0) and text in shell.world.sockets:
                stdin = Value((None,), Origin(fetched=True))
            if op == ">&" and fd in (None, 1) and text == "2":
                out = True
            continue
        if op in ("<", "<>", "<&") and fd in (None, 0):
            stdin = _file_content(target, shell, expander, scope, runner)
        if fd is not None and _NETWORK.fullmatch(text):
            shell.world.sockets.add(str(fd))
        kind = "<" if op.startswith("<") and op != "<>" else ">>" if op in (">>", "&>>", "<>") else ">"
        redirects.append(Redirect(kind, target, fd if fd is not None else (0 if op[0] == "<" else 1)))
        out = out or (kind != "<" and fd in (None, 1) and text not in ("/dev/stdout", "/dev/tty", "/dev/fd/1"))
    return stdin, tuple(redirects), out


def _file_content(target: Word, shell: Shell, expander: Expander, scope: Scope, runner: Runs) -> Value:
    one = Call((Word(("cat",)), target), shell, scope, runner, expander.chooser)
    if target.text is not None and _NETWORK.fullmatch(target.text):
        return Value((None,), replace(target.origin, fetched=True))
    value = content_of(one, target)
    if target.text is None:
        return value
    path = one.path(target.text)
    secret = shows_secret(one)
    files = () if path.startswith("/dev/") or value.text is not None else (path,)
    return replace(value, origin=replace(value.origin, secret=value.origin.secret or secret, files=files))


def judge_redirects(one: Call, redirects: Sequence[Redirect], output: Value) -> None:
    for redirect in redirects:
        target = redirect.target
        text = target.text
        content = output if redirect.fd in (0, 1) else UNKNOWN
        if text is not None and (match := _NETWORK.fullmatch(text)):
            _connected(one, redirect, match)
            continue
        if text is None and not target.known_prefix.startswith("/"):
            if redirect.op == ">":
                one.add(unclear("writes to a file whose name is not known"))
            continue
        path = outside(text, one.shell.roots) if text is not None else target.pattern
        if _STANDARD.fullmatch(path):
            continue
        scope = one.known_scope()
        if redirect.op == "<":
            finding = paths.reading(path, scope)
        elif redirect.op == ">>":
            finding = paths.appending(path, scope, content=content.text)
        else:
            finding = paths.overwriting(path, scope, content=content.text)
            if target.globbed and content.text == "":
                # In a loop over a pattern: emptying many files is losing them.
                finding = paths.deletion(path, scope, recursive=False, many=True) or finding
        if finding is not None and redirect.op != "<" and content.origin.fetched and finding.rule in ("C5", "C6"):
            says = f"puts what comes from elsewhere where it runs by itself: {path}"
            finding = found("B5", says, Effect(target=path, scale=Scale.ALL, reversible=False, privilege=True))
        if finding is not None:
            one.add(msgspec.structs.replace(finding, part=f"{line_of(one.words)} {redirect.op} {target}"))
        if redirect.op == ">" and finding is None and text is not None and not target.globbed:
            one.world.made.add(one.path(path))
        if redirect.op != "<" and redirect.fd in (0, 1) and text is not None:
            written(one, one.path(path), content, adding=redirect.op == ">>")


def _connected(one: Call, redirect: Redirect, match: re.Match[str]) -> None:
    host, port = match[2], match[3]
    shells = one.name in BUILTINS and BUILTINS[one.name] is run_shell
    if shells or (one.name == "exec" and redirect.op == ">>" and len(one.words) == 1 and redirect.fd in (0, 1)):
        says = f"connects a shell to {host}, port {port}"
        one.found("B5", says, Effect(target=host, scale=Scale.ALL, reversible=False, outward=True, privilege=True))
    elif redirect.op != "<" and shows_secret(one):
        says = f"sends a secret to {host}"
        one.found("B5", says, Effect(target=host, scale=Scale.ITEM, reversible=False, outward=True, secret=True))
    else:
        judged = one.scope.nested("network", f"CONNECT {host}:{port}")
        take(one, judged)


def take(one: Call, judged: Judged) -> None:
    """Add what another judge has found."""
    for finding in judged.findings:
        one.add(finding)
    one.world.resolved.extend(judged.resolved)
    one.world.touches.extend(judged.touches)
