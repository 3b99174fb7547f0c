"""Which program a first word names, and what to say to one that no table describes."""

from __future__ import annotations

import re

from reactor_core.safety import paths
from reactor_core.safety.scope import Scope
from reactor_core.safety.tools.judging import verb_finding
from reactor_core.safety.tools.line import Textual, program_name, shown, wordset
from reactor_core.safety.tools.registry import Call, handler_of
from reactor_core.safety.tools.table import lookup
from reactor_core.safety.tools.targets import fetched, merged, read
from reactor_core.safety.tools.verbs import verb_rule
from reactor_core.safety.verdict import Judged

__all__ = ["judge_unlisted", "program_of"]

_BIN = re.compile(
    r"^(?:/usr(?:/local)?/s?bin|/s?bin|/usr/games|/snap/bin|/usr/local/go/bin|/opt/[^/]+(?:/[^/]+)*/s?bin|"
    r"/home/linuxbrew/\.linuxbrew/bin|.*/(?:\.?venv|env|virtualenv|\.virtualenvs/[^/]+|\.tox/[^/]+|\.nox/[^/]+)/(?:bin|Scripts)|"
    r".*/node_modules/\.bin|.*/vendor/bin|.*/\.local/bin|.*/\.cargo/bin|.*/go/bin|.*/(?:mini|ana)conda3?/(?:envs/[^/]+/)?bin|"
    r".*/\.pyenv/shims|.*/\.rbenv/shims|.*/\.asdf/shims|.*/\.nvm/.*/bin|.*/\.deno/bin|.*/\.bun/bin)$"
)
"""Folders whose programs are what their names say."""

_LOCAL = wordset("""
    gradlew mvnw manage.py configure artisan symfony rebar3 bazelw sbt mill pants dotnet-install.sh rails rake
    rspec bundle spring webpack console dev.sh craft wp gradlew.bat autogen.sh bootstrap config.status
""")
"""Programs that a project carries itself, under the name that everyone knows them by."""


def program_of(word: Textual, scope: Scope) -> str:
    """Name of the program; empty if it is unknown or a script of unknown content."""
    text = word.text
    if text is None:
        return ""
    if "/" not in text:
        return program_name(text)
    path = paths.normal(text, scope) or text
    if path in scope.fetched or text in scope.fetched:
        return ""
    folder, _, name = path.rpartition("/")
    if _BIN.match(folder) or folder.endswith((".venv/bin", "node_modules/.bin", "vendor/bin")):
        return program_name(name)
    if name in _LOCAL and (lookup(name) or handler_of(name)):
        return name
    return ""


_BRIEF = frozenset({"--help", "--version", "-h", "-V", "-v", "--usage", "help", "version", "-version", "-help", "-?"})


def judge_unlisted(call: Call) -> Judged:
    """A program without a table: a fetched one is foreign code, a script may do anything, and a name is judged by the
    words behind it."""
    first = call.words[0]
    if fetched(call, first):
        return merged(
            call.found("B5", f"runs {shown(first)}, which the same action has fetched", shown(first), outward=True)
        )
    if first.text is None:
        return merged(call.found("C6", "runs a command that cannot be known beforehand", reversible=False))
    if len(call.words) == 2 and call.words[1].text in _BRIEF:
        return Judged()
    if not call.program:
        return _by_path(call, first.text)
    if len(call.words) == 1:
        return Judged()
    verbs = tuple(word for word in call.line.words[:2] if re.fullmatch(r"[a-z][a-z:_-]*", word))
    rule = verb_rule(verbs[:1]) or verb_rule(verbs)
    if rule == "A1":
        return read(call, call.line.operands)
    if rule:
        finding = verb_finding(call, verbs)
        if finding is not None:
            return merged(
                call.found("C6" if finding.rule == "C4" else finding.rule, finding.says, finding.effect.target)
            )
    if _hints(call):
        return merged(call.found("C6", f"{call.program} is not known, and its options say that it removes something"))
    return merged(call.found("C6", f"{call.program} is not known"))


def _by_path(call: Call, path: str) -> Judged:
    place = paths.place(path, call.scope).name
    if place == "REGENERABLE":
        return Judged()  # what the project has just built
    if path.startswith(("./", "../")) is False and "/" not in path:
        return Judged()
    return merged(call.found("C6", f"runs {path}, whose content is not known", path, reversible=False))


_HINT = re.compile(
    r"^--?(?:delete|remove|purge|wipe|destroy|erase|force|prune|clean|drop|reset|overwrite|format|nuke)\b"
)


def _hints(call: Call) -> bool:
    return any(_HINT.match(option.name) for option in call.line.options)
