"""What all relays have in common: cursors per lane, what waits, what came in, and how it stands.

A relay sends what this workspace published, or got through another relay, and stores what the other side says. It
never blocks a publisher: while the other side is away the events wait in the journal, and go out in order when it is
back. A cursor moves only when the other side has confirmed, so an event can arrive twice after a broken connection,
with the same id, and is never left out. Cursors are written a moment after they move: a process that dies in between
sends a few events again.

An event of lane 1 can go out twice on purpose: at once, marked as not committed yet, and again after its commit, by
which the receivers learn that its publisher stored it too. The first copy moves no cursor.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
from filelock import FileLock, Timeout

from reactor_core.errors import JournalClosed, ReactorError
from reactor_core.events.bus import Bus
from reactor_core.events.event import Event, new_event
from reactor_core.events.journal import Journal
from reactor_core.events.metrics import SECONDS_BUCKETS, Histogram, Sample
from reactor_core.events.transports.backoff import full_jitter
from reactor_core.events.transports.batch import LANES, Batch, next_batch
from reactor_core.events.transports.figures import RelayStatus, relay_samples
from reactor_core.events.transports.intake import Intake, Message
from reactor_core.events.vocabulary import EventType
from reactor_core.utils.failpoints import reach

__all__ = ["Relay"]

_log = logging.getLogger(__name__)

STANDBY_SECONDS = 1.0
"""How often a second process of the workspace asks whether the first one has let go of the connection."""

_MAX_EARLY = 1024
_KEEP_SECONDS = 0.05  # how long a cursor that moved may wait for its write; each write is an fsync
_KEEP_IDLE_SECONDS = 1.0  # the same where it moved over events that were not for the other side
_LOOK_SECONDS = 0.02  # how often a cursor is read that another process moves


class Relay(ABC):
    """One connection to elsewhere. Runs on the bridge's loop.

    Args:
        name: Kind and address, without credentials; cursors and origins are kept under it.
        source: Who this bridge is.
        workspace: Folder of the journal; a lock file there lets one process at a time hold the connection.
        backoff: Makes the delays between attempts.
    """

    failures: tuple[type[Exception], ...] = (OSError,)
    """What :meth:`session` raises when the other side is away."""

    sends_early = False
    """Whether :meth:`outgoing` yields events of lane 1 before their commit."""

    def __init__(
        self,
        name: str,
        *,
        journal: Journal,
        bus: Bus,
        source: str,
        workspace: Path,
        backoff: Callable[[], Iterator[float]] = full_jitter,
    ) -> None:
        self.name = name
        self.source = source
        self.status = RelayStatus(name)
        self.bell = asyncio.Event()
        self.owned = asyncio.Event()
        self.not_from: tuple[str, ...] = (name,)
        self._journal = journal
        self._bus = bus
        self._backoff = backoff
        self._moved = asyncio.Event()
        self._early: deque[Event] = deque(maxlen=_MAX_EARLY)
        self._intake = Intake(name, journal=journal, bus=bus, count=self._count_intake)
        self._keeping: asyncio.TimerHandle | None = None
        self._ack_seconds = Histogram(SECONDS_BUCKETS)
        digest = hashlib.sha256(name.encode()).hexdigest()[:16]
        (workspace / "relays").mkdir(exist_ok=True)
        self._lock = FileLock(workspace / "relays" / f"{digest}.lock")
        self.cursors = self._load()

    @abstractmethod
    async def session(self) -> None:
        """One connection: call :meth:`connected` when it stands, return or raise when it has ended."""

    async def run(self) -> None:
        """Hold a connection until cancelled."""
        self._bus.add_bell(self.bell)
        if self.sends_early:
            self._bus.add_early_tap(self._tap)
        away: tuple[type[Exception], ...] = (ReactorError, *self.failures)
        try:
            await self._own()
            self.cursors = self._load()  # another process of this workspace may have moved them
            self.owned.set()
            delays = self._backoff()
            while True:
                try:
                    await self.skip_pruned()
                    await self.session()
                    reason = "the other side closed the connection"
                except away as error:
                    reason = f"{type(error).__name__}: {error}"
                task = asyncio.current_task()
                if task is not None and task.cancelling():
                    raise asyncio.CancelledError  # the client library took it for a broken connection
                if self.status.state == "connected":
                    delays = self._backoff()
                self._note("down", reason)
                await asyncio.sleep(next(delays))
        finally:
            self._bus.remove_bell(self.bell)
            if self.sends_early:
                self._bus.remove_early_tap(self._tap)
            self._keep_last()
            self._note("stopped", "")
            self._lock.release()

    async def flush(self) -> None:
        """Wait until all that is committed now is confirmed, or the connection is not up."""
        head = self._journal.head().seq
        self.bell.set()
        while self.status.state == "connected" and min(self.cursors.values()) < head:
            await self._moved.wait()

    async def confirmed(self, lane: int, seq: int) -> None:
        """Wait until the other side has the event at a position, whichever process of the workspace sends it.

        Raises:
            JournalClosed: The relay was stopped before.
        """
        while self.status.state != "stopped":
            if self.owned.is_set():
                if self.cursors[lane] >= seq:
                    return
                await self._moved.wait()
            else:
                if self._load()[lane] >= seq:
                    return
                await asyncio.sleep(_LOOK_SECONDS)
        raise JournalClosed(f"{self.name} was stopped before the other side confirmed the event at {seq}")

    def connected(self) -> None:
        """The connection stands."""
        self.status = replace(self.status, state="connected", detail="")

    async def outgoing(self, lanes: Iterable[int] = LANES) -> Batch:
        """The next events of some lanes that wait; waits until there are any."""
        wanted = tuple(lanes)
        while True:
            self.bell.clear()
            batch = self.pending(wanted)
            if not batch.events and 1 in wanted and self._early:
                # Behind all of the lane that is committed, so that the order of the lane holds.
                early = tuple(self._early)
                self._early.clear()
                self._early.extend(event for event in early if not self._journal.has(event.event_id))
                if len(self._early) < len(early):
                    continue  # some are committed by now: those first
                self._early.clear()
                return Batch(list(early), {}, early=True)
            if batch.events:
                return batch
            self.confirmed_to(batch.cursors)
            await self.bell.wait()

    def pending(self, lanes: Iterable[int] = LANES) -> Batch:
        """What waits now in some lanes. Lane 1 goes alone, so that it is confirmed first."""
        return next_batch(self._journal, {lane: self.cursors[lane] for lane in lanes}, not_from=self.not_from)

    async def confirm(self, batch: Batch) -> None:
        """The other side has the batch."""
        self.observe_ack(time.monotonic() - batch.made)
        if not batch.early:
            self.confirmed_to(batch.cursors, len(batch.events))

    def confirmed_to(self, cursors: Mapping[int, int], count: int = 0) -> None:
        """The other side has everything up to these positions, or it was not for it.

        Args:
            count: Number of events that it has more than before.
        """
        reach("relay.confirmed")
        ahead = {lane: seq for lane, seq in cursors.items() if seq > self.cursors[lane]}
        if ahead:
            self.cursors = self.cursors | ahead
            self._keep_soon(_KEEP_SECONDS if count else _KEEP_IDLE_SECONDS)
        if count:
            self.count(sent=count)
        if ahead:
            self._wake_waiters()

    def rewind(self, cursors: Mapping[int, int]) -> None:
        """The other side has lost what is behind these positions: it goes out again."""
        self.cursors = {lane: min(seq, cursors.get(lane, seq)) for lane, seq in self.cursors.items()}

    def keep_soon(self) -> None:
        """Something of :meth:`state_rows` has changed that may be written within a second."""
        self._keep_soon(_KEEP_IDLE_SECONDS)

    async def keep_now(self) -> None:
        """Write :meth:`state_rows` and wait until they are on disk."""
        if (kept := self._keep()) is not None:
            await asyncio.wrap_future(kept)

    def observe_ack(self, seconds: float) -> None:
        """Note how long the other side took to confirm."""
        self._ack_seconds.observe(seconds)

    def count(self, *, sent: int = 0, received: int = 0, duplicates: int = 0, rejected: int = 0) -> None:
        """Add to the figures of :attr:`status`."""
        now = self.status
        self.status = replace(
            now,
            sent=now.sent + sent,
            received=now.received + received,
            duplicates=now.duplicates + duplicates,
            rejected=now.rejected + rejected,
        )

    async def accept(self, message: bytes | str, *, uncommitted: bool = False) -> None:
        """Store what the other side said. What is no event is counted and logged, and harms nobody.

        Args:
            uncommitted: Its publisher has not committed it yet; it comes again when it has.

        Raises:
            JournalError: Earlier messages could not be stored.
        """
        await self._intake.accept(((message, uncommitted),))

    async def accept_many(self, messages: Iterable[Message]) -> None:
        """:meth:`accept` for many at once, which costs much less."""
        await self._intake.accept(messages)

    async def settle(self) -> None:
        """Wait until all that came in is stored.

        Raises:
            JournalError: Some of it could not be stored.
        """
        await self._intake.settle()
        reach("relay.stored")

    async def gap(self, reason: str, **data: Any) -> None:
        """Publish that history was lost on this transport.

        Args:
            reason: What happened.
            data: What is known about the loss: ``lane``, ``lost_from``, ``lost_to``.
        """
        event, payload = new_event(self.source, EventType.GAP, {"transport": self.name, "reason": reason, **data})
        await self._journal.append_async(event, payload=payload)
        self.status = replace(self.status, gaps=self.status.gaps + 1)
        _log.warning("%s: %s %s", self.name, reason, data)

    def metrics(self) -> list[Sample]:
        """Figures about this relay; any thread."""
        cursors = self.cursors if self.owned.is_set() else self._load()
        lag = {lane: self._journal.waiting(lane, seq) for lane, seq in cursors.items()}
        return relay_samples(self.status, lag=lag, ack_seconds=self._ack_seconds)

    def state_rows(self) -> dict[str, str]:
        """What is written together with the cursors, by name; subclasses add their own."""
        return {self.name: _spell(self.cursors)}

    async def _own(self) -> None:
        """Become the one process of the workspace that holds this connection."""
        while True:
            try:
                self._lock.acquire(blocking=False)
                return
            except Timeout:
                self._note("standby", "another process of this workspace holds the connection")
                await asyncio.sleep(STANDBY_SECONDS)

    async def skip_pruned(self) -> None:
        """Say so if rows that were never sent are no longer in the journal."""
        first = self._journal.first_seq()
        for lane, seq in self.cursors.items():
            if seq < first - 1:
                reason = "the journal was compacted before the other side had these events"
                await self.gap(reason, lane=lane, lost_from=seq + 1, lost_to=first - 1)
        self.confirmed_to(dict.fromkeys(LANES, first - 1))

    def _tap(self, event: Event) -> None:
        """An event of lane 1 is about to be committed (loop thread)."""
        if event.origin not in self.not_from:
            self._early.append(event)
            self.bell.set()

    def _keep_soon(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time() + seconds
        if self._keeping is None or self._keeping.when() > due:
            if self._keeping is not None:
                self._keeping.cancel()
            self._keeping = loop.call_at(due, self._keep)

    def _keep(self) -> Future[None] | None:
        """Write the cursors. If that fails the journal has told its users; a repeat is recognised by its ids."""
        if self._keeping is not None:
            self._keeping.cancel()
            self._keeping = None
        try:
            return self._journal.set_cursors(self.state_rows())
        except ReactorError as error:
            _log.warning("%s: its cursors could not be written: %s", self.name, error)
            return None

    def _keep_last(self) -> None:
        """Write what moved since the last write, before the lock is given back."""
        kept = None if self._keeping is None else self._keep()
        if kept is not None and (error := kept.exception()) is not None:
            _log.warning("%s: its cursors could not be written: %s", self.name, error)

    def _load(self) -> dict[int, int]:
        """The cursors as kept on disk. A relay that is new to the workspace begins with what is published from now."""
        kept = self._journal.cursor(self.name)
        if kept is None:
            head = self._journal.head().seq
            kept = _spell(dict.fromkeys(LANES, head))
            self._journal.set_cursor(self.name, kept).result()
        return {int(lane): seq for lane, seq in msgspec.json.decode(kept).items()}

    def _note(self, state: str, detail: str) -> None:
        if (state, detail) != (self.status.state, self.status.detail):
            _log.log(logging.WARNING if state == "down" else logging.INFO, "%s is %s: %s", self.name, state, detail)
        self.status = replace(self.status, state=state, detail=detail)
        self._wake_waiters()

    def _count_intake(self, received: int, duplicates: int, rejected: int) -> None:
        self.count(received=received, duplicates=duplicates, rejected=rejected)

    def _wake_waiters(self) -> None:
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()


def _spell(cursors: dict[int, int]) -> str:
    return msgspec.json.encode({str(lane): seq for lane, seq in cursors.items()}).decode()
