"""Cmdlets of mail servers (``Set-Mailbox dev -ForwardingSmtpAddress x``), read as calls."""

from __future__ import annotations

import re
import shlex
from typing import Any

from reactor_core.safety.calls import Call
from reactor_core.safety.email.verbs import judge_call
from reactor_core.safety.naming import wordset
from reactor_core.safety.scope import Scope
from reactor_core.safety.verdict import Effect, Finding, Judged, Verdict, found

__all__ = ["judge_cmdlets"]

_CMDLET = re.compile(r"^\s*([A-Z][a-z]+)-([A-Z][A-Za-z]+)\b(.*)$", re.DOTALL)
_READS = wordset(
    """
    Get Test Search Find Measure Show Select Format Where Sort Export Out Write Connect ForEach Start Trace Compare
    """
)


def judge_cmdlets(text: str, scope: Scope) -> Judged | None:
    """Judge a pipeline of cmdlets; None if the text is none."""
    parts = [part for line in re.split(r"[\n;]", text) for part in re.split(r"\|", line) if part.strip()]
    if not parts or not _CMDLET.match(parts[0]):
        return None
    findings: list[Finding] = []
    fed_by_all = False
    for part in parts:
        match = _CMDLET.match(part)
        if match is None:
            continue
        scope.effort.spend()
        call = _call(match.group(1), match.group(2), match.group(3))
        finding = _judge(call, match.group(1), match.group(2), scope, fed_by_all)
        if finding is not None:
            findings.append(finding)
        fed_by_all = (
            match.group(1) == "Get"
            and not any(name in call.named for name in ("Identity", "Filter"))
            and not call.positional
        )
    return Judged(tuple(findings), tuple(part.strip() for part in parts))


def _call(verb: str, noun: str, rest: str) -> Call:
    try:
        words = shlex.split(rest.replace("$true", "True").replace("$false", "False"))
    except ValueError:
        words = rest.split()
    named: dict[str, Any] = {}
    positional: list[Any] = []
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        if not re.match(r"-[A-Za-z]", word):
            positional.append(_value(word))
            continue
        name, colon, value = word[1:].partition(":")
        if colon:
            named[name] = _value(value)
        elif at < len(words) and not re.match(r"-[A-Za-z]", words[at]):
            named[name] = _value(words[at])
            at += 1
        else:
            named[name] = True
    return Call(verb, noun, tuple(positional), named, 1, f"{verb}-{noun}{rest}".strip())


def _value(word: str) -> Any:
    return {"True": True, "False": False, "$null": None}.get(word, word)


def _judge(call: Call, verb: str, noun: str, scope: Scope, fed_by_all: bool) -> Finding | None:
    def finding(rule: str, says: str, **effect: Any) -> Finding:
        return found(
            rule, says, Effect(str(call.named.get("Identity", "")), reversible=False, **effect), part=call.source[:300]
        )

    if call.named.get("WhatIf") is True or verb in _READS:
        return None
    lower = noun.lower()
    said = {name.lower(): value for name, value in call.named.items()}
    forwards = [
        value for name, value in said.items() if "forward" in name or name in {"redirectto", "redirectmessageto"}
    ]
    if forwards and lower in {"mailbox", "inboxrule", "transportrule"}:
        if all(value in (None, False, "") for value in forwards):
            return finding("A5", "ends forwarding")
        return finding("B5", "sends mail on for good", outward=True, secret=True)
    guard = re.search(
        r"audit|antiphish|malware|spam|safelinks|dlp|protection|retention|hold|journal|mfa|conditionalaccess"
        r"|authentication",
        lower + " " + " ".join(said),
    )
    if guard and (
        verb in {"Remove", "Disable"} or any(value in (False, "None", "Disabled", 0, "0") for value in said.values())
    ):
        return finding("B5" if "hold" not in guard.group() else "B7", f"switches {guard.group()} off", privilege=True)
    if lower in {
        "mailboxpermission",
        "recipientpermission",
        "rolegroupmember",
        "managementroleassignment",
        "mailboxfolderpermission",
    } and verb in {"Add", "Set", "New"}:
        wide = (
            re.search(
                r"full|sendas|owner"
                r"|organization",
                str(call.named.values()),
                re.IGNORECASE,
            )
            or "role" in lower
        )
        return finding("B5" if wide else "C7", "lets somebody into a mailbox", privilege=True)
    if verb == "Remove" and lower in {
        "mailbox",
        "user",
        "mailuser",
        "msoluser",
        "mailboxdatabase",
        "accepteddomain",
        "aduser",
        "mguser",
    }:
        return finding("B7", "deletes a mailbox or an account")
    if "purge" in said or (lower in {"compliancesearchaction", "mailboxsearch"} and verb == "New"):
        hard = "hard" in str(said.get("purgetype", "")).lower() or fed_by_all
        return finding("B7" if hard or "purge" in said else "C1", "deletes mail of many people")
    if verb == "Search" and "deletecontent" in said:
        return finding("B7", "deletes mail of many people")
    if verb == "Remove" and fed_by_all:
        return finding("B7", f"deletes every {lower}")
    if verb == "Send":
        return judge_call(
            Call(
                "send", "", call.positional, {name.lower(): value for name, value in call.named.items()}, 1, call.source
            ),
            scope,
        )
    if verb == "Add" and lower == "distributiongroupmember":
        return finding("C7", "adds a member to a list", outward=True)
    if verb in wordset(
        """
        New Set Add Enable Disable Remove Update Import Move Clear Restore Stop Start
        """
    ):
        return finding("C7" if "rule" in lower or "contact" in lower else "C4", f"changes {lower}")
    return Finding(Verdict.CONFIRM, "C6", f"an action that is not known ({verb}-{noun})", Effect(), call.source[:300])
