"""What begins to act when a file is written: start files, timers, hooks, rights, pipelines.

The commands in such a file are given to the judge of their language. Where a file only acts when somebody runs it on
purpose, as a script or a Makefile does, writing it is ordinary work.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from reactor_core.safety import place_names as names
from reactor_core.safety.scope import Scope
from reactor_core.safety.sensitive import secret_name
from reactor_core.safety.verdict import Effect, Finding, Scale, Verdict, found

__all__ = ["acting", "holds_secret"]

_KEYS = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY|\b(AKIA|ASIA)[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{15,}"
    r"|\bxox[abprs]-[\w-]{10,}|\b[sr]k_live_\w{8,}|\bAIza[\w-]{30,}|\bhf_[A-Za-z0-9]{20,}|\bnpm_[A-Za-z0-9]{20,}|\bpypi-[\w-]{20,}"
    r"|\bhvs\.[\w-]{12,}|\bAGE-SECRET-KEY-|\bSG\.[\w-]{16,}"
)
_SETTING = re.compile(
    r"""^\s*(?:export\s+|set\s+|//[^:\s]+:)?["']?([\w.-]+)["']?\s*[:=]\s*["']?([^\s"'#,]{3,})""", re.MULTILINE
)
_PLACEHOLDER = re.compile(
    r"(?i)example|changeme|change[-_]me|your[-_]|placeholder|xxx|<.*|\$\{?.*|todo|dummy|none|null|true|false"
)


def holds_secret(content: str, *, named: bool = False) -> bool:
    """Whether a text holds a key of a known format; with ``named``: or sets something whose name says secret."""
    match = _KEYS.search(content)
    if match is not None and "EXAMPLE" not in content[match.start() : match.end() + 8]:
        return True
    return named and any(
        secret_name(key.replace("authToken", "token")) and _PLACEHOLDER.match(value) is None
        for key, value in _SETTING.findall(content)
    )


def acting(path: str, content: str | None, scope: Scope, *, append: bool) -> Finding | None:
    """What a file that acts would do with this content.

    Args:
        path: Where it lies; absolute, folded.
        content: What is written or added; None if it is not known.
        scope: Where it is written.
        append: Whether what is there stays.

    Returns:
        The strictest finding; None if the file does not act, or does nothing that anybody would be asked about.
    """
    for pattern, judge in _JUDGES:
        if pattern.fullmatch(path):
            return judge(path, content, scope, append)
    return None


_Judge = Callable[[str, str | None, Scope, bool], Finding | None]


def _effect(path: str, *, reversible: bool = True) -> Effect:
    return Effect(target=path, scale=Scale.ITEM, reversible=reversible, privilege=True)


def _lines(content: str) -> list[str]:
    """Lines that are neither empty nor comments."""
    stripped = (line.strip() for line in content.splitlines())
    return [line for line in stripped if line and not line.startswith("#")]


def _commands(commands: list[tuple[str, str]], scope: Scope) -> Finding | None:
    """The strictest finding of commands, given with their kind."""
    worst: Finding | None = None
    for kind, command in commands:
        if not command.strip():
            continue
        for finding in scope.nested(kind, command).findings:
            if worst is None or finding.verdict.rank > worst.verdict.rank:
                worst = finding
    return worst


def _persistent(path: str, commands: list[tuple[str, str]], scope: Scope, *, otherwise: str) -> Finding | None:
    """What runs again and again by itself: what is blocked stays so, all else is a person's to decide."""
    worst = _commands(commands, scope)
    if worst is not None and worst.verdict is Verdict.BLOCK:
        return found("B5", f"{path} would run by itself: {worst.says}", _effect(path))
    if any(kind == "shell" and _HIDDEN.match(command) for kind, command in commands):
        return found("B5", f"{path} would run a hidden program by itself", _effect(path))
    return found(otherwise, f"changes what runs by itself: {path}", _effect(path))


_HIDDEN = re.compile(
    r"(/bin/\w*sh (-c )?)?['\"]?(/tmp|/var/tmp|/dev/shm|(/\S*|~|\$HOME)?/\.(?!local/|config/|cargo/|venv/|pyenv/|nvm/|rbenv/)[\w-]+)/?\S*.*"
)  # fmt: skip


def _login_keys(path: str, content: str | None, scope: Scope, append: bool) -> Finding | None:
    if content is not None and not _lines(content):
        return None if append else found("C1", f"empties {path}", _effect(path, reversible=False))
    return found("B5", f"plants a key to log in with: {path}", _effect(path))


