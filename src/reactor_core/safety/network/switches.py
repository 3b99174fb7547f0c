"""Words in a request that switch protection off, or that destroy and stop everything at once."""

from __future__ import annotations

import re
from collections.abc import Iterator

from reactor_core.safety.naming import wordset
from reactor_core.safety.network.request import Request
from reactor_core.safety.network.said import all_fields, effect_on, last_word
from reactor_core.safety.scope import Scope
from reactor_core.safety.things import DESTROYS, STOPS, Weight, split_name, stop_rule, weight_of
from reactor_core.safety.verdict import Effect, Finding, found

__all__ = ["everything", "protection"]

_OFF = wordset(
    """
    false 0 off disabled disable inactive none never no null suspended paused stopped allow_all allow-all permissive
    monitor dismissed
    """
)
_GUARDS = re.compile(
    r"\b(?:kill switch|watchdog|gate|mfa|2fa|two[ -]?factor|otp|audit\w*|logging|log sink|branch protection"
    r"|protection|protected|firewall|waf|guard\w*|scanning|antivirus"
    r"|edr|monitoring|alerts?|alerting|alarms?|detector|detection|encryption|sso|policy enforcement|enforce\w*"
    r"|deletion protection|termination protection"
    r"|versioning|retention|object lock|quarantine|dlp|siem|approvals?|confirm\w*|review required"
    r"|require\w* review\w*|safety|tls verify"
    r"|signature verification|ip allow ?list|rate ?limit\w*|captcha|password policy|integrity|siem"
    r"|secret scanning|push protection)\b"
)
_WEIGHTY_ACTS = wordset(
    """
    action op operation command state status desiredstate event type verb task method do power powerstate
    """
)
_SELECTORS = wordset(
    """
    selector where filter filters query match ids targets target hosts names instances scope predicate condition id
    search items users servers resources
    """
)
_STATES = wordset(
    """
    enabled enable status state active mode value enforcement armed required enforced on
    """
)
_SILENCES = frozenset({"disable", "off", "suspend", "silence", "mute", "deactivate"})
_DISABLING = re.compile(r"\b(?:disabled?|disable|skip|bypass|ignore|suppress|mute|suspend|turn off)\b")
_ON = frozenset({"true", "1", "yes", "on", "enabled", "active", "required", "enforced"})


def protection(request: Request) -> Finding | None:
    """A guard that is switched off, or on (which is allowed), by its own name or by the address that it lies at."""
    place = " ".join(part for segment in request.segments for part in split_name(segment))
    about = _GUARDS.search(place)
    tightened = False
    for name, value in all_fields(request):
        if isinstance(value, dict | list):
            continue
        words = " ".join(split_name(name))
        said = str(value).strip().lower()
        named = _GUARDS.search(words)
        state = set(words.split()) & _STATES
        guard = named or about
        if guard is None:
            continue
        off = said in _OFF and not isinstance(value, float)
        if (
            (named and off)
            or (state and off)
            or (_DISABLING.search(words) and said in _ON)
            or (about and said in _SILENCES)
        ):
            says = f"switches {guard.group()} off at {request.host}"
            return found("B5", says, effect_on(request, privilege=True), part=request.brief)
        if words in {"confirm", "confirmed", "confirmation", "approve", "approved", "verify"}:
            continue  # a yes to the request itself
        tightened = tightened or (said in _ON and (bool(state) or named is not None) and not _DISABLING.search(words))
    if tightened and not _act(request) and request.method in {"PUT", "PATCH", "POST"}:
        says = f"tightens protection at {request.host}"
        return found("A5", says, Effect(request.host, privilege=True), part=request.brief)
    return None


def everything(request: Request, scope: Scope) -> Finding | None:
    """A destroying or stopping action in a field, or a change, with a selector that takes everything."""
    act = _act(request)
    noun = next((segment for segment in reversed(request.segments) if weight_of(segment) is not Weight.ITEM), "")
    noun = noun or next((segment for segment in reversed(request.segments) if not segment.startswith("_")), "")
    if not act and request.method not in {"PUT", "PATCH", "DELETE"}:
        return None
    whole = next(_wide(request), None) or ({"all", "*", "_all"} & set(request.segments) and act)
    if not whole:
        return None
    if not act:
        rule = "B3"
    elif act in STOPS or act in {"stopped", "off", "terminate", "kill", "reboot", "restart"}:
        rule = stop_rule(noun, "", scope.setting, many=True)
    else:
        rule = "B4" if weight_of(noun) in {Weight.MACHINE, Weight.ENVIRONMENT, Weight.INSTANCE} else "B3"
    return found(rule, f"{act or 'changes'}: everything at {request.host}", effect_on(request), part=request.brief)


def _act(request: Request) -> str:
    for name, value in all_fields(request):
        if last_word(name) in _WEIGHTY_ACTS and isinstance(value, str) and len(value) < 40:
            for word in split_name(value):
                if word in DESTROYS or word in STOPS or word in {"terminated", "deleted", "stopped", "off", "reboot"}:
                    return word
    words = [part for segment in request.segments[-1:] for part in split_name(segment)]
    return next((word for word in words if word in DESTROYS or word in STOPS or word == "reboot"), "")


def _wide(request: Request) -> Iterator[str]:
    for name, value in all_fields(request):
        plain = last_word(name)
        takes_all = isinstance(value, str) and value.strip().lower() in {"*", "all", ".*", "%", "1=1", "everything"}
        takes_all = takes_all or (value in ({}, []) and plain not in {"items", "users", "servers"})
        takes_all = takes_all or (isinstance(value, dict) and set(value) == {"match_all"})
        if (plain in _SELECTORS and takes_all) or (
            plain in {"all", "everything"} and str(value).lower() in {"true", "1"}
        ):
            yield name
