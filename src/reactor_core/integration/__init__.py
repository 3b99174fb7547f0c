"""The public face of events and cost, under the names that the rest of the family imports."""

from reactor_core.events.chain import ChainReport
from reactor_core.events.event import Event
from reactor_core.events.failures import Failure
from reactor_core.events.latch import LatchState
from reactor_core.events.vocabulary import EventSource, EventType, Priority
from reactor_core.integration.event_bridge import EventBridge
from reactor_core.integration.publishing import Draft

__all__ = [
    "ChainReport",
    "Draft",
    "Event",
    "EventBridge",
    "EventSource",
    "EventType",
    "Failure",
    "LatchState",
    "Priority",
]