def _rights(path: str, content: str | None, scope: Scope, append: bool) -> Finding | None:
    if content is None or not _lines(content):
        if content is not None and append:
            return None
        return found("B5" if content is None else "B6", f"changes who may do what on this host: {path}", _effect(path))
    harmless = re.compile(
        r"Defaults\s+(?!.*(!|authenticate|timestamp_timeout\s*=\s*-1|env_keep|visiblepw)).*|@include.*"
    )
    if "sudoers" in path and all(harmless.fullmatch(line) for line in _lines(content)) and append:
        return found("C5", f"changes how rights are asked for: {path}", _effect(path))
    return found("B5", f"changes who may do what on this host: {path}", _effect(path))


def _accounts(path: str, content: str | None, scope: Scope, append: bool) -> Finding | None:
    if not append:
        return found("B6", f"overwrites the accounts of this host: {path}", _effect(path, reversible=False))
    root = content is None or any(
        re.match(r"[^:]+:[^:]*:0+:|(sudo|wheel|root|admin|docker):", line) for line in _lines(content)
    )
    if root or path.endswith("shadow"):
        return found("B5", f"adds an account with all rights: {path}", _effect(path))
    return found("C5", f"adds an account: {path}", _effect(path))


_NEAR = re.compile(r"(127\.|10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|0\.0\.0\.0|169\.254\.|::1|f[cde]|ff)\S*")
_LOCAL_NAME = re.compile(r"(?i)[\w-]+|\S+\.(local|lan|test|internal|localhost|home|intranet|localdomain|dev)")


def _hosts(path: str, content: str | None, scope: Scope, append: bool) -> Finding | None:
    """Names of this machine for others: leading a public name to a strange address is an attack."""
    for line in _lines(content or ""):
        address, *hosts = line.split("#")[0].split()
        if not _NEAR.fullmatch(address) and any(not _LOCAL_NAME.fullmatch(host) for host in hosts):
            return found("B5", f"leads {hosts[0]} to {address}", _effect(path))
    return found("C5", f"changes the host names of this machine: {path}", _effect(path))


def _protection(path: str, content: str | None, scope: Scope, append: bool) -> Finding | None:
    """Settings of what watches over the host."""
    off = re.search(
        r"(?i)\b(disabled?|permissive|off|no|false|none|complain|accept|never|-D|-e 0|enabled\s*[=:]\s*(0|no|false))\b",
        content or "x off",
    )
    if off or (not append and not (content or "").strip()):
        return found("B5", f"switches off a protection of this host: {path}", _effect(path))
    return found("C5", f"changes a protection of this host: {path}", _effect(path))


def _login_service(path: str, content: str | None, scope: Scope, append: bool) -> Finding | None:
    opened = re.compile(
        r"(?im)^\s*(PermitRootLogin\s+yes|PermitEmptyPasswords\s+yes|StrictModes\s+no|LogLevel\s+QUIET|UsePAM\s+no|AuthorizedKeysCommand\s"
        r"|AuthorizedKeysFile\s+/|ForceCommand\s|PermitUserEnvironment\s+yes|PubkeyAuthentication\s+no|TrustedUserCAKeys\s)"
    )
    if content is not None and opened.search(content):
        return found("B5", f"opens the login of this host: {path}", _effect(path))
    return found("C5", f"changes the login of this host: {path}", _effect(path))


_TIMES = re.compile(r"(@\w+|[\d*/,A-Za-z-]+(?:\s+[\d*/,A-Za-z-]+){4})\s+(.*)")


def _cron(path: str, content: str | None, scope: Scope, append: bool) -> Finding | None:
    if content is None:
        return found("C6", f"changes what runs by the clock, unseen: {path}", _effect(path))
    commands = []
    scripts = re.search(r"/cron\.(hourly|daily|weekly|monthly)/", path) is not None
    if scripts:
        return _script(path, content, scope, append)
    with_user = path.startswith("/etc/")
    for line in _lines(content):
        match = _TIMES.fullmatch(line)
        if match is None:
            continue
        command = match[2]
        commands.append(("shell", command.partition(" ")[2] if with_user else command))
    return _persistent(path, commands, scope, otherwise="C5")


_EXEC = re.compile(
    r"^\s*(?:Exec(?:Start|StartPre|StartPost|Stop|StopPost|Reload|Condition)?|RUN\+?|run)\s*=+\s*[-@:+!]*(.*)$",
    re.MULTILINE,
)
_STRING = re.compile(r"<string>(.*?)</string>", re.DOTALL)


def _unit(path: str, content: str | None, scope: Scope, append: bool) -> Finding | None:
    if content is None:
        return found("C6", f"changes what the system starts, unseen: {path}", _effect(path))
    if "/init.d/" in path or "/rc" in path or content.startswith("#!"):
        return _script(path, content, scope, append)
    commands = [("shell", command.strip().strip('"')) for command in _EXEC.findall(content)]
    strings = _STRING.findall(content)
    if strings:
        commands.append(("shell", " ".join(f"'{part}'" if " " in part else part for part in strings[1:])))
    return _persistent(path, commands, scope, otherwise="C5")


