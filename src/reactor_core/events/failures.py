"""What handlers raised: told to their owner as events, and kept for whoever asks."""

from __future__ import annotations

import logging
import traceback
from collections import deque
from datetime import datetime
from typing import Any, NamedTuple

from reactor_core.errors import ReactorError
from reactor_core.events.event import Event, new_event
from reactor_core.events.journal import Journal
from reactor_core.events.vocabulary import EventSource, EventType, Priority
from reactor_core.utils.clock import SystemClock

__all__ = ["Failure", "Failures", "failure_data"]

_log = logging.getLogger(__name__)
_clock = SystemClock()

KEPT = 100


class Failure(NamedTuple):
    """A handler that failed: which, on what, how, and when. The traceback is in the ERROR event and in the log."""

    handler: str
    event: Event
    error: Exception
    at: datetime


class Failures:
    """The last failures of one bridge's handlers.

    Args:
        source: Who publishes the ERROR events.
    """

    def __init__(self, journal: Journal, source: EventSource | str) -> None:
        self._journal = journal
        self._source = source
        self._last: deque[Failure] = deque(maxlen=KEPT)

    def last(self) -> list[Failure]:
        """The last hundred, oldest first."""
        return list(self._last)

    def tell(self, handler: str, event: Event, error: Exception, *, first: bool = False) -> None:
        """Log a failure, keep it, and publish it: once, as the failure of who was told of a failure is not published.

        The ERROR event has the lane HIGH: a handler that fails does not overtake safety events.

        Args:
            first: Return after the ERROR event is on disk.
        """
        _log.error("event handler %s failed on %s %s", handler, event.event_type, event.event_id, exc_info=error)
        data = failure_data(handler, event, error)
        # Its frames hold on to whatever the handler worked with, such as a model.
        self._last.append(Failure(handler, event, error.with_traceback(None), _clock.utc_now()))
        if "failed_handler" in event.metadata:
            return
        told, payload = new_event(
            self._source,
            EventType.ERROR,
            data,
            priority=Priority.HIGH,
            metadata={"failed_handler": handler},
        )
        try:
            stored = self._journal.append(told, payload=payload)
            if first:
                stored.result()
        except ReactorError as refused:
            _log.error("the failure of %s could not be stored: %s", handler, refused)

    def tell_first(self, handler: str, event: Event, error: Exception) -> None:
        """:meth:`tell`, and wait until it is on disk; not for the journal's own thread."""
        self.tell(handler, event, error, first=True)


def failure_data(handler: str, event: Event, error: Exception) -> dict[str, Any]:
    """What the ERROR event about a failed handler says."""
    return {
        "error": type(error).__name__,
        "message": str(error),
        "handler": handler,
        "failed_event_id": event.event_id,
        "failed_event_type": str(event.event_type),
        "traceback": "".join(traceback.format_exception(error))[-8000:],
    }
