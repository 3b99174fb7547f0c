"""What all relays have in common: cursors per lane, what waits, what came in, and how it stands.

A relay sends what this workspace published, or got through another relay, and stores what the other side says. It
never blocks a publisher: while the other side is away the events wait in the journal, and go out in order when it is
back. A cursor moves only when the other side has confirmed, so an event can arrive twice after a broken connection,
with the same id, and is never left out.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
from filelock import FileLock, Timeout

from reactor_core.errors import ConfigError, ReactorError
from reactor_core.events.bus import Bus
from reactor_core.events.event import Event
from reactor_core.events.journal import Journal
from reactor_core.events.query import event_filter
from reactor_core.events.transports.backoff import full_jitter
from reactor_core.events.vocabulary import Priority
from reactor_core.events.writer import Appended

__all__ = ["Batch", "Relay", "RelayStatus"]

_log = logging.getLogger(__name__)

STANDBY_SECONDS = 1.0
"""How often a second process of the workspace asks whether the first one has let go of the connection."""

# Most events of each lane in one batch. While lane 1 has any, the others wait.
_SHARE = {Priority.CRITICAL: 64, Priority.HIGH: 32, Priority.NORMAL: 16, Priority.LOW: 8}
_MAX_UNSTORED = 256


@dataclass(frozen=True, slots=True)
class RelayStatus:
    """How a relay stands.

    Args:
        name: Kind and address, without credentials.
        state: ``starting``, ``connected``, ``down`` (trying again), ``standby`` (another process of this workspace
            holds the connection) or ``stopped``.
        detail: Why, in words.
        sent: Events that the other side confirmed since the start.
        received: New events that came in since the start.
        rejected: Messages that were no events, or whose id was taken.
    """

    name: str
    state: str = "starting"
    detail: str = ""
    sent: int = 0
    received: int = 0
    rejected: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """Events that wait for the other side, most urgent lane first, and the cursors once it has confirmed them."""

    events: list[Event]
    cursors: dict[int, int]


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
        self._done = asyncio.Event()
        self._unstored: deque[Future[Appended]] = deque()
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
        away: tuple[type[Exception], ...] = (ReactorError, *self.failures)
        try:
            await self._own()
            self.owned.set()
            delays = self._backoff()
            while True:
                try:
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
            self._note("stopped", "")
            self._lock.release()

    async def flush(self) -> None:
        """Wait until all that is committed now is confirmed, or the connection is not up."""
        if self.status.state == "connected":
            self._done.clear()
            self.bell.set()
            await self._done.wait()

    def connected(self) -> None:
        """The connection stands."""
        self.cursors = self._load()  # another process of this workspace may have moved them
        self.status = replace(self.status, state="connected", detail="")

    async def outgoing(self) -> Batch:
        """The next events that wait; waits until there are any."""
        while True:
            self.bell.clear()
            batch = self.pending()
            if batch.events:
                return batch
            self.cursors = batch.cursors
            self._done.set()
            await self.bell.wait()

    def pending(self) -> Batch:
        """What waits now. Lane 1 goes alone, so that it is confirmed first."""
        head = self._journal.head().seq
        events: list[Event] = []
        cursors = dict(self.cursors)
        for lane, share in _SHARE.items():
            wanted = event_filter(
                after_seq=cursors[lane], before_seq=head + 1, not_from=self.not_from, priority=int(lane)
            )
            waiting = self._journal.read(wanted, limit=share)
            last = waiting[-1].seq if len(waiting) == share else head
            assert last is not None, "what was read is committed"
            cursors[lane] = max(last, cursors[lane])
            events += waiting
            if lane is Priority.CRITICAL and events:
                break
        return Batch(events, cursors)

    async def confirm(self, batch: Batch) -> None:
        """The other side has the batch: keep that on disk."""
        self.cursors = batch.cursors
        await asyncio.wrap_future(self._journal.set_cursor(self.name, _spell(self.cursors)))
        self.status = replace(self.status, sent=self.status.sent + len(batch.events))

    async def accept(self, message: bytes | str) -> None:
        """Store what the other side said. What is no event is counted and logged, and harms nobody.

        Raises:
            JournalError: Earlier messages could not be stored.
        """
        try:
            event = Event.from_json(message)
        except ConfigError as error:
            self._reject(str(error))
            return
        if event.priority == Priority.CRITICAL and not self._journal.has(event.event_id):
            self._bus.hand_out_early(event)
        try:
            self._unstored.append(self._journal.append(event, origin=self.name))
        except ConfigError as error:
            self._bus.forget_early(event)
            self._reject(str(error))
        while self._unstored and (self._unstored[0].done() or len(self._unstored) > _MAX_UNSTORED):
            await self._settle(self._unstored.popleft())

    async def settle(self) -> None:
        """Wait until all that came in is stored.

        Raises:
            JournalError: Some of it could not be stored.
        """
        while self._unstored:
            await self._settle(self._unstored.popleft())

    async def _settle(self, future: Future[Appended]) -> None:
        try:
            appended = await asyncio.wrap_future(future)
        except ConfigError as error:  # the id belongs to another event
            self._reject(str(error))
        else:
            if not appended.duplicate:
                self.status = replace(self.status, received=self.status.received + 1)

    async def _own(self) -> None:
        """Become the one process of the workspace that holds this connection."""
        while True:
            try:
                self._lock.acquire(blocking=False)
                return
            except Timeout:
                self._note("standby", "another process of this workspace holds the connection")
                await asyncio.sleep(STANDBY_SECONDS)

    def _load(self) -> dict[int, int]:
        """The cursors as kept on disk. A relay that is new to the workspace begins with what is published from now."""
        kept = self._journal.cursor(self.name)
        if kept is None:
            head = self._journal.head().seq
            kept = _spell(dict.fromkeys((1, 2, 3, 4), head))
            self._journal.set_cursor(self.name, kept).result()
        return {int(lane): seq for lane, seq in msgspec.json.decode(kept).items()}

    def _note(self, state: str, detail: str) -> None:
        if (state, detail) != (self.status.state, self.status.detail):
            _log.log(logging.WARNING if state == "down" else logging.INFO, "%s is %s: %s", self.name, state, detail)
        self.status = replace(self.status, state=state, detail=detail)
        self._done.set()

    def _reject(self, reason: str) -> None:
        self.status = replace(self.status, rejected=self.status.rejected + 1)
        _log.warning("%s sent what cannot be stored: %s", self.name, reason)


def _spell(cursors: dict[int, int]) -> str:
    return msgspec.json.encode({str(lane): seq for lane, seq in cursors.items()}).decode()
