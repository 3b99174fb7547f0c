"""What a peer sends on its way into the journal: handed out early where it is urgent, counted, and acknowledged."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from reactor_core.errors import JournalError, ReactorError, StorageError
from reactor_core.events.bus import Bus
from reactor_core.events.drafts import Draft
from reactor_core.events.event import Event
from reactor_core.events.hub.wire import Fault
from reactor_core.events.journal import Journal
from reactor_core.events.reader import JournalReader
from reactor_core.events.vocabulary import Priority
from reactor_core.events.writer import Appended
from reactor_core.utils import failpoints

__all__ = ["NO_POINTS", "Counts", "Intake", "Points"]

MAX_UNSTORED = 1 << 20
"""Bytes that may wait for the disk before the peer gets no more credit."""
_MAX_FAULTS = 64


class Points(NamedTuple):
    """Names of the crash points of a link.

    They are passed when events came in, when they are stored, when that was acknowledged, and when events were sent.
    """

    received: str = ""
    stored: str = ""
    acknowledged: str = ""
    sent: str = ""


NO_POINTS = Points()


class Counts(msgspec.Struct):
    """What became of the events of one peer.

    Args:
        received: Stored, and new.
        duplicates: Stored before.
        rejected: No events, or with an id that another event has.
    """

    received: int = 0
    duplicates: int = 0
    rejected: int = 0


@dataclass(slots=True)
class _Waiting:
    answer: asyncio.Future[Sequence[Appended | ReactorError]]
    events: Sequence[Event]
    positions: Mapping[int, int]
    size: int
    early: bool


@dataclass(slots=True)
class Intake:
    """Stores what one peer sends, in its order within each lane.

    Args:
        reader: A connection to the journal that nobody else asks long questions.
        origin: Name under which the events are stored; they are not sent back there.
        wake: Called when :meth:`acknowledged`, :attr:`owed`, :attr:`faults` or :attr:`failure` has news.
        on_confirmed: Told of an event of lane 1 that was here already and that its source has now committed.
    """

    journal: Journal
    reader: JournalReader
    bus: Bus
    origin: str
    wake: Callable[[], None]
    on_confirmed: Callable[[Event], None]
    points: Points = NO_POINTS
    counts: Counts = field(default_factory=Counts)
    failure: ReactorError | None = None
    """Why nothing more can be stored; the connection must end, and the peer tries again later."""
    faults: deque[Fault] = field(default_factory=lambda: deque(maxlen=_MAX_FAULTS))
    """What the peer should be told about events that were refused."""
    owed: int = 0
    """Bytes that were taken and whose credit was not given back."""
    _unstored: int = 0
    _acknowledged: dict[int, int] = field(default_factory=dict)
    # Lane 1 overtakes the others in the journal, so it is acknowledged by itself.
    _urgent: deque[_Waiting] = field(default_factory=deque)
    _others: deque[_Waiting] = field(default_factory=deque)
    _room: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, events: Sequence[Event], *, positions: Mapping[int, int], size: int, early: bool = False) -> None:
        """Begin to store events.

        Args:
            events: In order within each lane.
            positions: Positions in the sender's journal that are reached when these are stored, by lane.
            size: What they take of the credit window.
            early: Their source has not committed them, as far as the sender knows.
        """
        urgent = [event for event in events if event.priority == Priority.CRITICAL]
        others = [event for event in events if event.priority != Priority.CRITICAL]
        for event in urgent:
            if not self.reader.has(event.event_id):
                self.bus.hand_out_early(event)
        first = {lane: seq for lane, seq in positions.items() if lane == Priority.CRITICAL}
        rest = {lane: seq for lane, seq in positions.items() if lane != Priority.CRITICAL}
        if urgent or first:
            self._store(self._urgent, urgent, first, 0, early)
        if others or rest:
            self.owed += size
            self._unstored += size
            self._store(self._others, others, rest, size, early=False)

    def refuse(self, reason: str, event_id: str = "") -> None:
        """Count something that is no event."""
        self.counts.rejected += 1
        self.faults.append(Fault("refused", reason[:500], event_id[:200]))
        self.wake()

    def credit(self, at_least: int) -> int:
        """Bytes that the peer may send in addition; 0 while they are fewer than ``at_least`` or the disk is behind."""
        if self.owed < at_least or self._unstored > MAX_UNSTORED:
            return 0
        given, self.owed = self.owed, 0
        return given

    def acknowledged(self) -> dict[int, int]:
        """Positions in the sender's journal up to which everything is stored, since the last call."""
        news, self._acknowledged = self._acknowledged, {}
        return news

    def idle(self) -> bool:
        """Whether all that came in is stored."""
        return not self._urgent and not self._others

    async def room(self) -> None:
        """Wait while a peer that ignores its credit has too much on its way to the disk."""
        while self._unstored > 2 * MAX_UNSTORED and self.failure is None:
            self._room.clear()
            await self._room.wait()

    async def settle(self) -> None:
        """Wait until what came in is stored, or cannot be."""
        for waiting in (*self._urgent, *self._others):
            await asyncio.wait([waiting.answer])

    def _store(
        self, lane: deque[_Waiting], events: Sequence[Event], positions: Mapping[int, int], size: int, early: bool
    ) -> None:
        failpoints.reach(self.points.received)
        answer = asyncio.ensure_future(self._append(events, early))
        lane.append(_Waiting(answer, events, positions, size, early))
        answer.add_done_callback(lambda _: self._stored(lane))

    async def _append(self, events: Sequence[Event], early: bool) -> Sequence[Appended | ReactorError]:
        if not events:
            return ()
        drafts = [Draft(event, payload=event.payload(), origin=self.origin, uncommitted=early) for event in events]
        return await self.journal.append_many_async(drafts)

    def _stored(self, lane: deque[_Waiting]) -> None:
        """Account for what is stored now, in the order in which it came."""
        while lane and lane[0].answer.done():
            waiting = lane.popleft()
            self._unstored -= waiting.size
            if waiting.answer.cancelled():
                continue
            error = waiting.answer.exception()
            if isinstance(error, ReactorError):
                self.failure = self.failure or error
                for event in waiting.events:
                    self.bus.forget_early(event)
            elif error is not None:
                raise error
            else:
                for event, result in zip(waiting.events, waiting.answer.result(), strict=True):
                    self._account(event, result, waiting.early)
            failpoints.reach(self.points.stored)
            if self.failure is not None:
                continue  # what came later may be stored, but a gap before it must not be acknowledged
            for number, seq in waiting.positions.items():
                self._acknowledged[number] = max(seq, self._acknowledged.get(number, 0))
        self._room.set()
        self.wake()

    def _account(self, event: Event, result: Appended | ReactorError, early: bool) -> None:
        if isinstance(result, StorageError | JournalError):
            self.failure = self.failure or result
        elif isinstance(result, ReactorError):
            self.bus.forget_early(event)
            self.refuse(str(result), event.event_id)
        elif not result.duplicate:
            self.counts.received += 1
        else:
            self.counts.duplicates += 1
            if event.priority == Priority.CRITICAL and not early:
                self.on_confirmed(result.event)
