"""What the judges of mail share: patterns of names, and how a finding is made."""

from __future__ import annotations

import re
from typing import Any

from reactor_core.safety.calls import Call
from reactor_core.safety.naming import wordset
from reactor_core.safety.things import READS
from reactor_core.safety.verdict import Effect, Finding, Scale, found

__all__ = ["ALERTS", "ALL_MAIL", "ERASES", "HELD", "MAIL_READS", "flagged", "mail_finding", "refused"]

MAIL_READS = READS | wordset(
    """
    unread thread headers translate extract spell free help sender attachment profile quota folders signature is has
    """
)


ALERTS = re.compile(
    r"security|alert|sign[- ]?in|log[- ]?in|password|fraud|2fa|mfa|suspicious|verification|new device|compliance"
    r"|audit|abuse|postmaster|soc\b|incident|phish|no-?reply@(?:bank|accounts|security)"
    r"|bank|unusual activity|admin@|root@|hr@|legal|access (?:request|review)|warning",
    re.IGNORECASE,
)


ERASES = re.compile(r"delete|erase|purge|destroy|expunge|trash|discard", re.IGNORECASE)


ALL_MAIL = re.compile(
    r"^(?:\*|all(?: mail| messages)?|.*:\*|in:(?:all|anywhere|inbox)|id:?\s*>=?\s*0|older_than:0\w?|1:\*|is:any"
    r"|true|every\w*)$",
    re.IGNORECASE,
)


HELD = re.compile(r"legal[-_ ]?hold|litigation|\bhold\b|e-?discovery|retention lock|preserv", re.IGNORECASE)


def mail_finding(call: Call, rule: str, says: str, **effect: Any) -> Finding:
    target = call.text("to", "name", "folder", "id", "query", "user", "address", at=0) or ""
    scale = Scale.ALL if rule[0] == "B" else Scale.ITEM
    return found(rule, says, Effect(target, scale, reversible=rule[0] == "A", **effect), part=call.source[:300])


def flagged(call: Call, *names: str) -> bool:
    return any(call.named.get(name) in (True, 1, "true", "yes", "on", "True") for name in names)


def refused(call: Call, *names: str) -> bool:
    return any(name in call.named and call.named[name] in (False, 0, "false", "no", "off") for name in names)
