"""What begins to act when a file is written: start files, timers, hooks, rights, pipelines.

The commands in such a file are given to the judge of their language. Where a file only acts when somebody runs it on
purpose, as a script or a Makefile does, writing it is ordinary work.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from reactor_core.safety import contents_project as project
from reactor_core.safety import place_names as names
from reactor_core.safety.scope import Scope
from reactor_core.safety.verdict import Finding, found
from reactor_core.safety.written import Written, effect, language, lines, persistent

__all__ = ["acting"]


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
            return judge(Written(path, content, scope, append))
    return None


_Judge = Callable[[Written], Finding | None]


def _login_keys(it: Written) -> Finding | None:
    if it.content is not None and not lines(it.content):
        return None if it.append else found("C1", f"empties {it.path}", effect(it.path, reversible=False))
    return found("B5", f"plants a key to log in with: {it.path}", effect(it.path))


def _rights(it: Written) -> Finding | None:
    if it.content is None or not lines(it.content):
        if it.content is not None and it.append:
            return None
        return found(
            "B5" if it.content is None else "B6", f"changes who may do what on this host: {it.path}", effect(it.path)
        )
    harmless = re.compile(
        r"Defaults\s+(?!.*(!|authenticate|timestamp_timeout\s*=\s*-1|env_keep|visiblepw)).*|@include.*"
    )
    if "sudoers" in it.path and all(harmless.fullmatch(line) for line in lines(it.content)) and it.append:
        return found("C5", f"changes how rights are asked for: {it.path}", effect(it.path))
    return found("B5", f"changes who may do what on this host: {it.path}", effect(it.path))


def _accounts(it: Written) -> Finding | None:
    if not it.append:
        return found("B6", f"overwrites the accounts of this host: {it.path}", effect(it.path, reversible=False))
    root = it.content is None or any(
        re.match(r"[^:]+:[^:]*:0+:|(sudo|wheel|root|admin|docker):", line) for line in lines(it.content)
    )
    if root or it.path.endswith("shadow"):
        return found("B5", f"adds an account with all rights: {it.path}", effect(it.path))
    return found("C5", f"adds an account: {it.path}", effect(it.path))


_NEAR = re.compile(r"(127\.|10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|0\.0\.0\.0|169\.254\.|::1|f[cde]|ff)\S*")
_LOCAL_NAME = re.compile(r"(?i)[\w-]+|\S+\.(local|lan|test|internal|localhost|home|intranet|localdomain|dev)")


def _hosts(it: Written) -> Finding | None:
    """Names of this machine for others: leading a public name to a strange address is an attack."""
    for line in lines(it.content or ""):
        address, *hosts = line.split("#")[0].split()
        if not _NEAR.fullmatch(address) and any(not _LOCAL_NAME.fullmatch(host) for host in hosts):
            return found("B5", f"leads {hosts[0]} to {address}", effect(it.path))
    return found("C5", f"changes the host names of this machine: {it.path}", effect(it.path))


def _protection(it: Written) -> Finding | None:
    """Settings of what watches over the host."""
    off = re.search(
        r"(?i)\b(disabled?|permissive|off|no|false|none|complain|accept|never|-D|-e 0|enabled\s*[=:]\s*(0"
        r"|no|false))\b",
        it.content or "x off",
    )
    if off or (not it.append and not (it.content or "").strip()):
        return found("B5", f"switches off a protection of this host: {it.path}", effect(it.path))
    return found("C5", f"changes a protection of this host: {it.path}", effect(it.path))


def _login_service(it: Written) -> Finding | None:
    opened = re.compile(
        r"(?im)^\s*(PermitRootLogin\s+yes|PermitEmptyPasswords\s+yes|StrictModes\s+no|LogLevel\s+QUIET"
        r"|UsePAM\s+no|AuthorizedKeysCommand\s"
        r"|AuthorizedKeysFile\s+/|ForceCommand\s|PermitUserEnvironment\s+yes|PubkeyAuthentication\s+no"
        r"|TrustedUserCAKeys\s)"
    )
    if it.content is not None and opened.search(it.content):
        return found("B5", f"opens the login of this host: {it.path}", effect(it.path))
    return found("C5", f"changes the login of this host: {it.path}", effect(it.path))


_TIMES = re.compile(r"(@\w+|[\d*/,A-Za-z-]+(?:\s+[\d*/,A-Za-z-]+){4})\s+(.*)")


def _cron(it: Written) -> Finding | None:
    if it.content is None:
        return found("C6", f"changes what runs by the clock, unseen: {it.path}", effect(it.path))
    commands = []
    scripts = re.search(r"/cron\.(hourly|daily|weekly|monthly)/", it.path) is not None
    if scripts:
        return _script(it)
    with_user = it.path.startswith("/etc/")
    for line in lines(it.content):
        match = _TIMES.fullmatch(line)
        if match is None:
            continue
        command = match[2]
        commands.append(("shell", command.partition(" ")[2] if with_user else command))
    return persistent(it, commands, otherwise="C5")


_EXEC = re.compile(
    r"^\s*(?:Exec(?:Start|StartPre|StartPost|Stop|StopPost|Reload|Condition)?|RUN\+?|run)\s*=+\s*[-@:+!]*(.*)$",
    re.MULTILINE,
)
_STRING = re.compile(r"<string>(.*?)</string>", re.DOTALL)


def _unit(it: Written) -> Finding | None:
    if it.content is None:
        return found("C6", f"changes what the system starts, unseen: {it.path}", effect(it.path))
    if "/init.d/" in it.path or "/rc" in it.path or it.content.startswith("#!"):
        return _script(it)
    commands = [("shell", command.strip().strip('"')) for command in _EXEC.findall(it.content)]
    strings = _STRING.findall(it.content)
    if strings:
        commands.append(("shell", " ".join(f"'{part}'" if " " in part else part for part in strings[1:])))
    return persistent(it, commands, otherwise="C5")


_MASKED = re.compile(
    r"(?m)^\s*alias\s+(sudo|su|ssh|doas|passwd|git|gpg|login|kubectl|aws)=['\"]?(/tmp|/var/tmp"
    r"|/dev/shm|\S*/\.(?!local|config))"
)
"""A name that people type passwords into, led to a program that lies in a hidden or shared place."""


def _script(it: Written) -> Finding | None:
    """A script that runs at each login or at each start."""
    if it.content is None:
        return found("C6", f"changes what runs by itself, unseen: {it.path}", effect(it.path))
    if not it.append and not it.content.strip():
        return found("C1", f"empties {it.path}", effect(it.path, reversible=False))
    if _MASKED.search(it.content):
        return found("B5", f"puts a hidden program in the place of a trusted one: {it.path}", effect(it.path))
    return persistent(it, [(language(it.content), it.content)], otherwise="C5")


def _libraries(it: Written) -> Finding | None:
    if it.content is not None and not it.content.strip() and not it.append and it.path.endswith("preload"):
        return found("C5", f"empties {it.path}", effect(it.path))
    return found("B5", f"loads other code into every program: {it.path}", effect(it.path))


def _mail_start(it: Written) -> Finding | None:
    """What becomes of every mail that comes in: it may be sent on, or fed to a program."""
    said = lines(it.content or "")
    commands = [("shell", match[1]) for line in said if (match := re.search(r"\|\s*([^\"']+)", line))]
    if it.content is not None and any(re.search(r"[\w.+-]+@[\w.-]+", line) for line in said):
        return found("B5", f"sends all mail on by {it.path}", effect(it.path))
    return persistent(it, commands, otherwise="C5")


def _any_start(it: Written) -> Finding | None:
    """A start file in a language of its own: only commands that can be told from it are judged."""
    commands = []
    for line in lines(it.content or ""):
        match = re.search(
            r"(?:\bsystem\(\s*|:?!|(?:run-shell|if-shell|ProxyCommand|LocalCommand|Match exec|exec_always"
            r"|exec|Pre-Invoke|Post-Invoke"
            r"|DPkg::[\w-]+|RUN|install \S+)\s*[{=:]*\s*)[\"']?(.+?)[\"')};]*$",
            line,
        )
        if match is not None:
            commands.append(("shell", match[1]))
    return persistent(it, commands, otherwise="C5" if it.append or it.content else "C1")


def _pattern(*parts: str) -> re.Pattern[str]:
    return re.compile("|".join(parts))


_JUDGES: tuple[tuple[re.Pattern[str], _Judge], ...] = (
    (
        _pattern(r".*/\.ssh/(authorized_keys2?|rc|environment)", r"/etc/ssh/authorized_keys.*", r"/etc/ssh/sshrc"),
        _login_keys,
    ),
    (
        _pattern(
            r"/etc/sudoers(\.d/.*)?", r"/etc/doas\.conf", r"/etc/pam\.(d/.*|conf)", r".*/polkit-1/.*", r"/etc/dbus-1/.*"
        ),
        _rights,
    ),
    (_pattern(r"/etc/(passwd|shadow|group|gshadow)-?"), _accounts),
    (_pattern(r"/etc/hosts"), _hosts),
    (names.PROTECTION_FILE, _protection),
    (_pattern(r"/etc/ssh/sshd_config(\.d/.*)?"), _login_service),
    (_pattern(r"/etc/ld\.so\.preload", r"(/usr)?/lib.*/security/pam_.*", r"/etc/ld\.so\.conf(\.d/.*)?"), _libraries),
    (_pattern(r"/etc/(ana)?crontab", r"/etc/cron\..*", r"/var/spool/(cron|at|anacron)/.*"), _cron),
    (
        _pattern(
            r".*/systemd/.*",
            r".*/autostart/.*",
            r".*/Launch(Agents|Daemons)/.*",
            r"/etc/(init|init\.d|rc\.d|rc\d\.d|sv|runit)/.*",
            r"/etc/udev/rules\.d/.*",
            r".*/share/applications/.*",
        ),
        _unit,
    ),
    (_pattern(r".*/\.git/config", r".*/\.gitconfig", r".*/git/config", r"/etc/gitconfig"), project.git_config),
    (_pattern(r".*/\.git/hooks/.*", r".*/\.(husky|githooks|git-hooks|hooks)/.*", r".*/git/hooks/.*"), project.hook),
    (_pattern(r".*/\.envrc"), project.environment),
    (
        _pattern(
            r".*/(sitecustomize|usercustomize)\.py", r".*\.pth", r".*/startup/[^/]+\.py", r".*/\.python(rc|startup)"
        ),
        project.python_start,
    ),
    (_pattern(r".*/(package|composer|tasks|devcontainer|\.devcontainer|\.?mcp)\.json"), project.package),
    (
        _pattern(
            r".*/\.(bash|zsh|k|mk|c|tc)\w*",
            r".*/\.(profile|login|xprofile|xinitrc|xsession\w*|zshenv)",
            r"/etc/(profile|bash\.bashrc|bashrc)",
            r"/etc/(profile\.d|zsh|update-motd\.d|periodic)/.*",
            r"/etc/(zshrc|zshenv|environment|rc\.local|inittab)",
            r".*/config\.fish",
            r".*/fish/(conf\.d|functions)/.*",
            r".*/environment\.d/.*",
            r".*/dispatcher\.d/.*",
            r".*/\.oh-my-zsh/.*",
            r".*/Startup/.*",
            r"/etc/network/if-.*",
        ),
        _script,
    ),
    (_pattern(r".*/" + names.CI.pattern.replace("|", "|.*/")), project.pipeline),
    (_pattern(r".*/\.(forward|qmail[\w-]*|procmailrc|mailfilter)"), _mail_start),
    (names.START_ON_SYSTEM, _any_start),
    (_pattern(r"/(home|Users)/[^/]+/.*", r"/root/.*"), _any_start),
)
"""What to do with a file, by its place: the first that fits."""
del _pattern
