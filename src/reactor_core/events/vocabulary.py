"""The words of the event stream: types, sources, lanes, and which types may be deduplicated by content.

Values are the lower-case names that the services of the JARVIS family already put on the wire. A type that is not
listed here is kept as a plain ``str`` and passes through untouched.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum, StrEnum
from typing import Any

__all__ = [
    "DEDUP_WINDOW_SECONDS",
    "SAFETY_TYPES",
    "EventSource",
    "EventType",
    "Priority",
    "as_event_type",
    "as_source",
    "deduplicates_by_content",
    "default_priority",
]

DEDUP_WINDOW_SECONDS = 60.0
"""Equal gauges within this time are one event."""


class EventType(StrEnum):
    """What happened."""

    TRAINING_START = "training_start"
    TRAINING_PROGRESS = "training_progress"
    TRAINING_COMPLETE = "training_complete"
    TRAINING_FAILED = "training_failed"

    COST_UPDATE = "cost_update"
    COST_ALERT = "cost_alert"
    COST_REPORT = "cost_report"
    INFERENCE_METRICS = "inference_metrics"

    RESOURCE_CREATED = "resource_created"
    RESOURCE_DESTROYED = "resource_destroyed"
    ORPHAN_DETECTED = "orphan_detected"
    ORPHAN_CLEANED = "orphan_cleaned"
    SQL_STOPPED = "sql_stopped"
    SQL_STARTED = "sql_started"

    SAFETY_AUDIT = "safety_audit"
    SAFETY_BLOCKED = "safety_blocked"
    SAFETY_CONFIRMED = "safety_confirmed"
    SAFETY_DENIED = "safety_denied"
    KILL_SWITCH_TRIGGERED = "kill_switch_triggered"
    VISUAL_CLICK_PREVIEW = "visual_click_preview"
    VISUAL_CLICK_VETOED = "visual_click_vetoed"
    SAFETY_OUTCOME = "safety_outcome"

    INTERACTION_START = "interaction_start"
    INTERACTION_END = "interaction_end"
    CORRECTION = "correction"
    FEEDBACK = "feedback"
    SCOUT_TOPIC_ADDED = "scout_topic_added"
    SCOUT_PAGE_FETCHED = "scout_page_fetched"
    SCOUT_SYNTHESIS_COMPLETE = "scout_synthesis_complete"
    SERVICE_UP = "service_up"
    SERVICE_DOWN = "service_down"
    CONFIG_CHANGED = "config_changed"
    NEW_KNOWLEDGE = "new_knowledge"
    MODEL_UPDATED = "model_updated"
    ARTIFACT_CLEANED = "artifact_cleaned"
    ERROR = "error"

    GAP = "gap"
    KILL_SWITCH_CLEARED = "kill_switch_cleared"
    ACTIONS_STOPPED = "actions_stopped"
    SAFETY_ASKED = "safety_asked"
    SAFETY_FACTOR_CHANGED = "safety_factor_changed"
    PAYLOAD_ERASED = "payload_erased"
    JOURNAL_COMPACTED = "journal_compacted"


class EventSource(StrEnum):
    """Who says so."""

    JARVIS_AGENT = "jarvis_agent"
    JARVIS_PRIME = "jarvis_prime"
    REACTOR_CORE = "reactor_core"
    SCOUT = "scout"
    USER = "user"
    SYSTEM = "system"


class Priority(IntEnum):
    """The four lanes; lower is more urgent."""

    CRITICAL = 1
    """Safety blocks, the kill switch, critical errors: overtakes every backlog."""
    HIGH = 2
    """Safety audits, confirmations, cost alerts."""
    NORMAL = 3
    """Training progress, visual previews, interactions."""
    LOW = 4
    """Information and metrics."""


SAFETY_TYPES = frozenset(
    {
        EventType.SAFETY_AUDIT,
        EventType.SAFETY_BLOCKED,
        EventType.SAFETY_CONFIRMED,
        EventType.SAFETY_DENIED,
        EventType.KILL_SWITCH_TRIGGERED,
        EventType.VISUAL_CLICK_PREVIEW,
        EventType.VISUAL_CLICK_VETOED,
        EventType.SAFETY_OUTCOME,
        EventType.ACTIONS_STOPPED,
    }
)
"""Each of these carries ``data["action"]`` and is never deduplicated by content."""

_PRIORITY = {
    EventType.SAFETY_BLOCKED: Priority.CRITICAL,
    EventType.KILL_SWITCH_TRIGGERED: Priority.CRITICAL,
    EventType.TRAINING_FAILED: Priority.CRITICAL,
    EventType.ERROR: Priority.CRITICAL,
    EventType.SAFETY_AUDIT: Priority.HIGH,
    EventType.SAFETY_ASKED: Priority.HIGH,
    EventType.SAFETY_FACTOR_CHANGED: Priority.HIGH,
    EventType.SAFETY_CONFIRMED: Priority.HIGH,
    EventType.SAFETY_DENIED: Priority.HIGH,
    EventType.VISUAL_CLICK_VETOED: Priority.HIGH,
    EventType.COST_ALERT: Priority.HIGH,
    EventType.GAP: Priority.HIGH,
    EventType.KILL_SWITCH_CLEARED: Priority.HIGH,
    EventType.ACTIONS_STOPPED: Priority.HIGH,
    EventType.COST_UPDATE: Priority.LOW,
    EventType.COST_REPORT: Priority.LOW,
    EventType.INFERENCE_METRICS: Priority.LOW,
    EventType.RESOURCE_CREATED: Priority.LOW,
    EventType.RESOURCE_DESTROYED: Priority.LOW,
    EventType.ORPHAN_DETECTED: Priority.LOW,
    EventType.ORPHAN_CLEANED: Priority.LOW,
    EventType.SQL_STOPPED: Priority.LOW,
    EventType.SQL_STARTED: Priority.LOW,
    EventType.SERVICE_UP: Priority.LOW,
    EventType.SERVICE_DOWN: Priority.LOW,
    EventType.CONFIG_CHANGED: Priority.LOW,
    EventType.ARTIFACT_CLEANED: Priority.LOW,
}

# Readings of a state: saying the same twice adds nothing. Transitions (started, stopped, created) and counts
# (tokens, interactions) are not listed: two equal ones are two happenings.
_GAUGES = frozenset(
    {
        EventType.COST_UPDATE,
        EventType.COST_ALERT,
        EventType.COST_REPORT,
        EventType.TRAINING_PROGRESS,
        EventType.ORPHAN_DETECTED,
    }
)

_TYPES = {name: member for member in EventType for name in (member.value, member.name)}
_SOURCES = {name: member for member in EventSource for name in (member.value, member.name)}


def as_event_type(name: str) -> EventType | str:
    """The member called ``name`` (as value or as constant), or ``name`` itself where there is none."""
    return _TYPES.get(name, name)


def as_source(name: str) -> EventSource | str:
    """The member called ``name`` (as value or as constant), or ``name`` itself where there is none."""
    return _SOURCES.get(name, name)


def default_priority(event_type: EventType | str) -> int:
    """The lane of a type; types that are not known are NORMAL."""
    return int(_PRIORITY.get(event_type, Priority.NORMAL)) if isinstance(event_type, EventType) else 3


def deduplicates_by_content(event_type: EventType | str, data: Mapping[str, Any]) -> bool:
    """Whether an equal event of the same source within :data:`DEDUP_WINDOW_SECONDS` is the same event.

    True for readings such as ``COST_UPDATE {"total": 15.43}``. False for every safety event, for types that are not
    known, and for a payload with ``amount``: that is a charge, and two equal charges must both count.
    """
    return event_type in _GAUGES and "amount" not in data
