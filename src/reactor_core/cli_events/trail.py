"""Events as records of an agent's audit trail, after the Internet-Draft draft-sharif-agent-audit-trail.

Each record has the fields that the draft makes mandatory as far as events carry them, and ``prev_hash``, the SHA-256 of
the record before it in the one spelling of RFC 8785; the first has 64 zeros. The chain is that of the exported file: it
shows a changed or missing line in between. The proof over the journal itself is ``reactor audit verify``. What an event
does not say is said to be unknown, never guessed. The draft is not a standard and still changes; this follows what is
common to its revisions and was not checked against another program that reads it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from reactor_core.events.event import Event
from reactor_core.utils.clock import to_iso

__all__ = ["Trail", "canonical"]

_FIRST = "0" * 64
_DECISIONS = ("safety_audit", "safety_blocked", "safety_confirmed", "safety_denied", "visual_click_vetoed")
_DENIED = ("safety_blocked", "safety_denied", "visual_click_vetoed")
_FAILED = ("error", "training_failed")
_LIFECYCLE = (
    "service_up", "service_down", "kill_switch_triggered", "kill_switch_cleared", "config_changed",
)  # fmt: skip


class Trail:
    """Makes the records of one file, in order."""

    def __init__(self) -> None:
        self._previous = _FIRST

    def record(self, event: Event) -> dict[str, Any]:
        """The next record."""
        name = str(event.event_type)
        record = {
            "record_id": event.event_id,
            "timestamp": to_iso(event.timestamp),
            "agent_id": f"urn:reactor:{event.source}",
            "agent_version": _said(event, "agent_version", "unknown"),
            "session_id": _said(event, "session_id", _said(event, "trace_id", "unknown")),
            "action_type": _action_type(name),
            "action_detail": {"event_type": name, "priority": event.priority, **event.data},
            "outcome": _outcome(name),
            "trust_level": _said(event, "trust_level", "unknown"),
            "parent_record_id": _said(event, "parent_event_id", None),
            "prev_hash": self._previous,
        }
        self._previous = hashlib.sha256(canonical(record)).hexdigest()
        return record


def canonical(value: Any) -> bytes:
    """The spelling of RFC 8785: names by their UTF-16 units, numbers as ECMAScript prints them."""
    return _spell(value).encode()


def _spell(value: Any) -> str:
    if isinstance(value, Mapping):
        names = sorted(value, key=lambda name: name.encode("utf-16-be"))
        return "{" + ",".join(f"{_spell(name)}:{_spell(value[name])}" for name in names) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_spell, value)) + "]"
    if isinstance(value, float) or (isinstance(value, int) and not isinstance(value, bool)):
        return _number(float(value))
    return json.dumps(value, ensure_ascii=False)


def _number(value: float) -> str:
    """ECMAScript's Number::toString. Whole numbers above 2^53 lose digits there, and so they do here."""
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    mantissa, _, exponent = f"{abs(value)!r}".partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    # The value is 0.DIGITS times ten to the power of ``point``.
    point = len(whole) + int(exponent or 0) if whole != "0" else int(exponent or 0) - (len(fraction) - len(digits))
    digits = digits.rstrip("0")
    if len(digits) <= point <= 21:
        return sign + digits + "0" * (point - len(digits))
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    power = point - 1
    rest = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{rest}e{'+' if power > 0 else '-'}{abs(power)}"


def _action_type(name: str) -> str:
    if name in _DECISIONS:
        return "decision"
    if name in _FAILED:
        return "error"
    return "lifecycle" if name in _LIFECYCLE else "event"


def _outcome(name: str) -> str:
    if name in _DENIED:
        return "denied"
    return "failure" if name in _FAILED else "success"


def _said(event: Event, name: str, otherwise: Any) -> Any:
    value = event.metadata.get(name, event.data.get(name))
    return value if isinstance(value, str) and value else otherwise