def _script(path: str, content: str | None, scope: Scope, append: bool) -> Finding | None:
    """A script that runs at each login or at each start."""
    if content is None:
        return found("C6", f"changes what runs by itself, unseen: {path}", _effect(path))
    if not append and not content.strip():
        return found("C1", f"empties {path}", _effect(path, reversible=False))
    return _persistent(path, [(_language(content), content)], scope, otherwise="C5")


def _language(content: str) -> str:
    first = content.partition("\n")[0]
    return "python" if first.startswith("#!") and "python" in first else "shell"


_ACTING_OPTIONS = re.compile(
    r"(?:fsmonitor|sshcommand|pager|editor|askpass|hookspath|external|textconv|clean|smudge|process|helper|gitproxy|program|cmd|driver"
    r"|command|diff|log|show|blame|tool|uploadpack|receivepack|insteadof|proxycommand|localcommand|sequence)",
)
_PAIR = re.compile(r"^\s*([\w.-]+)\s*=\s*(.*)$")


def _git_config(path: str, content: str | None, scope: Scope, append: bool) -> Finding | None:
    if content is None:
        return found("C6", f"changes what git does, unseen: {path}", _effect(path))
    commands: list[tuple[str, str]] = []
    section = ""
    for line in _lines(content):
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
    worst = _commands(commands, scope)
    if worst is not None and worst.verdict is Verdict.BLOCK:
        return found("B5", f"git would run it at every command: {worst.says}", _effect(path))
    own = path.endswith("/.git/config")
    if not commands and (append or own):
        return None if own else found("C5", f"changes the settings of git: {path}", _effect(path))
    return found("C5", f"changes what git runs by itself: {path}", _effect(path))


def _hook(path: str, content: str | None, scope: Scope, append: bool) -> Finding | None:
    if content is None:
        return found("C6", f"changes a hook, unseen: {path}", _effect(path))
    worst = _commands([(_language(content), content)], scope)
    if worst is None or worst.verdict is Verdict.ALLOW:
        return None
    rule = "B5" if worst.verdict is Verdict.BLOCK else "C5"
    return found(rule, f"a hook would run by itself: {worst.says}", _effect(path))


_RUN = re.compile(r"^(\s*)(?:-\s+)?(?:run|script|before_script|after_script|command|args|sh|bash|bat)\s*:?\s+?(.*)$")


def _pipeline(path: str, content: str | None, scope: Scope, append: bool) -> Finding | None:
    """Pipelines deploy and delete as a matter of course, after review: only an attack is one before."""
    worst = _commands([("shell", command) for command in _steps(content or "")], scope)
    if worst is not None and worst.rule in {"B5", "B8"}:
        return found("B5", f"a pipeline would run it with the project's keys: {worst.says}", _effect(path))
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
    r"(pre|post)?(install|prepare|publish|pack|uninstall|update-cmd|install-cmd|autoload-dump)|prepublishOnly|dependencies"
)


def _package(path: str, content: str | None, scope: Scope, append: bool) -> Finding | None:
    """Scripts that run when somebody merely installs or opens the project; the others are run on purpose."""
    if content is None or not content.strip():
        return None
    commands = list(_strings(content))
    by_itself = _commands([("shell", command) for command, automatic in commands if automatic], scope)
    if by_itself is not None and by_itself.verdict is not Verdict.ALLOW:
        rule = "B5" if by_itself.verdict is Verdict.BLOCK else "C6"
        return found(rule, f"installing or opening the project would run it: {by_itself.says}", _effect(path))
    worst = _commands([("shell", command) for command, automatic in commands if not automatic], scope)
    if worst is not None and worst.rule in {"B5", "B8"}:
        return found("B5", f"a script of the project would run it: {worst.says}", _effect(path))
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


def _environment(path: str, content: str | None, scope: Scope, append: bool) -> Finding | None:
    """``.envrc`` of a project: a script that runs when somebody enters the folder, after he allowed it."""
    if content is None:
        return found("C6", f"changes what runs in this folder, unseen: {path}", _effect(path))
    if holds_secret(content, named=True):
        return found("C8", f"writes a secret into {path}", Effect(target=path, secret=True))
    return _hook(path, content, scope, append)


