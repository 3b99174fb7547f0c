"""Interfaces that name the operation instead of the thing: ``?Action=StopLogging``, ``X-Amz-Target: Keys.Delete``.

The verb and the noun are read from the operation's name and weighed as those of an address are.
"""

from __future__ import annotations

import re

from reactor_core.safety.naming import wordset
from reactor_core.safety.network.request import Request, fields
from reactor_core.safety.network.rest import is_draft
from reactor_core.safety.network.said import all_fields, effect_on
from reactor_core.safety.scope import Scope
from reactor_core.safety.things import DESTROYS, READS, STOPS, Weight, loss_rule, split_name, stop_rule, weight_of
from reactor_core.safety.verdict import Finding, found

__all__ = ["mass_mailing", "named_operation", "only_asks"]

_NAMES = wordset(
    """
    name id identifier arn keyid bucket table instanceid instanceids clusterid dbinstanceidentifier stackname trailname
    resource target selector group
    """
)
_WATCHES = wordset(
    """
    logging trail audit detector monitoring recorder alarm alarms alerts guardduty config securityhub protection
    encryption tracing versioning mfa insights inspector
    """
)
_ASKS = frozenset({"scan", "decode", "lookup", "estimate", "detect", "generate", "filter"})
_EVERY = frozenset({"*", "all", "['*']", "everything"})
_AUDIENCE = wordset("to sendto audience segment recipients list lists group groups recipient")


def named_operation(request: Request, scope: Scope) -> Finding | None:
    """What the operation does that a header or a field names; None if none is named or it only reads."""
    operation = _operation(request)
    words = split_name(operation)
    if not words or words[0] in READS:
        return None
    deletes = words[0] in DESTROYS or words[-1] in {"deletion", "removal", "termination"} or "deletion" in words
    stops = words[0] in STOPS
    if not deletes and not stops:
        return None
    nouns = [word for word in words[1:] if word not in {"deletion", "removal", "termination"}]
    name = next((str(value) for key, value in _said(request) if "".join(split_name(key)) in _NAMES), "")
    if set(nouns) & _WATCHES:
        return found(
            "B5",
            f"{operation}: ends a watch over {request.host}",
            effect_on(request, privilege=True),
            part=request.brief,
        )
    noun = "".join(part.capitalize() for part in nouns)
    if weight_of(noun) is Weight.ITEM and "kms" in request.labels:
        noun = "key"
    many = name.strip("'\"").lower() in _EVERY or (name.startswith("[") and name.count(",") >= 9)
    rule = (
        loss_rule(noun, name, scope.setting, many=many) if deletes else stop_rule(noun, name, scope.setting, many=many)
    )
    return found(rule, f"{operation} of {name or noun or request.host}", effect_on(request), part=request.brief)


def only_asks(request: Request) -> bool:
    """Whether the operation that is named only reads."""
    words = split_name(_operation(request))
    return bool(words) and (words[0] in READS | _ASKS or words[:2] in (["batch", "get"], ["transact", "get"]))


def _said(request: Request) -> list[tuple[str, object]]:
    return [*request.query, *((key, value) for key, value in fields(request.body) if not isinstance(value, dict))]


def _operation(request: Request) -> str:
    target = request.headers.get("x-amz-target", "") or request.headers.get("soapaction", "").strip("\"'")
    if target:
        return re.split(r"[.#/]", target)[-1]
    if request.segments and not re.fullmatch(r"(?:api|rest|rpc|query|v\d+)", request.segments[-1]):
        return ""
    said = request.parameter("action", "operation", "command")
    if said is None and isinstance(request.body, dict):
        said = next(
            (
                value
                for key, value in request.body.items()
                if key.lower() in {"action", "operation"} and isinstance(value, str)
            ),
            None,
        )
    return said if said and re.fullmatch(r"[A-Z][A-Za-z]+", said) else ""


def mass_mailing(request: Request) -> Finding | None:
    """A message whose readers a field gives as all of them."""
    if request.method not in {"POST", "PUT", "PATCH"} or is_draft(request):
        return None
    spoken = re.search(r"\b(?:audience|recipients?|segment|list|to)\b\W*(.*)", request.note, re.IGNORECASE)
    sends = re.search(r"send|campaign|broadcast|blast|newsletter", request.path, re.IGNORECASE)
    if spoken and sends and re.search(r"\ball\b|every|\d[,.]\d{3}\b|\b[2-9]\d\d\b|\b\d{4,}\b", spoken[1]):
        return found("B7", f"speaks to everybody through {request.host}", effect_on(request), part=request.brief)
    for key, value in all_fields(request):
        plain = "".join(split_name(key))
        if plain not in _AUDIENCE:
            continue
        whole = isinstance(value, dict) and any(
            name.lower() in {"all", "everyone", "all_contacts"} and inner is True for name, inner in value.items()
        )
        if whole or (isinstance(value, str) and value.strip().lower() in {"all", "everyone", "*", "all_contacts"}):
            speaks = re.search(
                r"send|mail|campaign|message|notif|broadcast|sms|push|news|announce|post", request.path + request.host
            )
            if speaks:
                return found(
                    "B7", f"speaks to everybody through {request.host}", effect_on(request), part=request.brief
                )
    return None
