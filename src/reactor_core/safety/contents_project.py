"""Files of a project that act: settings and hooks of git, pipelines, package scripts, Python's own start files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from reactor_core.safety.key_formats import holds_secret
from reactor_core.safety.verdict import Effect, Finding, Verdict, found
from reactor_core.safety.written import Written, effect, language, lines, strictest_of

__all__ = ["environment", "git_config", "hook", "package", "pipeline", "python_start"]


_ACTING_OPTIONS = re.compile(
    r"(?:fsmonitor|sshcommand|pager|editor|askpass|hookspath|external|textconv|clean|smudge|process"
    r"|helper|gitproxy|program|cmd|driver"
    r"|command|diff|log|show|blame|tool|uploadpack|receivepack|insteadof|proxycommand|localcommand|sequence)",
)
_PAIR = re.compile(r"^\s*([\w.-]+)\s*=\s*(.*)$")


def git_config(it: Written) -> Finding | None:
    if it.content is None:
        return found("C6", f"changes what git does, unseen: {it.path}", effect(it.path))
    commands: list[tuple[str, str]] = []
    section = ""
    for line in lines(it.content):
        if line.startswith("["):
            section = line.strip("[]").split()[0].lower()
            line = line.partition("]")[2]
        match = _PAIR.match(line)
        if match is None:
            continue
        key, value = match[1].lower(), match[2].strip()
        if value.startswith('"') and value.endswith('"'):
            value = value[1:-1].replace('\\"', '"').replace("\\\\", "\\")
        if value.startswith("!") or section == "alias":
            commands.append(("shell", value[1:] if value.startswith("!") else f"git {value}"))
        elif _ACTING_OPTIONS.fullmatch(key) and value.lower() not in {"true", "false", "store", "cache", "osxkeychain"}:
            commands.append(("shell", value))
    worst = strictest_of(commands, it.scope)
    if worst is not None and worst.verdict is Verdict.BLOCK:
        return found("B5", f"git would run it at every command: {worst.says}", effect(it.path))
    own = it.path.endswith("/.git/config")
    if not commands and (it.append or own):
        return None if own else found("C5", f"changes the settings of git: {it.path}", effect(it.path))
    return found("C5", f"changes what git runs by itself: {it.path}", effect(it.path))


def hook(it: Written) -> Finding | None:
    if it.content is None:
        return found("C6", f"changes a hook, unseen: {it.path}", effect(it.path))
    worst = strictest_of([(language(it.content), it.content)], it.scope)
    if worst is None or worst.verdict is Verdict.ALLOW:
        return None
    rule = "B5" if worst.verdict is Verdict.BLOCK else "C5"
    return found(rule, f"a hook would run by itself: {worst.says}", effect(it.path))


def pipeline(it: Written) -> Finding | None:
    """Pipelines deploy and delete as a matter of course, after review: only an attack is one before."""
    worst = strictest_of([("shell", command) for command in _steps(it.content or "")], it.scope)
    if worst is not None and worst.rule in {"B5", "B8"}:
        return found("B5", f"a pipeline would run it with the project's keys: {worst.says}", effect(it.path))
    return None


def _steps(content: str) -> Iterator[str]:
    """Commands of a pipeline: values of ``run:`` and its like, blocks by their indentation, items of ``script:``."""
    lines = content.splitlines()
    for number, line in enumerate(lines):
        match = re.match(r"(\s*)(-\s+)?(run|script|before_script|after_script|sh|bash)\b\s*[:(]?\s*(.*)$", line)
        if match is None:
            continue
        value = match[4].strip()
        if value and value[0] not in "|>":
            yield value.strip("'\") ")
            continue
        indent = len(match[1]) + len(match[2] or "")
        block = []
        for inner in lines[number + 1 :]:
            if inner.strip() and len(inner) - len(inner.lstrip()) <= indent - (
                1 if inner.lstrip().startswith("-") else 0
            ):
                break
            block.append(inner.strip().removeprefix("- ").strip("\"'") if not value else inner.strip())
        yield "\n".join(block)


_LIFECYCLE = re.compile(
    r"(pre|post)?(install|prepare|publish|pack|uninstall|update-cmd|install-cmd|autoload-dump)"
    r"|prepublishOnly|dependencies"
)


def package(it: Written) -> Finding | None:
    """Scripts that run when somebody merely installs or opens the project; the others are run on purpose."""
    if it.content is None or not it.content.strip():
        return None
    commands = list(_strings(it.content))
    by_itself = strictest_of([("shell", command) for command, automatic in commands if automatic], it.scope)
    if by_itself is not None and by_itself.verdict is not Verdict.ALLOW:
        rule = "B5" if by_itself.verdict is Verdict.BLOCK else "C6"
        return found(rule, f"installing or opening the project would run it: {by_itself.says}", effect(it.path))
    worst = strictest_of([("shell", command) for command, automatic in commands if not automatic], it.scope)
    if worst is not None and worst.rule in {"B5", "B8"}:
        return found("B5", f"a script of the project would run it: {worst.says}", effect(it.path))
    return None


def _strings(content: str) -> Iterator[tuple[str, bool]]:
    """Commands in a JSON file, each with whether it runs without being asked for."""
    try:
        said = json.loads(re.sub(r"^\s*//.*$", "", content, flags=re.MULTILINE))
    except ValueError:
        for key, command in re.findall(r'"([\w:-]+)"\s*:\s*"((?:[^"\\]|\\.)*)"', content):
            if _LIFECYCLE.fullmatch(key) or key.endswith("Command"):
                yield command.replace('\\"', '"'), True
        return
    if not isinstance(said, dict):
        return
    for key, command in _pairs(said.get("scripts")):
        yield command, _LIFECYCLE.fullmatch(key) is not None
    for key, command in _pairs(said):
        if key.endswith("Command") or key == "initializeCommand":
            yield command, True
    folder_open = "folderOpen" in content
    for holder in (said.get("tasks"), said.get("mcpServers"), said.get("servers")):
        for task in holder if isinstance(holder, list) else holder.values() if isinstance(holder, dict) else ():
            if isinstance(task, dict) and isinstance(task.get("command"), str):
                arguments = task.get("args") if isinstance(task.get("args"), list) else []
                yield " ".join([task["command"], *(str(part) for part in arguments or ())]), folder_open


def _pairs(said: Any) -> Iterator[tuple[str, str]]:
    for key, value in said.items() if isinstance(said, dict) else ():
        for command in value if isinstance(value, list) else (value,):
            if isinstance(command, str):
                yield str(key), command


def environment(it: Written) -> Finding | None:
    """``.envrc`` of a project: a script that runs when somebody enters the folder, after he allowed it."""
    if it.content is None:
        return found("C6", f"changes what runs in this folder, unseen: {it.path}", effect(it.path))
    if holds_secret(it.content, named=True):
        return found("C8", f"writes a secret into {it.path}", Effect(target=it.path, secret=True))
    return hook(it)


def python_start(it: Written) -> Finding | None:
    """Python that runs at each start of the interpreter."""
    if it.content is None:
        return found("C6", f"changes what each Python runs first, unseen: {it.path}", effect(it.path))
    code = (
        [line for line in it.content.splitlines() if line.startswith(("import ", "import\t"))]
        if it.path.endswith(".pth")
        else [it.content]
    )
    worst = strictest_of([("python", "\n".join(code))], it.scope)
    if worst is not None and worst.verdict is Verdict.BLOCK:
        return found("B5", f"each Python would run it first: {worst.says}", effect(it.path))
    return found("C5", f"changes what each Python runs first: {it.path}", effect(it.path)) if any(code) else None
