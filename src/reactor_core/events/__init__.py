"""Events: their words, the durable journal, and how they reach other processes and hosts."""

from reactor_core.events.chain import ChainReport
from reactor_core.events.event import Event, new_event
from reactor_core.events.journal import JOURNAL_NAME, Journal
from reactor_core.events.query import EventQuery, count_by_type, event_filter, event_query, seq_range
from reactor_core.events.time_range import parse_time_range
from reactor_core.events.vocabulary import SAFETY_TYPES, EventSource, EventType, Priority

__all__ = [
    "JOURNAL_NAME",
    "SAFETY_TYPES",
    "ChainReport",
    "Event",
    "EventQuery",
    "EventSource",
    "EventType",
    "Journal",
    "Priority",
    "count_by_type",
    "event_filter",
    "event_query",
    "new_event",
    "parse_time_range",
    "seq_range",
]
