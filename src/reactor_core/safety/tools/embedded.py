"""Programs that are given commands in a language of their own, some of which start programs or delete files."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from reactor_core.safety import paths
from reactor_core.safety.tools.judging import judge_by_table
from reactor_core.safety.tools.line import read_line
from reactor_core.safety.tools.registry import Call, handles
from reactor_core.safety.tools.targets import fetched, judged_path, merged
from reactor_core.safety.verdict import Finding, Judged

__all__: list[str] = []


@handles("make", "gmake", "remake", "bmake")
def judge_make(call: Call) -> Judged | None:
    """A make file that the action spells out is judged by its recipes; others are known to the table."""
    line = read_line(call.program, call.words[1:], values=("-f", "--file", "--makefile", "-C", "--directory"))
    parts: list[Judged | Finding | None] = []
    for word in line.values("-f", "--file", "--makefile"):
        if word.text in {"-", "/dev/stdin", "/proc/self/fd/0"}:
            if call.origin.fetched:
                parts.append(call.found("B5", "runs a make file that comes from elsewhere, unseen", outward=True))
            elif call.stdin is None:
                parts.append(call.found("C6", "runs a make file that cannot be known beforehand"))
            else:
                parts += [call.nested("shell", recipe) for recipe in _recipes(call.stdin)]
        elif fetched(call, word):
            parts.append(call.found("B5", "runs a make file that the same action has fetched", outward=True))
    parts += [call.runs(word) for word in line.values("--eval") if "$(shell" in (word.text or "")]
    known = judge_by_table(call, call.tool) if call.tool is not None else None
    return merged(*parts, known)


def _recipes(text: str) -> Iterator[str]:
    names = dict(re.findall(r"(?m)^\s*(\w+)\s*[:?+]?=\s*(.*)$", text))
    for raw in text.replace("\\\n", " ").splitlines():
        line = raw
        for name, value in names.items():
            line = line.replace(f"$({name})", value).replace(f"${{{name}}}", value)
        yield from re.findall(r"\$\(shell\s+([^)]*)\)", line)
        if raw.startswith("\t"):
            yield line.strip().lstrip("@-+").replace("$$", "$")
        elif (inline := re.match(r"^[^=#\s][^=#]*?::?(?!=)[^;=]*;\s*(.+)$", line)) is not None:
            yield inline[1].lstrip("@-+").replace("$$", "$")


@handles("gdb", "lldb", "r2", "radare2", "gnuplot", "less", "more", "most", "man")
def judge_debugger(call: Call) -> Judged | None:
    """Commands that begin with ``!`` or ``shell`` go to a shell."""
    parts: list[Judged | Finding | None] = []
    words = [word for word in call.words[1:] if not word.known_prefix.startswith("-")]
    lines = [text for word in words if (text := word.text) is not None]
    lines += [
        text.partition("=")[2] for word in call.words[1:] if (text := word.text or "").startswith("--eval-command=")
    ]
    if call.stdin is not None and call.program not in {"less", "more", "most", "man"}:
        lines += call.stdin.splitlines()
    for text in lines:
        match = re.match(r"^\s*(?:(?:platform\s+)?shell|!|make|system|pipe\s+[^|]*\|)\s*(.+)$", text, re.DOTALL)
        code = re.match(r"^\s*(?:python|py|pi|script)\s+(.+)$", text, re.DOTALL)
        called = re.search(r"\b(?:system|popen)\s*\(\s*[\"'](.*?)[\"']", text)
        if match is not None and (call.program not in {"less", "more", "most", "man"} or text.startswith("!")):
            parts.append(call.nested("shell", match[1]))
        elif code is not None:
            parts.append(call.nested("python", code[1]))
        elif called is not None:
            parts.append(call.nested("shell", called[1]))
    known = judge_by_table(call, call.tool) if call.tool is not None else None
    return merged(*parts, known)


@handles("expect", "tclsh", "wish", "unbuffer-x", "autoexpect")
def judge_expect(call: Call) -> Judged | None:
    """Tcl: ``spawn``, ``exec`` and ``open |`` start programs, ``file delete`` deletes, ``send`` types."""
    line = read_line(call.program, call.words[1:], values=("-c",))
    if line.has("-v", "--version"):
        return Judged()
    if line.has("-c"):
        codes = [word.text for word in line.values("-c")]
    elif line.operands and line.operands[0].text != "-":
        if fetched(call, line.operands[0]):
            return merged(call.found("B5", "runs a script that the same action has fetched", outward=True))
        return merged(call.found("C6", f"runs {line.operands[0].text}, whose content is not known"))
    elif call.has_stdin:
        codes = [None if call.origin.fetched else call.stdin]
    else:
        return Judged()
    return merged(*(_tcl(call, code) for code in codes))


def _tcl(call: Call, code: str | None) -> Judged:
    if call.origin.fetched and code is None:
        return merged(call.found("B5", f"{call.program}: runs what another machine sends", outward=True))
    if code is None:
        return merged(call.found("C6", f"{call.program}: runs a program that cannot be known beforehand"))
    parts: list[Judged | Finding | None] = []
    names = dict(re.findall(r"\bset\s+(\w+)\s+[\"{]?([^\"{};\n\[]+)", code))
    for name, value in names.items():
        code = code.replace(f"${name}", value.strip())
    code = code.replace("$env(HOME)", call.scope.setting.home).replace("$::env(HOME)", call.scope.setting.home)
    for command in re.split(r"[;\n\[\]{}]", code):
        words = command.strip()
        match = re.match(r"(?:spawn|exec)\s+(?:-\w+\s+)*(.+)$", words)
        match = match or re.match(r"send\s+(?:--\s+)?[\"']?(.+? .+?)(?:\\[rn])*[\"']?$", words)
        if match is not None or (match := re.match(r"open\s+[\"']?\|\s*(.+?)[\"']?$", words)) is not None:
            parts.append(call.nested("shell", match[1]))
        elif (match := re.match(r"file\s+delete\s+(-force\s+)?(?:--\s+)?(.+)$", words)) is not None:
            parts.append(call.nested("shell", f"rm -rf {match[2]}"))
    if re.search(r"\b(?:eval|source|uplevel)\b|\$\w+", code) and re.search(r"\b(?:spawn|exec|eval|source)\b", code):
        parts.append(call.found("C6", f"{call.program}: runs what is put together at run time"))
    return merged(*parts)


_LISP_SHELL = re.compile(
    r"\((?:async-)?shell-command(?:-to-string)?\s+\"((?:[^\"\\]|\\.)*)\"|\(compile\s+\"((?:[^\"\\]|\\.)*)\""
)
_LISP_PROCESS = re.compile(r"\((?:call-process|start-process|process-lines|make-process)\b([^()]*)\)")
_LISP_DELETES = re.compile(
    r"\((delete-directory|delete-file|move-file-to-trash)\s+(?:\(expand-file-name\s+)?\"([^\"]+)\""
)


@handles("emacs", "emacsclient", "emacs-nw")
def judge_emacs(call: Call) -> Judged | None:
    """Lisp on the command line."""
    options = ("--eval", "-e", "--execute", "-eval", "-f", "-l", "--load", "--script", "--funcall")
    line = read_line(call.program, call.words[1:], values=options, single_dash=False)
    parts: list[Judged | Finding | None] = []
    codes = [*line.values("--eval", "-e", "--execute", "-eval")]
    codes += [
        call.words[at + 1]
        for at, word in enumerate(call.words[:-1])
        if word.text in {"-eval", "--eval", "-execute"} and call.words[at + 1] not in codes
    ]
    for word in codes:
        if word.text is None:
            parts.append(call.found("C6", "emacs: runs a program that cannot be known beforehand"))
            continue
        parts += [call.nested("shell", one or other) for one, other in _LISP_SHELL.findall(word.text)]
        for given in _LISP_PROCESS.findall(word.text):
            texts = re.findall(r"\"((?:[^\"\\]|\\.)*)\"", given)
            parts.append(call.nested("shell", shlex.join(texts)))
        parts += [_lisp_deleted(call, how, path) for how, path in _LISP_DELETES.findall(word.text)]
    if line.has("-l", "--load", "--script"):
        parts.append(call.found("C6", "emacs: runs a script whose content is not known"))
    return merged(*parts)


def _lisp_deleted(call: Call, how: str, path: str) -> Judged:
    recursive = how != "delete-file"
    return judged_path(call, path, lambda one: paths.deletion(one, call.scope, recursive=recursive), how="delete")
