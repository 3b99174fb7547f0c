"""Commands that run another one for each thing they find or read: ``xargs``, ``find -exec``, ``parallel``."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace

from reactor_core.safety.shell.command import Word, known
from reactor_core.safety.shell.outputs import printed
from reactor_core.safety.shell.running import Call, Outcome, deeper
from reactor_core.safety.shell.sources import Source
from reactor_core.safety.shell.state import UNKNOWN, Value
from reactor_core.safety.shell.unwrap import joined_line

__all__ = ["REPEATERS"]

_MANY = 24
_XARGS_VALUES = frozenset(
    [
        "-a",
        "--arg-file",
        "-d",
        "--delimiter",
        "-E",
        "-I",
        "-J",
        "-L",
        "--max-lines",
        "-l",
        "-n",
        "--max-args",
        "-P",
        "--max-procs",
        "-s",
        "--max-chars",
        "-R",
        "-S",
        "--process-slot-var",
        "--replace",
    ]
)
_PARALLEL_VALUES = frozenset(
    [
        "-j",
        "--jobs",
        "-a",
        "--arg-file",
        "-I",
        "-N",
        "-n",
        "-L",
        "--delay",
        "--timeout",
        "--joblog",
        "--results",
        "--tmpdir",
        "-S",
        "--sshlogin",
        "--colsep",
        "-C",
        "--retries",
        "--memfree",
        "--load",
        "--nice",
        "--wd",
        "--workdir",
        "--tagstring",
        "--block",
        "-d",
        "--delimiter",
        "--shuf-seed",
    ]
)


def _xargs(call: Call) -> Outcome:
    words = list(call.args)
    options: dict[str, Word] = {}
    flags: set[str] = set()
    while words:
        text = words[0].text
        if text is None or not text.startswith("-") or text == "-":
            break
        words.pop(0)
        if text == "--":
            break
        name, equals, value = text.partition("=")
        if text.startswith("--"):
            if equals:
                options[name] = known(value)
            elif name in _XARGS_VALUES and name != "--replace" and words:
                options[name] = words.pop(0)
            else:
                flags.add(name)
        elif text[:2] in _XARGS_VALUES and text[:2] != "-l":
            options[text[:2]] = known(text[2:]) if len(text) > 2 else words.pop(0) if words else known("")
        else:
            cluster = text[1:]
            for at, letter in enumerate(cluster):
                if f"-{letter}" in _XARGS_VALUES and letter != "l":
                    rest = cluster[at + 1 :]
                    options[f"-{letter}"] = known(rest) if rest else words.pop(0) if words else known("")
                    break
                flags.add(f"-{letter}")
    source = call.stdin or UNKNOWN
    file = options.get("-a") or options.get("--arg-file")
    if file is not None:
        source = Source("cat", (file,), None, call.shell, call.scope.cwd).content()
    mark = options.get("-I") or options.get("-J") or options.get("--replace")
    if mark is None and ("-i" in flags or "--replace" in flags):
        mark = known("{}")
    delimiter = options.get("-d") or options.get("--delimiter")
    items = _items(source, by_line=mark is not None, zero="-0" in flags or "--null" in flags,
                   delimiter=None if delimiter is None else delimiter.text)  # fmt: skip
    command = words or [known("echo")]
    size = options.get("-n") or options.get("--max-args") or options.get("-L") or options.get("--max-lines")
    inner = replace(call, stdin=None, plain=True, scope=deeper(call.scope))
    if mark is not None:
        return _each(inner, command, items, mark.text or "{}")
    step = int(size.text) if size is not None and size.text and size.text.isdigit() and size.text != "0" else None
    if step is None or len(items) <= step:
        return call.runner.call(replace(inner, words=(*command, *items)))
    outcomes = Outcome()
    for start in range(0, min(len(items), _MANY * step), step):
        outcomes = call.runner.call(replace(inner, words=(*command, *items[start : start + step])))
    return outcomes


def _items(source: Value, *, by_line: bool, zero: bool, delimiter: str | None) -> list[Word]:
    text = source.text
    if text is None:
        return [Word(source.parts, source.globbed, many=True, origin=source.origin)]
    if zero:
        # What find lists has a line for each; what is spelled out has its zeros.
        pieces = [piece for piece in text.split("\0" if "\0" in text else "\n") if piece]
    elif delimiter is not None:
        pieces = [piece for piece in text.split(delimiter.encode().decode("unicode_escape")) if piece.strip("\n")]
    elif by_line:
        pieces = [line.strip() for line in text.splitlines() if line.strip()]
    else:
        try:
            pieces = shlex.split(text)
        except ValueError:
            pieces = text.split()
    return [Word((piece,), source.globbed, origin=source.origin) for piece in pieces]


def _each(call: Call, command: Sequence[Word], items: Sequence[Word], mark: str) -> Outcome:
    outcome = Outcome()
    for item in items[:_MANY]:
        outcome = call.runner.call(replace(call, words=tuple(_filled(word, mark, item) for word in command)))
    return outcome


def _filled(word: Word, mark: str, item: Word) -> Word:
    if not mark or not any(part is not None and mark in part for part in word.parts):
        return word
    parts: list[str | None] = []
    for part in word.parts:
        if part is None:
            parts.append(None)
            continue
        for number, piece in enumerate(part.split(mark)):
            if number:
                parts.extend(item.parts)
            parts.append(piece)
    value = Value(("",)) + Value(tuple(parts), item.origin)
    return Word(value.parts, word.globbed or item.globbed, origin=word.origin | item.origin)


def _find(call: Call) -> Outcome | None:
    """What ``-exec`` and its relatives run; None if there is none."""
    texts = [word.text for word in call.args]
    commands: list[tuple[int, int]] = []
    index = 0
    while index < len(texts):
        end = index + 1
        if texts[index] in ("-exec", "-execdir", "-ok", "-okdir"):
            while end < len(texts) and texts[end] != ";" and not (texts[end] == "+" and texts[end - 1] == "{}"):
                end += 1
            commands.append((index, end))
            end += 1
        index = end
    plain = [word for at, word in enumerate(call.args) if not any(start <= at <= end for start, end in commands)]
    outcome: Outcome | None = None
    for start, end in commands:
        listed = printed(Source("find", plain, None, call.shell, call.scope.cwd))
        lines = (listed.text or "").splitlines()
        what = [Word((line,), listed.globbed) for line in lines] or [
            Word((f"{_root(call)}/", None), globbed=True, many=False)
        ]
        words = call.args[start + 1 : end]
        if words:
            inner = replace(call, stdin=None, plain=True, scope=deeper(call.scope))
            for item in what:
                outcome = call.runner.call(replace(inner, words=tuple(_filled(word, "{}", item) for word in words)))
    return outcome


def _root(call: Call) -> str:
    first = call.args[0].text if call.args else None
    return first.rstrip("/") if first is not None and not first.startswith("-") else "."


def _parallel(call: Call) -> Outcome:
    words = list(call.args)
    while words:
        text = words[0].text
        if text is None or not text.startswith("-"):
            break
        words.pop(0)
        if text == "--":
            break
        if text in _PARALLEL_VALUES and words:
            words.pop(0)
    command: list[Word] = []
    items: list[Word] = []
    inside = False
    for word in words:
        if word.text in (":::", ":::+", "::::"):
            inside = True
        elif inside:
            items.append(word)
        else:
            command.append(word)
    if not inside:
        items = _items(call.stdin or UNKNOWN, by_line=True, zero=False, delimiter=None)
    outcome = Outcome()
    for item in items[:_MANY]:
        line = command
        if not any("{" in (word.known_prefix or "") for word in command):
            line = [*command, known("{}")] if command else [known("{}")]
        filled = [_filled(word, "{}", item) for word in line]
        filled = [_filled(word, "{.}", item) for word in filled]
        shell = call.shell.copy()
        shell.scope = deeper(call.scope)
        outcome = call.runner.text(joined_line(filled), shell)
    return outcome


REPEATERS = {"xargs": _xargs, "gxargs": _xargs, "find": _find, "gfind": _find, "parallel": _parallel,
             "rush": _parallel}  # fmt: skip
