"""Commands to the client program instead of the server: ``\\! ls``, ``.shell ls``, ``\\copy``."""

from __future__ import annotations

import re
import shlex

from reactor_core.safety import paths
from reactor_core.safety.scope import unclear
from reactor_core.safety.sql.session import Session
from reactor_core.safety.verdict import Effect, Finding, Verdict, found

__all__ = ["judge_client"]

_BACKTICKS = re.compile(r"`([^`]*)`")
_SCRIPTS = ("i", "ir", "include", "include_relative", ".", "source", "read", "r")
_SHELLS = ("!", "shell", "system", "host")
_OUTPUTS = ("o", "out", "output", "once", "w", "write", "log", "tee", "g", "gx", "p", "spool")


def judge_client(session: Session, line: str) -> list[Finding]:
    """One command line to the client, with its backslash or dot."""
    findings: list[Finding] = []
    for command in re.split(r"\\\\", line):
        body = command.strip().lstrip("\\.:").strip()
        if not body and command.strip() != "\\.":
            continue
        word = (
            "!"
            if body.startswith("!")
            else "."
            if command.strip().startswith("\\.")
            else body.split()[0].rstrip(";").lower()
        )
        rest = body[1:].lstrip("!").strip() if word == "!" else body[len(word) :].strip()
        findings += _one(session, word, rest)
    return findings


def _one(session: Session, word: str, rest: str) -> list[Finding]:
    findings: list[Finding] = []
    for command in _BACKTICKS.findall(rest):
        findings += _shell(session, command)
    if word in _SHELLS:
        return _shell(session, rest) if rest else [unclear("opens a shell")]
    if word in ("setenv", "cd", "lcd"):
        return findings
    if word in _SCRIPTS:
        return [*findings, unclear(f"runs the script {rest}")]
    if word == "copy":
        # The client's COPY is the server's with files of this machine.
        was, session.flavour = session.flavour, "client"
        inner = session.text(session, f"COPY {rest}")
        session.flavour = was
        return [*findings, *inner]
    if word in _OUTPUTS:
        if rest.startswith("|"):
            return [*findings, *_shell(session, rest[1:])]
        target = _first(rest)
        seen = (
            paths.overwriting(paths.normal(target, session.scope), session.scope)
            if target and "=" not in target
            else None
        )
        return [*findings, seen] if seen is not None else findings
    if word in ("gexec", "gdesc"):
        return [unclear("runs what a query gives back")] if word == "gexec" else findings
    if word == "password":
        return [found("C8", "sets a password", Effect("password", secret=True))]
    if word in ("load", "import", "restore", "lo_import", "lo_export", "lo_unlink", "archive", "ar"):
        rule = "C5" if word == "load" else "B3" if word == "restore" else "C3"
        return [*findings, found(rule, f".{word} changes the database", Effect(rest, reversible=False))]
    if word in ("save", "backup", "dump", "clone"):
        target = rest.split()[-1] if rest.split() else ""
        seen = paths.overwriting(paths.normal(target, session.scope), session.scope) if "/" in target else None
        return [*findings, seen] if seen is not None else findings
    return findings


def _first(rest: str) -> str:
    try:
        words = shlex.split(rest)
    except ValueError:
        return ""
    return words[0] if words else ""


def _shell(session: Session, command: str) -> list[Finding]:
    inner = session.scope.nested("shell", command)
    return [one for one in inner.findings if one.verdict is not Verdict.ALLOW]
