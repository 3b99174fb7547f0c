"""Programs that end others."""

from __future__ import annotations

import re

from reactor_core.safety.tools.line import Textual, read_line, shown
from reactor_core.safety.tools.registry import Call, handles, origin_of
from reactor_core.safety.tools.targets import merged
from reactor_core.safety.verdict import Finding, Judged

__all__ = ["GUARDS"]

GUARDS = re.compile(
    r"(?i)reactor|auditd|syslog|journald|apparmor|fail2ban|crowdsec|falco|osquery|falcon|sentinel|wazuh|ossec|mdatp|"
    r"clamd|snort|suricata|tripwire|usbguard|auditbeat|firewalld|watchdog"
)
"""Names of programs that protect or record."""
_VITAL = re.compile(r"^(?:systemd|init|launchd|dbus-daemon|systemd-logind|gnome-shell|Xorg|sshd|\.|\.\*|\*|)$")


def _signal_and_targets(call: Call) -> tuple[str, list[Textual]]:
    """``kill -9 PID``, ``kill -s KILL PID``, ``kill -- -1``."""
    signal, targets = "TERM", []
    words = list(call.words[1:])
    index = 0
    ended = False
    while index < len(words):
        word = words[index]
        text = word.text if word.text is not None else word.known_prefix
        index += 1
        if ended or not text.startswith("-") or len(text) == 1:
            targets.append(word)
        elif text == "--":
            ended = True
        elif text in {"-s", "--signal", "-n"} and index < len(words):
            signal = words[index].text or "?"
            index += 1
        elif text.startswith("--signal="):
            signal = text.partition("=")[2]
        elif signal == "TERM" and re.match(r"^-(?:\d+|[A-Z][A-Z0-9+-]*|SIG\w+)$", text) and index < len(words):
            signal = text[1:]
        elif re.match(r"^-\d+$", text):
            targets.append(word)
        else:
            signal = text[1:] if text[1:] in {"l", "L"} else signal
    return signal, targets


@handles("kill", "gkill")
def judge_kill(call: Call) -> Judged | None:
    """Signal 0 only tests; -1 means every process."""
    signal, targets = _signal_and_targets(call)
    lists = any(word.text in {"-l", "-L", "--list", "--table"} for word in call.words[1:])
    if signal in {"0", "l", "L", "EXIT"} or lists:
        return Judged()
    return merged(*(_killed(call, word) for word in targets))


def _killed(call: Call, word: Textual) -> Finding:
    if word.text is None:
        listed = origin_of(word).listing
        names = " ".join(part or "" for stage in origin_of(word).pipeline for part in stage)
        if GUARDS.search(names):
            return call.found("B5", "ends a program that protects or records", privilege=True)
        if listed[:1] == ("ps",) and "grep" not in names:
            return call.found("B6", "ends every process")
        return call.found("C5", f"ends the processes {shown(word)}", shown(word))
    if word.text == "-1":
        return call.found("B6", "ends every process of the user")
    if word.text == "1":
        return call.found("B6", "ends the first process of the system")
    if GUARDS.search(word.text):
        return call.found("B5", f"ends {word.text}, which protects or records", word.text, privilege=True)
    return call.found("C5", f"ends the process {word.text}", word.text)


@handles("pkill", "killall", "skill", "slay", "killall5", "xkill", "taskkill", "tskill")
def judge_pkill(call: Call) -> Judged | None:
    """Ends processes by name or by user."""
    line = call.line
    if call.program == "killall5":
        return merged(call.found("B6", "ends every process"))
    raw = [word.text for word in call.words[1:]]
    if "-0" in raw or "-l" in raw or "--list" in raw:
        return Judged()
    signals = re.compile(r"^-(?:SIG)?[A-Z][A-Z0-9]{2,}$|^-\d+$")
    words = [word for word in call.words[1:] if not signals.match(word.text or "")]
    line = read_line(call.program, words, values=() if call.tool is None else call.tool.values)
    users = line.values("-u", "-U", "--euid", "--uid", "--user")
    parts: list[Judged | Finding | None] = []
    if users and not line.operands:
        parts.append(call.found("B6", f"ends every process of {shown(users[-1])}"))
    for word in line.operands:
        text = word.text if word.text is not None else word.known_prefix
        if GUARDS.search(text):
            parts.append(call.found("B5", f"ends {text}, which protects or records", text, privilege=True))
        elif word.text is not None and _VITAL.match(text):
            parts.append(call.found("B6", f"ends {text or 'everything'}, which the machine needs", text))
        else:
            parts.append(call.found("C5", f"ends {shown(word)}", shown(word)))
    return merged(*parts) if parts else merged(call.found("C5", "ends processes"))
