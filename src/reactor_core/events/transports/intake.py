"""What comes in from elsewhere on its way into the journal: read, handed out early if urgent, stored, counted."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future

from reactor_core.errors import ConfigError
from reactor_core.events.bus import Bus
from reactor_core.events.drafts import Draft, Outcome
from reactor_core.events.event import Event
from reactor_core.events.journal import Journal
from reactor_core.events.vocabulary import Priority

__all__ = ["Intake", "Message"]

_log = logging.getLogger(__name__)

_MAX_UNSTORED = 2048

Message = tuple[bytes | str, bool]
"""An event as JSON in either dialect, and whether it came before its publisher committed it."""


class Intake:
    """Stores what the other side of a transport says.

    Args:
        name: The transport; origin of what it brings.
        count: Called with the numbers of new events, of those that were there, and of those that were refused.
    """

    def __init__(self, name: str, *, journal: Journal, bus: Bus, count: Callable[[int, int, int], None]) -> None:
        self._name = name
        self._journal = journal
        self._bus = bus
        self._count = count
        self._unstored: deque[tuple[Future[list[Outcome]], list[Event]]] = deque()
        self._waiting = 0

    async def accept(self, messages: Iterable[Message]) -> None:
        """Take messages in, in their order. What is no event is counted and logged, and harms nobody.

        Returns before they are stored, unless many already wait.

        Raises:
            JournalError: Earlier messages could not be stored.
        """
        drafts = [draft for message in messages if (draft := self._read(message)) is not None]
        if drafts:
            events = [draft.event for draft in drafts]
            self._unstored.append((self._journal.append_many(drafts), events))
            self._waiting += len(events)
        while self._unstored and (self._unstored[0][0].done() or self._waiting > _MAX_UNSTORED):
            await self._settle_first()

    async def settle(self) -> None:
        """Wait until all that came in is stored.

        Raises:
            JournalError: Some of it could not be stored.
        """
        while self._unstored:
            await self._settle_first()

    def _read(self, message: Message) -> Draft | None:
        text, uncommitted = message
        try:
            event = Event.from_json(text, origin=self._name)
            payload = event.payload()
        except ConfigError as error:
            self._refuse(str(error))
            return None
        if event.priority == Priority.CRITICAL and not self._journal.has(event.event_id):
            self._bus.hand_out_early(event)
        return Draft(event, payload, self._name, None, uncommitted)

    async def _settle_first(self) -> None:
        future, events = self._unstored.popleft()
        self._waiting -= len(events)
        try:
            outcomes = await asyncio.wrap_future(future)
        except BaseException:
            for event in events:
                self._forget(event)
            raise
        fresh = again = 0
        for event, outcome in zip(events, outcomes, strict=True):
            if isinstance(outcome, ConfigError):  # the id belongs to another event
                self._forget(event)
                self._refuse(str(outcome))
            elif isinstance(outcome, Exception):
                raise outcome
            elif outcome.duplicate:
                again += 1
            else:
                fresh += 1
        self._count(fresh, again, 0)

    def _forget(self, event: Event) -> None:
        if event.priority == Priority.CRITICAL:
            self._bus.forget_early(event)

    def _refuse(self, reason: str) -> None:
        self._count(0, 0, 1)
        _log.warning("%s sent what cannot be stored: %s", self._name, reason)
