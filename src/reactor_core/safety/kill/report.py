"""Saying what was stopped, on a thread of its own: the journal may be busy, and stopping waits for nothing."""

from __future__ import annotations

import logging
import queue
import threading
from typing import Any

import msgspec

from reactor_core.errors import ReactorError
from reactor_core.events.event import new_event
from reactor_core.events.safety_events import kill_switch_triggered
from reactor_core.events.vocabulary import EventType
from reactor_core.integration.event_bridge import EventBridge
from reactor_core.safety.kill.halting import Halting
from reactor_core.utils.ids import new_id

__all__ = ["Reporter"]

_log = logging.getLogger(__name__)

_Told = tuple[str, EventType, dict[str, Any]]


class Reporter:
    """Publishes the watcher's events.

    Args:
        bridge: Where to.
    """

    def __init__(self, bridge: EventBridge) -> None:
        self._bridge = bridge
        self._waiting: queue.Queue[_Told | None] = queue.Queue()
        self._thread = threading.Thread(target=self._run, name="reactor-reports", daemon=True)
        self._thread.start()

    def triggered(self, halting: Halting, now: float) -> None:
        """KILL_SWITCH_TRIGGERED with what was measured, under the id with which the latch was tripped."""
        event_type, data = kill_switch_triggered(
            trigger_method=halting.method,
            halted_action=halting.action or "nothing was going on",
            response_time_ms=halting.response_time_ms(now),
        )
        self._waiting.put((halting.event_id, event_type, {**halting.facts(now), **data}))

    def stopped(self, cause: str, action: str, facts: dict[str, Any], *, event_id: str = "") -> None:
        """ACTIONS_STOPPED: what this workspace's watcher stopped. ``event_id`` is of the kill switch that caused it."""
        data = {"action": action or "nothing was going on", "cause": cause, "event_id": event_id, **facts}
        self._waiting.put((new_id(), EventType.ACTIONS_STOPPED, data))

    def close(self) -> None:
        """Publish what waits, then end."""
        self._waiting.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (told := self._waiting.get()) is not None:
            event_id, event_type, data = told
            try:
                event, payload = new_event(self._bridge.source, event_type, data)
                # The latch knows this id: whoever hears of it now does not trip a second time.
                event = msgspec.structs.replace(event, event_id=event_id)
                self._bridge.journal.append(event, payload=payload).result()
            except ReactorError as error:  # the halt holds nevertheless: it is in the latch
                _log.error("%s %s could not be published: %s", event_type, data, error)
