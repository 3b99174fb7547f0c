"""The family's plain dialect at the hub: one event as JSON per text frame, both ways.

Old clients know no acknowledgements, no cursors and no credit: they get what happens while they are connected. What
they send is stored like anything else, and whoever speaks our dialect gets it with every promise that we make.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable

import msgspec

from reactor_core.errors import ConfigError
from reactor_core.events.bus import Bus
from reactor_core.events.event import Event, new_event
from reactor_core.events.hub.connection import Connection
from reactor_core.events.hub.intake import Intake, Points
from reactor_core.events.journal import Journal
from reactor_core.events.latch import LatchState
from reactor_core.events.loop_thread import end_tasks
from reactor_core.events.reader import JournalReader
from reactor_core.events.vocabulary import EventSource, EventType

__all__ = ["FamilySession", "is_control"]

_log = logging.getLogger(__name__)


class FamilySession:
    """One old neighbour at the hub.

    Args:
        reader: A connection to the journal that nobody else asks long questions.
        source: Who the neighbour is; events of this source are not sent to it.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        journal: Journal,
        reader: JournalReader,
        bus: Bus,
        source: str,
        on_confirmed: Callable[[Event], None],
        points: Points,
    ) -> None:
        self._connection = connection
        self._bus = bus
        self._source = source
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._ready = asyncio.Event()
        self._woken = False
        self.sent = 0
        self.intake = Intake(journal, reader, bus, f"family:{source}", self._ready.set, on_confirmed, points)
        self._subscription = bus.attach(None, wake=self._wake, not_from=self.intake.origin, everyone=True)

    async def run(self, latch: LatchState) -> None:
        """Exchange until the connection ends.

        Args:
            latch: How the hub's kill switch stands; a neighbour that joins a halted family hears the halt first.

        Raises:
            Disconnected: It ended.
            JournalError: What came in could not be stored.
        """
        tasks: list[asyncio.Task[None]] = []
        try:
            if latch.tripped:
                await self._connection.send(_halt(latch).to_family_json().decode())
            tasks = [asyncio.ensure_future(self._send()), asyncio.ensure_future(self._receive())]
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._bus.detach(self._subscription)
            await end_tasks(tasks)
            await self.intake.settle()
        for task in done:
            task.result()

    def _wake(self) -> None:
        """The bus has something. Called on the bus's thread, perhaps for each of many events."""
        if threading.get_ident() == self._thread:
            self._ready.set()
        elif not self._woken:
            self._woken = True
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody sends any more
                self._loop.call_soon_threadsafe(self._woken_up)

    def _woken_up(self) -> None:
        self._woken = False
        self._ready.set()

    async def _send(self) -> None:
        while True:
            self._ready.clear()
            while (event := self._subscription.pop()) is not None:
                if self._is_for_it(event):
                    await self._connection.send(event.to_family_json().decode())
                    self.sent += 1
            self.intake.faults.clear()  # this dialect has no word for them
            self.intake.owed = 0
            if self.intake.failure is not None:
                raise self.intake.failure
            await self._ready.wait()

    def _is_for_it(self, event: Event) -> bool:
        targets = event.metadata.get("target_sources")
        return event.source != self._source and (not targets or self._source in targets)

    async def _receive(self) -> None:
        while True:
            message = await self._connection.receive()
            if is_control(message):
                continue
            try:
                event = Event.from_json(message, origin=self.intake.origin)
                size = len(event.payload())
            except ConfigError as error:
                if self.intake.counts.rejected == 0:  # a million of them are told once
                    _log.warning("%s at %s sent what is no event: %s", self._source, self._connection.peer, error)
                self.intake.refuse(str(error))
                continue
            self.intake.take([event], positions={}, size=size)
            await self.intake.room()


def is_control(message: bytes | str) -> bool:
    """Whether a frame speaks about the connection (welcome, heartbeat) instead of carrying an event."""
    try:
        value = msgspec.json.decode(message)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False  # whoever reads it as an event says what is wrong with it
    return isinstance(value, dict) and "event_type" not in value


def _halt(latch: LatchState) -> Event:
    """The halt that still holds, as the event that began it."""
    event, _ = new_event(
        EventSource.SYSTEM,
        EventType.KILL_SWITCH_TRIGGERED,
        {"action": latch.reason, "trigger_method": "latch", "epoch": latch.tripped_epoch, "by": latch.by},
    )
    return msgspec.structs.replace(event, event_id=latch.event_id) if latch.event_id else event