def _python_start(path: str, content: str | None, scope: Scope, append: bool) -> Finding | None:
    """Python that runs at each start of the interpreter."""
    if content is None:
        return found("C6", f"changes what each Python runs first, unseen: {path}", _effect(path))
    code = (
        [line for line in content.splitlines() if line.startswith(("import ", "import\t"))]
        if path.endswith(".pth")
        else [content]
    )
    worst = _commands([("python", "\n".join(code))], scope)
    if worst is not None and worst.verdict is Verdict.BLOCK:
        return found("B5", f"each Python would run it first: {worst.says}", _effect(path))
    return found("C5", f"changes what each Python runs first: {path}", _effect(path)) if any(code) else None


def _libraries(path: str, content: str | None, scope: Scope, append: bool) -> Finding | None:
    if content is not None and not content.strip() and not append and path.endswith("preload"):
        return found("C5", f"empties {path}", _effect(path))
    return found("B5", f"loads other code into every program: {path}", _effect(path))


def _any_start(path: str, content: str | None, scope: Scope, append: bool) -> Finding | None:
    """A start file in a language of its own: only commands that can be told from it are judged."""
    commands = []
    for line in _lines(content or ""):
        match = re.search(
            r"(?:\bsystem\(\s*|:?!|(?:run-shell|if-shell|ProxyCommand|LocalCommand|Match exec|exec_always|exec|Pre-Invoke|Post-Invoke"
            r"|DPkg::[\w-]+|RUN|install \S+)\s*[{=:]*\s*)[\"']?(.+?)[\"')};]*$",
            line,
        )
        if match is not None:
            commands.append(("shell", match[1]))
    return _persistent(path, commands, scope, otherwise="C5" if append or content else "C1")


def _pattern(*parts: str) -> re.Pattern[str]:
    return re.compile("|".join(parts))


_JUDGES: tuple[tuple[re.Pattern[str], _Judge], ...] = (
    (_pattern(r".*/\.ssh/(authorized_keys2?|rc|environment)", r"/etc/ssh/authorized_keys.*", r"/etc/ssh/sshrc"), _login_keys),
    (_pattern(r"/etc/sudoers(\.d/.*)?", r"/etc/doas\.conf", r"/etc/pam\.(d/.*|conf)", r".*/polkit-1/.*", r"/etc/dbus-1/.*"), _rights),
    (_pattern(r"/etc/(passwd|shadow|group|gshadow)-?"), _accounts),
    (_pattern(r"/etc/hosts"), _hosts),
    (names.PROTECTION_FILE, _protection),
    (_pattern(r"/etc/ssh/sshd_config(\.d/.*)?"), _login_service),
    (_pattern(r"/etc/ld\.so\.preload", r"(/usr)?/lib.*/security/pam_.*", r"/etc/ld\.so\.conf(\.d/.*)?"), _libraries),
    (_pattern(r"/etc/(ana)?crontab", r"/etc/cron\..*", r"/var/spool/(cron|at|anacron)/.*"), _cron),
    (_pattern(r".*/systemd/.*", r".*/autostart/.*", r".*/Launch(Agents|Daemons)/.*", r"/etc/(init|init\.d|rc\.d|rc\d\.d|sv|runit)/.*",
              r"/etc/udev/rules\.d/.*", r".*/share/applications/.*"), _unit),
    (_pattern(r".*/\.git/config", r".*/\.gitconfig", r".*/git/config", r"/etc/gitconfig"), _git_config),
    (_pattern(r".*/\.git/hooks/.*", r".*/\.(husky|githooks|git-hooks|hooks)/.*", r".*/git/hooks/.*"), _hook),
    (_pattern(r".*/\.envrc"), _environment),
    (_pattern(r".*/(sitecustomize|usercustomize)\.py", r".*\.pth", r".*/startup/[^/]+\.py", r".*/\.python(rc|startup)"), _python_start),
    (_pattern(r".*/(package|composer|tasks|devcontainer|\.devcontainer|\.?mcp)\.json"), _package),
    (_pattern(r".*/\.(bash|zsh|k|mk|c|tc)\w*", r".*/\.(profile|login|xprofile|xinitrc|xsession\w*|zshenv)", r"/etc/(profile|bash\.bashrc|bashrc)",
              r"/etc/(profile\.d|zsh|update-motd\.d|periodic)/.*", r"/etc/(zshrc|zshenv|environment|rc\.local|inittab)", r".*/config\.fish",
              r".*/fish/(conf\.d|functions)/.*", r".*/environment\.d/.*", r".*/dispatcher\.d/.*", r".*/\.oh-my-zsh/.*",
              r".*/Startup/.*", r"/etc/network/if-.*"), _script),
    (_pattern(r".*/" + names.CI.pattern.replace("|", "|.*/")), _pipeline),
    (names.START_ON_SYSTEM, _any_start),
    (_pattern(r"/(home|Users)/[^/]+/.*", r"/root/.*"), _any_start),
)  # fmt: skip
"""What to do with a file, by its place: the first that fits."""
del _pattern
