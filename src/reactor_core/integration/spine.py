"""What the parts of a bridge share: the journal, the thread that hands events out, the kill switch."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from reactor_core.errors import JournalClosed, ReactorError
from reactor_core.events.bus import Bus
from reactor_core.events.event import Event, new_event
from reactor_core.events.journal import JOURNAL_NAME, Journal
from reactor_core.events.latch import Latch, LatchState
from reactor_core.events.loop_thread import LoopThread
from reactor_core.events.query import event_filter
from reactor_core.events.vocabulary import EventSource, EventType, as_source
from reactor_core.utils.settings import Settings

if TYPE_CHECKING:
    from reactor_core.events.transports import RelayGroup

__all__ = ["OnHalt", "Spine"]

_log = logging.getLogger(__name__)

STORED_SECONDS = 0.25
"""How long the disk's copy of a halt waits for the event that caused it."""

OnHalt = Callable[[LatchState], object]

C = TypeVar("C", bound=OnHalt)


class Spine:
    """The part of a bridge that publishing and listening both need.

    Args:
        source: Who publishes.
        workspace: Folder of the journal.
        settings: What the environment says.
    """

    def __init__(self, source: EventSource | str, workspace: Path, settings: Settings) -> None:
        self.settings = settings
        self.source = as_source(source)
        self.workspace = workspace
        self.journal = Journal.shared(workspace / JOURNAL_NAME, settings=settings)
        self.latch = Latch(workspace, journal=self.journal, source=self.source)
        self._lock = threading.Lock()
        self._pid = os.getpid()
        self._closing = False
        self._closed = False
        self._thread: LoopThread | None = None
        self._bus: Bus | None = None
        self._relays: RelayGroup | None = None
        self._keepers: tuple[_Keeper, ...] = ()
        self._unheard = 0  # events published without an acknowledgement whose commit nobody has seen yet
        self._unheard_lock = threading.Lock()

    @property
    def bus(self) -> Bus:
        """Hands out the events; its thread starts with the first use."""
        return self._started()[0]

    def on_halt(self, callback: C) -> C:
        """Call ``callback(state)`` whenever the kill switch is tripped, by any process of the workspace or elsewhere.

        It is called at once if the switch is tripped now, and before any handler hears of the event. It runs on the
        thread that learns of it, in this process or on one that does nothing else, so it must be quick and must not
        wait for a loop. Can be used as a decorator.
        """
        last = 0
        order = threading.Lock()

        def told(state: LatchState) -> None:
            nonlocal last
            with order:
                new = state.tripped and state.tripped_epoch > last
                last = max(last, state.tripped_epoch)
            if new:
                callback(state)

        self.latch.listen(told)
        told(self.latch.state())
        return callback

    def _started(self) -> tuple[Bus, LoopThread]:
        with self._lock:
            if self._closing:
                raise JournalClosed("the bridge is closed")
            if self._bus is None or self._thread is None:
                self._thread = LoopThread(f"reactor-bridge {self.source}")
                self._thread.start()
                self._bus = Bus(self.journal, self._thread, target=str(self.source), first=self._halt)
            return self._bus, self._thread

    def _halt(self, event: Event) -> None:
        """Trip the latch if the event is a kill switch; the disk follows on a thread of its own."""
        if event.event_type is not EventType.KILL_SWITCH_TRIGGERED:
            return
        if not self.settings.kill_switch_enabled:
            _log.warning("the kill switch is disabled (KILL_SWITCH_ENABLED=false): %s trips nothing", event.event_id)
            return
        reason = str(event.data.get("action") or event.data.get("reason") or "kill switch")
        if self.latch.trip_here(reason=reason, event_id=event.event_id, by=str(event.source)):
            keeper = _Keeper(self.latch)
            with self._lock:
                self._keepers = (*(other for other in self._keepers if other.is_alive()), keeper)
                keeper.start()

    def _settle_halts(self) -> None:
        """Wait until the halts of this process are on disk; their events are."""
        for keeper in self._keepers:
            keeper.settle()

    def _look_back(self) -> None:
        """A kill switch that was journalled and never cleared holds, even if the power failed before the latch knew.

        And where an operator has disabled the switch, say so in the journal.
        """
        if not self.settings.kill_switch_enabled:
            _log.warning("the kill switch is disabled: KILL_SWITCH_ENABLED is false")
            told, payload = new_event(
                self.source, EventType.CONFIG_CHANGED, {"setting": "kill_switch_enabled", "value": False}
            )
            self.journal.append(told, payload=payload).result()
            return
        kills, clearings = (
            self.journal.read(event_filter(name), limit=1, newest=True)
            for name in (EventType.KILL_SWITCH_TRIGGERED, EventType.KILL_SWITCH_CLEARED)
        )
        if kills and not (clearings and (clearings[0].seq or 0) > (kills[0].seq or 0)):
            self._halt(kills[0])


class _Keeper(threading.Thread):
    """Writes down a halt: for the other processes at once, and for the disk when the event itself is stored there.

    Two files that are synced at once delay each other, and other processes hear the event after its commit.
    """

    def __init__(self, latch: Latch) -> None:
        super().__init__(name="reactor-latch-keeper")
        self._latch = latch
        self._stored = threading.Event()

    def settle(self) -> None:
        """The event is stored, or will not be: wait until the halt is on disk."""
        self._stored.set()
        self.join()

    def run(self) -> None:
        try:
            self._latch.keep()
            self._stored.wait(STORED_SECONDS)
            self._latch.sync()
        except ReactorError as error:
            _log.error("this process is halted, but the halt could not be written for the others: %s", error)
