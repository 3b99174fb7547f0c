"""One end of a connection in our dialect, after the two sides have introduced themselves. Both ends run the same code.

What goes out is read from the bus as any other reader would, so a backlog waits in its lanes, in the journal, and at
most one credit window of it is on its way. Lane 1 and the state of the kill switch need no credit: they go out before
everything that waits here, and find at most that window before them in the socket.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from reactor_core.errors import ConfigError, StorageError
from reactor_core.events.bus import Bus
from reactor_core.events.event import Event
from reactor_core.events.hub.connection import Connection
from reactor_core.events.hub.intake import NO_POINTS, Intake, Points
from reactor_core.events.hub.wire import (
    WINDOW,
    Ack,
    Codec,
    Events,
    Fault,
    FrameError,
    Gap,
    LatchFrame,
    Packed,
    pack,
    size_of,
    unpack,
)
from reactor_core.events.journal import Journal
from reactor_core.events.latch import Latch, LatchState
from reactor_core.events.loop_thread import end_tasks
from reactor_core.events.query import EventFilter
from reactor_core.events.reader import JournalReader
from reactor_core.events.vocabulary import Priority
from reactor_core.utils import failpoints

__all__ = ["Link", "Progress", "spell_latch"]

_log = logging.getLogger(__name__)

FRAME_BYTES = 16 * 1024
"""A frame of events is closed when it has this many bytes, so that something urgent can pass between two."""
FRAME_EVENTS = 64
_MAX_CREDIT = 16 << 20
_CREDIT_STEP = WINDOW // 4
_AT_STEP = 256
_MAX_COUNTED = 8192
_MAX_REASON = 500
_OPEN = "event_id = ? AND event_id IN (SELECT event_id FROM early)"


@dataclass(slots=True)
class Progress:
    """What a link tells its owner; each function is called on the link's loop, and must be quick.

    Args:
        delivered: Positions in our journal up to which the other side has everything that is for it, by lane; how many
            events it has confirmed since the last call; and how long one of them took in seconds, if that was measured.
        stored: Positions in the other side's journal up to which we have committed everything, by lane.
        gap: The other side has lost history.
        confirmed: An event of lane 1 that was here already is now committed by its source.
        refused: The other side refused an event.
    """

    delivered: Callable[[dict[int, int], int, float | None], None]
    stored: Callable[[dict[int, int]], None]
    gap: Callable[[Gap], Awaitable[None]]
    confirmed: Callable[[Event], None]
    refused: Callable[[Fault], None]


class Link:
    """Exchanges events, acknowledgements and credit until the connection ends.

    Args:
        reader: A connection to the journal that nobody else asks long questions.
        origin: Name under which what comes in is stored; such events do not go back.
        credit: Bytes of events that the other side lets us send at first.
        after: Positions in our journal behind which the other side wants events, by lane.
        types: Values of the types that it wants; None for all.
        open_ids: Events of lane 1 that the other side holds and does not know to be committed by their source.
        acknowledges: Tell the other side at once what is stored here. A client need not: it keeps its own cursor in
            the hub's journal, and frames that only say so would cost the hub as much as events.
    """

    def __init__(
        self,
        connection: Connection,
        codec: Codec,
        progress: Progress,
        *,
        journal: Journal,
        reader: JournalReader,
        bus: Bus,
        latch: Latch,
        origin: str,
        credit: int,
        after: Mapping[int, int],
        types: frozenset[str] | None = None,
        open_ids: Iterable[str] = (),
        acknowledges: bool = True,
        points: Points = NO_POINTS,
    ) -> None:
        self._connection = connection
        self._codec = codec
        self._progress = progress
        self._reader = reader
        self._bus = bus
        self._latch = latch
        self._open = frozenset(open_ids)
        self._acknowledges = acknowledges
        self._points = points
        self._point = ""
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._ready = asyncio.Event()
        self._woken = False
        self._credit = min(max(credit, 0), _MAX_CREDIT)
        self._after = dict(after)
        self._sent = dict(after)
        self._delivered = dict(after)
        self._unconfirmed: dict[int, deque[int]] = {lane: deque(maxlen=_MAX_COUNTED) for lane in after}
        self._at_sent = dict(after)
        self._at_received: dict[int, int] = {}
        self._urgent: deque[Event] = deque()
        self._again: deque[Event] = deque(maxlen=_MAX_COUNTED)
        self._latch_news = False
        self._timed: tuple[int, int, float] | None = None
        self._unacknowledged: dict[int, int] = {}
        self.intake = Intake(journal, reader, bus, origin, self._ready.set, progress.confirmed, points)
        self._subscription = bus.attach(
            types,
            wake=self._wake,
            after=after,
            not_from=origin,
            early_again=True,
            everyone=True,
        )

    async def run(self) -> None:
        """Exchange until the connection ends.

        Raises:
            Disconnected: It ended.
            FrameError: The other side broke the protocol.
            JournalError: What came in could not be stored.
        """
        self._latch.listen(self._latch_changed)
        self._latch_news = self._latch.state().tripped  # it may have happened since the two sides greeted each other
        tasks = [asyncio.ensure_future(self._send()), asyncio.ensure_future(self._receive())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._latch.unlisten(self._latch_changed)
            self.close()
            await end_tasks(tasks)
            await self.intake.settle()
            self._note_stored()
        for task in done:
            task.result()

    def close(self) -> None:
        """Read nothing more from the bus; :meth:`run` does it by itself."""
        self._bus.detach(self._subscription)

    def nudge(self) -> None:
        """Look whether there is something to say."""
        self._ready.set()

    def send_again(self, event: Event) -> None:
        """Tell the other side that the source of an event of lane 1 has committed it."""
        if event.origin != self.intake.origin:
            self._again.append(event)
            self._ready.set()

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

    def _latch_changed(self, _: LatchState) -> None:
        self._latch_news = True
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._ready.set)

    async def _send(self) -> None:
        while True:
            self._ready.clear()
            while (message := self._next()) is not None:
                await self._connection.send(message)
                failpoints.reach(self._point)
            if self.intake.failure is not None:
                await self._connection.send(self._codec.encode(Fault("storage", str(self.intake.failure))))
                raise self.intake.failure
            self._note_delivered()
            await self._ready.wait()

    def _next(self) -> bytes | str | None:
        """The most urgent thing that can be said now."""
        self._point = self._points.sent
        if self._latch_news:
            self._latch_news = False
            return self._codec.encode(LatchFrame(spell_latch(self._latch.state())))
        while self._again:
            event = self._again.popleft()
            if self._was_sent(event):
                return self._codec.events([pack(event)], early=False)
        if (urgent := self._next_urgent()) is not None:
            return urgent
        self._unacknowledged |= self._note_stored()
        credit, at = self.intake.credit(_CREDIT_STEP), self._passed_over()
        if credit or at or (self._unacknowledged and self._acknowledges):
            ack, self._unacknowledged = Ack(self._unacknowledged, credit, at), {}
            self._point = self._points.acknowledged
            return self._codec.encode(ack)
        if self.intake.faults:
            return self._codec.encode(self.intake.faults.popleft())
        return self._next_others() if self._credit > 0 else None

    def _was_sent(self, event: Event) -> bool:
        """Whether the other side has the event: what it has not comes in its turn, or was before its time."""
        lane = event.priority
        here = event.seq is not None and self._after[lane] < event.seq <= self._sent[lane]
        return here or event.event_id in self._open

    def _next_urgent(self) -> bytes | str | None:
        """A frame of lane 1: of those that their source may not have committed, or of those that it has."""
        packed: list[Packed[bytes]] = []
        early = False
        while len(packed) < FRAME_EVENTS and (event := self._pop_urgent()) is not None:
            unsure = event.seq is None or self._is_unconfirmed(event)
            if packed and unsure != early:
                self._urgent.appendleft(event)
                break
            early = unsure
            self._note_sent(event)
            packed.append(pack(event))
        return self._codec.events(packed, early=early) if packed else None

    def _pop_urgent(self) -> Event | None:
        if self._urgent:
            return self._urgent.popleft()
        return self._subscription.pop(urgent=True)

    def _next_others(self) -> bytes | str | None:
        """A frame of lanes 2 to 4, as far as the credit goes."""
        packed: list[Packed[bytes]] = []
        size = 0
        while size < FRAME_BYTES and len(packed) < FRAME_EVENTS and size < self._credit:
            event = self._subscription.pop()
            if event is None:
                break
            if event.priority == Priority.CRITICAL:  # it came between two looks
                self._urgent.append(event)
                break
            self._note_sent(event)
            packed.append(pack(event))
            size += size_of(packed[-1])
        self._credit -= size
        if packed:
            return self._codec.events(packed, early=False)
        return self._next() if self._urgent else None

    def _is_unconfirmed(self, event: Event) -> bool:
        """Whether its source may have died before it committed the event."""
        return bool(event.origin) and bool(self._reader.read(EventFilter(_OPEN, (event.event_id,))))

    def _passed_over(self) -> dict[int, int]:
        """Positions that the other side's cursor may move to, as nothing before them is for it; empty for no news."""
        reached = self._subscription.positions()
        if all(seq - max(self._at_sent[lane], self._sent[lane]) < _AT_STEP for lane, seq in reached.items()):
            return {}
        self._at_sent = reached
        return reached

    def _note_sent(self, event: Event) -> None:
        if event.seq is not None:
            self._sent[event.priority] = max(self._sent[event.priority], event.seq)
            self._unconfirmed[event.priority].append(event.seq)
            if self._timed is None:
                self._timed = event.priority, event.seq, time.monotonic()

    def _note_delivered(self, count: int = 0, seconds: float | None = None) -> None:
        """Tell the owner how far the other side has come."""
        reached = self._subscription.positions()
        self._progress.delivered(
            {
                lane: max(seq, reached[lane]) if seq >= self._sent[lane] else seq
                for lane, seq in self._delivered.items()
            },
            count,
            seconds,
        )

    def _note_stored(self) -> dict[int, int]:
        """Tell the owner how far we have come in the other side's journal; returns what to acknowledge."""
        lanes = self.intake.acknowledged()
        fresh = lanes
        if self._at_received and self.intake.idle():
            fresh = {lane: max(seq, lanes.get(lane, 0)) for lane, seq in self._at_received.items()}
            self._at_received = {}
        if fresh:
            self._progress.stored(fresh)
        return lanes

    async def _receive(self) -> None:
        while True:
            match self._codec.decode(await self._connection.receive()):
                case Events() as events:
                    self._take(events)
                    await self.intake.room()
                case Ack() as ack:
                    self._acknowledged(ack)
                case LatchFrame(state):
                    await self._join(state)
                case Gap() as gap:
                    await self._progress.gap(gap)
                case Fault() as fault:
                    self._progress.refused(fault)
                case _:  # a type of frame that is newer than we are
                    pass

    def _take(self, frame: Events[Any]) -> None:
        events: list[Event] = []
        positions: dict[int, int] = {}
        size = 0
        for packed in frame.events:
            if packed.lane != Priority.CRITICAL:
                size += size_of(packed)
            if packed.seq is not None and packed.lane in self._after:
                positions[packed.lane] = max(positions.get(packed.lane, 0), packed.seq)
            try:
                events.append(unpack(packed, self.intake.origin))
            except ConfigError as error:
                self.intake.refuse(str(error), packed.event_id)
        self.intake.take(events, positions=positions, size=size, early=frame.early)

    def _acknowledged(self, ack: Ack) -> None:
        self._credit = min(self._credit + max(ack.credit, 0), _MAX_CREDIT)
        count = 0
        for lane, seq in ack.lanes.items():
            if lane not in self._delivered:
                continue
            reached = min(seq, self._sent[lane])  # nobody can confirm what he was not sent
            self._delivered[lane] = max(self._delivered[lane], reached)
            waiting = self._unconfirmed[lane]
            while waiting and waiting[0] <= reached:
                waiting.popleft()
                count += 1
        self._at_received |= {lane: seq for lane, seq in ack.at.items() if lane in self._delivered}
        seconds = None
        if self._timed is not None and self._delivered[self._timed[0]] >= self._timed[1]:
            seconds, self._timed = time.monotonic() - self._timed[2], None
        self._note_delivered(count, seconds)
        self._ready.set()

    async def _join(self, state: dict[str, Any]) -> None:
        try:
            await asyncio.to_thread(self._latch.join, state)
        except ConfigError as error:
            raise FrameError(str(error)) from error
        except StorageError:
            _log.exception("the kill switch of %s is tripped, and could not be written here", self._connection.peer)


def spell_latch(state: LatchState) -> dict[str, Any]:
    """The state of a kill switch as it travels: however long somebody's reason is, the frame stays short."""
    return {**msgspec.to_builtins(state), "reason": state.reason[:_MAX_REASON], "by": state.by[:_MAX_REASON]}
