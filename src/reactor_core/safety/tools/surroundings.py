"""Variables that make other programs run something, whatever the command itself says."""

from __future__ import annotations

import re

from reactor_core.safety import paths
from reactor_core.safety.tools.line import wordset
from reactor_core.safety.tools.registry import Call, handles
from reactor_core.safety.tools.targets import merged
from reactor_core.safety.verdict import Finding, Judged

__all__ = ["RUNS_COMMANDS", "judge_environment"]

RUNS_COMMANDS = wordset("""
    PAGER GIT_PAGER MANPAGER SYSTEMD_PAGER AWS_PAGER GH_PAGER PSQL_PAGER EDITOR VISUAL GIT_EDITOR SUDO_EDITOR
    KUBE_EDITOR GIT_SEQUENCE_EDITOR GIT_SSH_COMMAND GIT_SSH GIT_EXTERNAL_DIFF GIT_PROXY_COMMAND GIT_ASKPASS
    SSH_ASKPASS SUDO_ASKPASS BROWSER LESSOPEN LESSCLOSE PROMPT_COMMAND RSYNC_RSH CVS_RSH SVN_SSH HG_EDITOR
    FZF_DEFAULT_COMMAND MAN_PN RIPGREP_CONFIG_EDITOR FCEDIT
""")
"""Their values are command lines."""

_LIBRARIES = frozenset({"LD_PRELOAD", "LD_AUDIT", "LD_LIBRARY_PATH", "DYLD_INSERT_LIBRARIES", "DYLD_LIBRARY_PATH"})
_STARTS = frozenset({"BASH_ENV", "ENV", "PYTHONSTARTUP", "ZDOTDIR", "PERL5DB"})
_OPTIONS = {
    "NODE_OPTIONS": r"--(?:require|import|loader|experimental-loader)\b|(?:^|\s)-r\b",
    "PERL5OPT": r"-[mMI]",
    "RUBYOPT": r"-r",
    "JAVA_TOOL_OPTIONS": r"-javaagent|-agentlib|-agentpath",
    "_JAVA_OPTIONS": r"-javaagent|-agentlib|-agentpath",
    "GIT_CONFIG_PARAMETERS": r".",
}
_EVIDENCE = frozenset({"HISTFILE", "HISTSIZE", "HISTFILESIZE", "SAVEHIST"})


def judge_environment(call: Call) -> Judged:
    """What the variables of a command make it run."""
    if not call.env:
        return Judged()
    return merged(*(_variable(call, name, value) for name, value in call.env.items()))


@handles("env", "printenv", "genv")
def judge_env(call: Call) -> Judged | None:
    """Printing the whole environment prints its secrets; what a filter lets through is the filter's."""
    if call.program != "printenv" and call.line.options:
        return Judged()
    if call.line.operands:
        return None
    if call.piped:
        return Judged()
    return merged(call.found("C8", "prints every variable of the environment, secrets too", secret=True))


def _variable(call: Call, name: str, value: str | None) -> Judged | Finding | None:
    if name in RUNS_COMMANDS:
        if value is None:
            return call.found("C6", f"{name} is a command that cannot be known beforehand")
        return call.nested("shell", value) if value.strip() else None
    if name == "SAFETY_AUDIT_ENABLED" and value is not None and value.lower() in {"0", "false", "no", "off"}:
        return call.found("B5", "switches the safety gate off", name, privilege=True)
    if name in _EVIDENCE and value in {"", "0", "/dev/null"}:
        return call.found("B5", f"{name}={value} keeps no history of what is done", name, reversible=False)
    if name in _LIBRARIES and value:
        return _library(call, name, value)
    if name in _STARTS and value:
        if value in call.scope.fetched:
            return call.found("B5", f"{name} makes it run {value}, which the same action has fetched", value)
        return (
            None
            if value.startswith(call.scope.setting.project + "/")
            else call.found("C6", f"{name} makes it run {value}, whose content is not known", value)
        )
    if name in _OPTIONS and value and re.search(_OPTIONS[name], value):
        return call.found("C6", f"{name} loads further code: {value}", value)
    if name == "PATH" and value:
        first = value.split(":", 1)[0]
        if first in {"", "."} or first.startswith(("/tmp", "/var/tmp", "/dev/shm")):  # noqa: S108  named to be refused
            return call.found("C6", f"programs are looked for in {first or 'the current folder'} first", first)
    return None


def _library(call: Call, name: str, value: str) -> Finding | None:
    if name.endswith("_PATH"):
        private = re.match(r"^(?:/tmp|/var/tmp|/dev/shm)", value)
        if not private:
            return None
    elif re.match(r"^(?:/usr/lib|/lib|/usr/local/lib)[^:]*$", value) or "libfaketime" in value:
        return None
    path = paths.normal(value, call.scope) or value
    if call.scope.privileged or call.program in {"sudo", "su", "doas"} or path in call.scope.fetched:
        return call.found("B5", f"loads {value} into a program that runs as root", value, privilege=True)
    return call.found("C6", f"loads {value} into the program, whose content is not known", value)
