"""The meeting point: every peer's events go into one journal, and from there to all others."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from reactor_core.errors import JournalError, ReactorError, StorageError
from reactor_core.events.bus import Bus
from reactor_core.events.event import Event
from reactor_core.events.hub.connection import Connection, Disconnected
from reactor_core.events.hub.family import FamilySession
from reactor_core.events.hub.intake import Counts, Points
from reactor_core.events.hub.link import Link, Progress, spell_latch
from reactor_core.events.hub.wire import (
    PROTOCOL,
    Codec,
    Fault,
    FrameError,
    Gap,
    Hello,
    Identity,
    Welcome,
    read_first,
)
from reactor_core.events.journal import Journal
from reactor_core.events.latch import Latch
from reactor_core.events.metrics import Sample
from reactor_core.events.query import EventFilter
from reactor_core.events.reader import JournalReader
from reactor_core.events.vocabulary import EventSource, as_event_type

__all__ = ["Hub", "Peer"]

_log = logging.getLogger(__name__)

HANDSHAKE_SECONDS = 10.0
"""How long a peer may take to say who it is."""
MAX_PEERS = 1024
"""Most peers at a time; further ones are asked to come later."""

# Close codes of RFC 6455 and its registry.
_PROTOCOL_ERROR, _POLICY, _INTERNAL, _TRY_LATER, _GOING_AWAY = 1002, 1008, 1011, 1013, 1001

_POINTS = Points("hub.received", "hub.committed", "hub.acked")


@dataclass(frozen=True, slots=True)
class Peer:
    """One connected peer.

    Args:
        source: Who it says it is.
        address: Where it connects from.
        dialect: ``reactor`` or ``family``.
        counts: What became of the events that it sent.
    """

    source: str
    address: str
    dialect: str
    counts: Counts


class Hub:
    """Serves connections of either dialect, on any loop.

    What a peer sends is handed on as soon as it is urgent, else when it is committed, to every peer but its sender,
    and to the handlers of this process. A peer that is slow, silent or broken costs a bounded amount of memory and
    delays nobody else.

    Args:
        journal: Where everything is stored; its id is who the hub is.
        bus: Hands out what is stored.
        latch: The kill switch of the hub's workspace.
        authenticate: Whether a token that a peer showed in its first frame is the right one.
        source: What the hub calls itself.
    """

    def __init__(
        self,
        journal: Journal,
        bus: Bus,
        *,
        latch: Latch,
        authenticate: Callable[[str], bool],
        source: EventSource | str = EventSource.SYSTEM,
    ) -> None:
        self._journal = journal
        self._bus = bus
        self._latch = latch
        self._authenticate = authenticate
        self._source = str(source)
        self._reader: JournalReader = journal.open_reader()
        self._links: set[Link] = set()
        self._peers: dict[object, Peer] = {}
        self._tasks: set[asyncio.Task[object]] = set()
        self._closing = False
        self._past = Counts()

    async def handle(self, connection: Connection, *, principal: str | None) -> None:
        """Serve one accepted connection until it ends, and close it.

        Args:
            principal: Who the peer has proved to be (or that it needs no proof, such as ``"loopback"``); None: it must
                show the token in its first frame.
        """
        task = asyncio.current_task()
        assert task is not None, "handle() is a coroutine"
        if self._closing or len(self._tasks) >= MAX_PEERS:
            await connection.close(_TRY_LATER, "the hub is closing or full; come again later")
            return
        self._tasks.add(task)
        code, reason = _INTERNAL, "a fault of the hub"
        try:
            await self._serve(connection, principal)
        except asyncio.CancelledError:
            code, reason = _GOING_AWAY, "the hub is closing"
            raise
        except Disconnected as gone:
            code, reason = _GOING_AWAY, str(gone)
        except TimeoutError:
            code, reason = _POLICY, f"no first frame within {HANDSHAKE_SECONDS:.0f} s"
        except _Refused as refused:
            code, reason = _POLICY, str(refused)
        except FrameError as error:
            code, reason = _PROTOCOL_ERROR, error.message
        except (JournalError, StorageError) as error:
            code, reason = _TRY_LATER, f"cannot be stored now: {error.message}"
        except ReactorError as error:
            code, reason = _INTERNAL, error.message
        finally:
            self._tasks.discard(task)
            if code != _GOING_AWAY:
                _log.warning("%s: connection ended: %s", connection.peer, reason)
            await connection.close(code, reason)

    def peers(self) -> list[Peer]:
        """Who is connected now."""
        return list(self._peers.values())

    def metrics(self) -> list[Sample]:
        """Figures about the peers."""
        peers = self.peers()
        totals = [peer.counts for peer in peers] + [self._past]
        dialects = [peer.dialect for peer in peers]
        return [
            *(
                Sample(
                    "reactor_hub_peers", "gauge", "Peers that are connected.", dialects.count(name), {"dialect": name}
                )
                for name in ("reactor", "family")
            ),
            Sample(
                "reactor_hub_received", "counter", "Events that peers sent.", sum(count.received for count in totals)
            ),
            Sample(
                "reactor_hub_duplicates",
                "counter",
                "Events that peers sent and that were stored before.",
                sum(count.duplicates for count in totals),
            ),
            Sample(
                "reactor_hub_rejected",
                "counter",
                "What peers sent that cannot be stored.",
                sum(count.rejected for count in totals),
            ),
        ]

    async def close(self) -> None:
        """End all connections, after what came in is stored. Call it on the loop on which they are served."""
        self._closing = True
        tasks = self._tasks - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        self._reader.close()

    async def _serve(self, connection: Connection, principal: str | None) -> None:
        try:
            async with asyncio.timeout(HANDSHAKE_SECONDS):
                first = read_first(await connection.receive())
        except FrameError as error:
            await connection.send(_spell(Fault("protocol", error.message)))
            raise
        if principal is None and not (first.token and self._authenticate(first.token)):
            await connection.send(_spell(Fault("token", "a token is needed")))
            raise _Refused("a token is needed: Authorization: Bearer ..., or 'token' in the first frame")
        if isinstance(first, Identity):
            await self._serve_family(connection, first)
        else:
            await self._serve_reactor(connection, first)

    async def _serve_family(self, connection: Connection, first: Identity) -> None:
        session = FamilySession(
            connection,
            journal=self._journal,
            reader=self._reader,
            bus=self._bus,
            source=first.source,
            on_confirmed=self._confirmed,
            points=_POINTS,
        )
        self._enter(session, Peer(first.source, connection.peer, "family", session.intake.counts))
        try:
            await session.run(self._latch.state())
        finally:
            self._leave(session)

    async def _serve_reactor(self, connection: Connection, hello: Hello) -> None:
        if hello.latch is not None:
            await asyncio.to_thread(self._latch.join, hello.latch)
        head, first = self._reader.head().seq, max(self._reader.first_seq(), 1)
        after, gap = _begin(hello, node=self._journal.journal_id, head=head, first=first)
        origin = f"node:{hello.node}"
        link = Link(
            connection,
            Codec(hello.encoding),
            Progress(_ignore, _ignore, _ignore_gap, self._confirmed, _ignore),
            journal=self._journal,
            reader=self._reader,
            bus=self._bus,
            latch=self._latch,
            origin=origin,
            credit=hello.credit,
            after=after,
            types=None if hello.types is None else frozenset(str(as_event_type(name)) for name in hello.types),
            open_ids=hello.unconfirmed,
            points=_POINTS,
        )
        self._links.add(link)
        self._enter(link, Peer(hello.source, connection.peer, "reactor", link.intake.counts))
        try:
            welcome = Welcome(
                self._journal.journal_id,
                self._source,
                head,
                first,
                min(hello.protocol, PROTOCOL),
                hello.encoding,
                after=after,
                gap=gap,
                latch=spell_latch(self._latch.state()),
            )
            await connection.send(_spell(welcome))
            self._confirm_again(link, hello.unconfirmed)
            await link.run()
        finally:
            link.close()
            self._links.discard(link)
            self._leave(link)

    def _confirmed(self, event: Event) -> None:
        """An event that went out early is committed by its source: tell everybody who may have noted it as open."""
        for link in self._links:
            link.send_again(event)

    def _confirm_again(self, link: Link, event_ids: list[str]) -> None:
        """Tell a peer that was away which of its open events have been committed by their source meanwhile."""
        if event_ids:
            still_open = {event.event_id for event in self._reader.unconfirmed()}
            for event_id in set(event_ids[:1024]) - still_open:
                for event in self._reader.read(EventFilter("event_id = ?", (event_id,))):
                    link.send_again(event)

    def _enter(self, session: object, peer: Peer) -> None:
        self._peers[session] = peer
        _log.info("%s at %s joined (%s)", peer.source, peer.address, peer.dialect)

    def _leave(self, session: object) -> None:
        peer = self._peers.pop(session)
        for name in ("received", "duplicates", "rejected"):
            setattr(self._past, name, getattr(self._past, name) + getattr(peer.counts, name))
        _log.info("%s at %s left", peer.source, peer.address)


class _Refused(Exception):
    """The peer has not proved who it is."""


def _begin(hello: Hello, *, node: str, head: int, first: int) -> tuple[dict[int, int], Gap | None]:
    """Where a peer goes on, by lane, and what it has missed for good."""
    if not hello.hub:
        return dict.fromkeys((1, 2, 3, 4), head), None
    if hello.hub != node:
        return dict.fromkeys((1, 2, 3, 4), first - 1), Gap("another_journal")
    after = {lane: max(hello.after.get(lane, head), 0) for lane in (1, 2, 3, 4)}
    if max(after.values()) > head:
        return {lane: min(seq, head) for lane, seq in after.items()}, Gap("rolled_back", head + 1, max(after.values()))
    oldest = min(after.values())
    if oldest < first - 1:
        return {lane: max(seq, first - 1) for lane, seq in after.items()}, Gap("compacted", oldest + 1, first - 1)
    return after, None


def _spell(frame: Welcome | Fault) -> str:
    """A frame of the handshake, which is JSON text whatever the peer asked for."""
    return msgspec.json.encode(frame).decode()


def _ignore(*_: object) -> None:
    pass


async def _ignore_gap(_: Gap) -> None:
    pass
