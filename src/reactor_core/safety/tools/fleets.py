"""Programs that run a command on what they find or on many machines, in ways of their own."""

from __future__ import annotations

import re
import shlex

from reactor_core.safety.tools.line import read_line, shown, spelled
from reactor_core.safety.tools.registry import Call, handles
from reactor_core.safety.tools.targets import merged
from reactor_core.safety.verdict import Finding, Judged

__all__: list[str] = []

_FD_VALUES = ("-e", "--extension", "-t", "--type", "-d", "--max-depth", "--min-depth", "-E", "--exclude", "-S",
              "--size",
              "--changed-within", "--changed-before", "--newer", "--older", "-j", "--threads", "-c", "--color",
              "--search-path", "--base-directory", "-o", "--owner", "--format", "--max-results")  # fmt: skip


@handles("fd", "fdfind")
def judge_fd(call: Call) -> Judged | None:
    """``-x`` and ``-X`` run a command on what is found."""
    texts = [word.text for word in call.words]
    marks = [index for index, text in enumerate(texts) if text in {"-x", "-X", "--exec", "--exec-batch"}]
    if not marks:
        return Judged()
    line = read_line("fd", call.words[1 : marks[0]], values=_FD_VALUES)
    command = [word for word in call.words[marks[0] + 1 :] if word.text != ";"]
    starts = [word.text or "" for word in (*line.operands[1:], *line.values("--search-path", "--base-directory"))] or [
        "."
    ]
    extension, pattern = line.value("-e", "--extension"), line.sub()
    name = f"*.{extension}" if extension else pattern if re.fullmatch(r"[\w.-]+", pattern) and pattern != "." else "*"
    placed = " ".join(f"{shlex.quote(start.rstrip('/'))}/{name}" for start in starts)
    body = spelled([word for word in command if word.text not in {"{}", "{/}", "{//}", "{.}"}])
    return call.nested("shell", f"{body} {placed}")


_STOPS = frozenset({"reboot", "shutdown", "poweroff", "halt", "init", "telinit"})


@handles("parallel-ssh", "pssh", "pdsh", "clush", "dsh", "mussh", "cssh", "xargs-ssh")
def judge_fleet(call: Call) -> Judged | None:
    """One command on many machines: what stops one of them, stops the fleet."""
    values = (
        "-h",
        "--hosts",
        "-H",
        "--host",
        "-l",
        "--user",
        "-p",
        "--par",
        "-o",
        "-e",
        "-t",
        "-O",
        "-w",
        "-g",
        "-x",
        "-f",
        "-u",
    )
    line = read_line(call.program, call.words[1:], values=values, stops=True)
    command = spelled(line.operands) if len(line.operands) > 1 else " ".join(shown(word) for word in line.operands)
    if not command:
        return Judged()
    judged = call.nested("shell", command, host="fleet", cwd="")
    stops = _STOPS & set(re.findall(r"[\w.-]+", command))
    parts: list[Judged | Finding | None] = [judged]
    if stops and judged.findings:
        parts.append(call.found("B6", f"{min(stops)} of a whole fleet", "fleet"))
    return merged(*parts)
