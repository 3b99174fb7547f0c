"""Words by which a program is handed a command: options, variables and operands that it gives to a shell.

Many programs that only read, build or wait run whatever one of their options names: a pager, a hook, a compiler, a
transport. What stands there is judged as the line of shell that it is, whatever else the program does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from reactor_core.safety.tools.oneliners import spelled_out
from reactor_core.safety.tools.registry import Call
from reactor_core.safety.tools.targets import merged
from reactor_core.safety.verdict import Judged, Verdict

__all__ = ["judge_handed"]

_OPTIONS: dict[str, tuple[str, ...]] = {
    "man": ("-P", "--pager"),
    "git grep": ("-O", "--open-files-in-pager"),
    "git clone": ("-u", "--upload-pack"),
    "git fetch": ("--upload-pack",),
    "git fetch-pack": ("--upload-pack", "--exec"),
    "git pull": ("--upload-pack",),
    "git ls-remote": ("--upload-pack", "--exec"),
    "git push": ("--receive-pack", "--exec"),
    "git archive": ("--exec",),
    "git send-email": ("--to-cmd", "--cc-cmd", "--smtp-server"),
    "start-stop-daemon": ("-x", "--exec", "-a", "--startas"),
    "strace": ("-o", "--output"),
    "ltrace": ("-o", "--output"),
    "tcpdump": ("-z",),
    "zip": ("-TT", "--unzip-command"),
    "gcc": ("-wrapper",),
    "g++": ("-wrapper",),
    "cc": ("-wrapper",),
    "nodemon": ("-x", "--exec"),
    "watchexec": ("-x", "--exec"),
    "openvpn": ("--up", "--down", "--route-up", "--client-connect", "--tls-verify"),
    "logrotate": ("-m", "--mail"),
    "dmesg": ("--pager",),
    "bat": ("--pager",),
    "delta": ("--pager",),
    "fzf": ("--preview", "--bind"),
    "screen": ("-X",),
    "just": ("--shell",),
}
"""Options whose value goes to a shell or is the program to run, by program or program and subcommand."""
_BEHIND: dict[str, str] = {
    "just": r"--command|-c",
    "cmake": r"-E",
    "start-stop-daemon": r"--",
    "concurrently": r"",
}
"""Programs that run the words behind a mark; behind their own name where the mark is empty."""
_PIPED = frozenset({"strace", "ltrace"})
_PAGERS = frozenset({"less", "more", "most", "man", "view", "vim", "vi", "nvim", "ex"})
_PLAIN = re.compile(r"[\w.+-]+(/[\w.+-]+)*")
"""The mere name of a program, or a file: nothing that a shell would take apart."""
_MAKES = frozenset({"make", "gmake", "remake", "bmake"})
_MADE = re.compile(r"^([A-Za-z_]\w*)[:?+]?=(.*)$", re.DOTALL)
_KEY = re.compile(r"(C-\w|M-\w|Enter|Escape|Tab|Space|Up|Down|Left|Right|BSpace|F\d+)")


def judge_handed(call: Call) -> Judged:
    """What the words of a command make its program run beside its own work."""
    texts = [word.text or "" for word in call.words[1:]]
    sub = next((text for text in texts if text and not text.startswith("-")), "")
    parts: list[Judged] = []
    for name in (call.program, f"{call.program} {sub}"):
        parts += [_line(call, value) for value in _values(texts, _OPTIONS.get(name, ()))]
    if call.program in {"ghc", "crystal"} and texts[:1] in (["-e"], ["eval"]):
        parts += spelled_out(call, " ".join(texts[1:]))
    mark = _BEHIND.get(call.program)
    if mark is not None:
        parts += _after(call, texts, mark)
    if call.program in _PAGERS:
        parts += [_line(call, text[2:]) for text in texts if text.startswith(("+!", "+|", "+:!"))]
    if call.program in _MAKES:
        parts += [part for text in texts if (part := _variable(call, text)) is not None]
    if call.program == "tmux" and sub in {"send-keys", "send"}:
        typed = _operands(texts[texts.index(sub) + 1 :], {"-t", "-N"})
        parts.append(call.nested("shell", " ".join(text for text in typed if not _KEY.fullmatch(text))))
    if call.program == "m4" and call.stdin:
        parts += [call.nested("shell", line) for line in re.findall(r"syscmd\(\s*`?([^')]*)", call.stdin)]
    return merged(*parts)


def _values(texts: Sequence[str], options: tuple[str, ...]) -> Iterator[str]:
    """What follows an option as the next word, behind ``=`` or in the same word."""
    for index, text in enumerate(texts):
        for option in options:
            if text == option:
                yield from texts[index + 1 : index + 2]
            elif text.startswith(f"{option}="):
                yield text[len(option) + 1 :]
            elif len(option) == 2 and text.startswith(option) and not text.startswith("--"):
                yield text[2:]


def _line(call: Call, value: str) -> Judged:
    """A value as a line of shell; the mere name of a program says nothing."""
    line = value.strip()
    if call.program in _PIPED:
        if not line.startswith(("|", "!")):
            return Judged()  # a file
        line = line[1:]
    line = line.lstrip("!|:").strip()
    if call.program in {"gcc", "g++", "cc"}:
        line = _rejoined(line.split(","))
    if not line or _PLAIN.fullmatch(line):
        return Judged()
    return call.nested("shell", line)


def _rejoined(words: Sequence[str]) -> str:
    return " ".join(f"'{word}'" if " " in word else word for word in words)


def _after(call: Call, texts: Sequence[str], mark: str) -> list[Judged]:
    start = 0
    if mark:
        start = next((at + 1 for at, text in enumerate(texts) if re.fullmatch(mark, text)), len(texts))
    words = list(texts[start:])
    if call.program == "cmake":
        if not words or words[0] not in {"env", "time", "chdir"}:
            return []
        del words[: 2 if words[0] == "chdir" else 1]
        while words and re.match(r"-|\w+=", words[0]):
            del words[0]
    if call.program == "concurrently":
        return [call.nested("shell", text) for text in words if " " in text]
    if call.program == "start-stop-daemon" and words:
        program = next(iter(_values(texts, ("-x", "--exec", "-a", "--startas"))), "")
        words = [program, *words] if program else words
    return [call.nested("shell", _rejoined(words))] if words else []


def _variable(call: Call, text: str) -> Judged | None:
    """A variable that make is given: commands in ``$(shell ...)`` run, others where a recipe uses them."""
    match = _MADE.match(text)
    if match is None:
        return None
    value = match[2]
    parts = [call.nested("shell", line) for line in re.findall(r"\$\(shell\s+([^)]*)\)", value)]
    if " " in value.strip():
        judged = call.nested("shell", value)
        grave = tuple(one for one in judged.findings if one.verdict is Verdict.BLOCK)
        parts.append(Judged(grave, judged.resolved if grave else (), judged.touches if grave else ()))
    return merged(*parts)


def _operands(texts: Sequence[str], valued: set[str]) -> list[str]:
    found: list[str] = []
    skip = False
    for text in texts:
        if skip:
            skip = False
        elif text in valued:
            skip = True
        elif not text.startswith("-"):
            found.append(text)
    return found
