"""WebSocket client: exchange events with a hub, in our dialect if it speaks it, else in the family's.

A hub that speaks ours says so in the WebSocket handshake (subprotocol ``reactor.v1``); an old one does not know the
word. In our dialect events travel in batches, urgent ones before their commit, and a cursor moves when the hub has
committed what it was sent. Which of the hub's events are stored here is noted beside the cursors, so after any break
both sides go on exactly where they were.

In the family's dialect the first frame says who we are, ``{"type": "identity", "source": "reactor_core"}``; then each
text frame is one event as JSON, in both directions. It has no acknowledgement. A ping after each batch stands in for
it: the pong comes back only after the other side's library has read all frames before it. So the cursor says what the
hub has received; what it then does with it is its own affair.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidURI, WebSocketException
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from reactor_core.errors import ConfigError
from reactor_core.events.bus import Bus
from reactor_core.events.hub.connection import Disconnected, SocketConnection
from reactor_core.events.hub.family import is_control
from reactor_core.events.hub.intake import Counts, Points
from reactor_core.events.hub.link import Link, Progress, spell_latch
from reactor_core.events.hub.wire import MAX_FRAME, SUBPROTOCOL, Codec, Encoding, Fault, Gap, Hello, Identity, Welcome
from reactor_core.events.journal import Journal
from reactor_core.events.latch import Latch
from reactor_core.events.loop_thread import end_tasks
from reactor_core.events.reader import JournalReader
from reactor_core.events.transports.backoff import full_jitter
from reactor_core.events.transports.relay import Relay

__all__ = ["WebSocketRelay"]

_log = logging.getLogger(__name__)

ANSWER_SECONDS = 20.0
"""How long a hub may take to answer a handshake or a ping before the connection counts as lost."""

_KEEP_SECONDS = 1.0  # a cursor that is a second old costs duplicates after a crash, which their ids give away
_MAX_OPEN = 32 * 1024  # bytes of ids in the first frame; the rest has its turn at a later connection


class _Place(msgspec.Struct):
    """How far this workspace has come in a hub's journal."""

    node: str = ""
    lanes: dict[int, int] = {}


class WebSocketRelay(Relay):
    """Keeps one connection to a hub.

    Args:
        url: ``ws://`` or ``wss://``; a user and password in it are sent as HTTP basic authentication.
        token: Bearer token to show to the hub.
        latch: The kill switch of the workspace; None opens it.
        encoding: How events are written in our dialect; ``json`` is for looking at it.

    Raises:
        ConfigError: The address is no WebSocket address.
    """

    failures = (OSError, WebSocketException, Disconnected)
    sends_early = False  # our dialect has its own way, and the family's cannot tell that an event comes twice

    def __init__(
        self,
        url: str,
        *,
        journal: Journal,
        bus: Bus,
        source: str,
        workspace: Path,
        token: str | None = None,
        latch: Latch | None = None,
        encoding: Encoding = "msgpack",
        backoff: Callable[[], Iterator[float]] = full_jitter,
    ) -> None:
        try:
            parse_uri(url)
        except (InvalidURI, ValueError) as error:
            raise ConfigError(
                f"websocket_url={url!r} is no WebSocket address", remedy="example: ws://localhost:8000/ws/events"
            ) from error
        parts = urlsplit(url)
        name = f"{parts.scheme}://{parts.hostname}:{parts.port or (443 if parts.scheme == 'wss' else 80)}{parts.path}"
        super().__init__(name, journal=journal, bus=bus, source=source, workspace=workspace, backoff=backoff)
        self._url = url
        self._headers = None if token is None else {"Authorization": f"Bearer {token}"}
        self._workspace = workspace
        self._latch = latch
        self._encoding: Encoding = encoding
        self._place = _Place()

    async def run(self) -> None:
        if self._latch is not None:
            await super().run()
            return
        self._latch = Latch(self._workspace)
        try:
            await super().run()
        finally:
            self._latch.close()

    async def session(self) -> None:
        async with connect(
            self._url,
            additional_headers=self._headers,
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            compression=None,
            open_timeout=ANSWER_SECONDS,
            ping_interval=ANSWER_SECONDS,
            ping_timeout=ANSWER_SECONDS,
            close_timeout=1,
            max_size=MAX_FRAME,
        ) as hub:
            try:
                if hub.subprotocol == SUBPROTOCOL:
                    await self._speak(hub)
                else:
                    await self._speak_plainly(hub)
            finally:
                await hub.close()
                await self.settle()

    def state_rows(self) -> dict[str, str]:
        rows = super().state_rows()
        if self._place.node:
            rows[f"{self.name}#hub"] = msgspec.json.encode(self._place).decode()
        return rows

    async def _speak(self, hub: ClientConnection) -> None:
        """A session in our dialect."""
        assert self._latch is not None, "run() has opened it"
        if not self._place.node and (kept := self._journal.cursor(f"{self.name}#hub")) is not None:
            self._place = msgspec.json.decode(kept, type=_Place)
        connection = SocketConnection(hub)
        welcome = await self._introduce(connection, self._latch)
        if welcome.latch is not None:
            await asyncio.to_thread(self._latch.join, welcome.latch)
        if welcome.gap is not None:
            await self._lost(welcome.gap)
        if (self._place.node, self._place.lanes) != (welcome.node, welcome.after):
            self._place = _Place(welcome.node, welcome.after)
            await asyncio.wrap_future(self._journal.set_cursors(self.state_rows()))
        reader: JournalReader = self._journal.open_reader()
        link = Link(
            connection,
            Codec(welcome.encoding),
            Progress(self._delivered, self._stored, self._lost, lambda _: None, self._refused),
            journal=self._journal,
            reader=reader,
            bus=self._bus,
            latch=self._latch,
            origin=self.name,
            credit=welcome.credit,
            after=self.cursors,
            acknowledges=False,
            points=Points(stored="relay.stored", sent="relay.sent"),
        )
        self._told = Counts()
        self._counts = link.intake.counts
        ringing = asyncio.ensure_future(self._ring(link))
        try:
            self.connected()
            await link.run()
        finally:
            await end_tasks([ringing])
            self._count_new()
            reader.close()

    async def _introduce(self, connection: SocketConnection, latch: Latch) -> Welcome:
        """Say who we are and how far we have come; returns the hub's answer."""
        hello = Hello(
            node=self._journal.journal_id,
            source=self.source,
            encoding=self._encoding,
            hub=self._place.node,
            after=self._place.lanes,
            latch=spell_latch(latch.state()),
            unconfirmed=_first_bytes([event.event_id for event in self._journal.unconfirmed()], _MAX_OPEN),
        )
        await connection.send(msgspec.json.encode(hello).decode())
        async with asyncio.timeout(ANSWER_SECONDS):
            answer = Codec("json").decode(await connection.receive())
        if isinstance(answer, Fault):
            raise ConfigError(f"the hub refuses us: {answer.detail}", remedy="set EVENT_BRIDGE_TOKEN to its token")
        if not isinstance(answer, Welcome) or answer.after.keys() != self.cursors.keys():
            raise ConfigError("the hub's first frame is no welcome")
        return answer

    async def _ring(self, link: Link) -> None:
        """Let the link look at each commit, also of events that are not for the hub: cursors pass over them."""
        while True:
            await self.bell.wait()
            self.bell.clear()
            link.nudge()

    def _delivered(self, cursors: dict[int, int], count: int, seconds: float | None) -> None:
        self.confirmed_to(cursors, count)
        if seconds is not None:
            self.observe_ack(seconds)

    def _stored(self, lanes: dict[int, int]) -> None:
        for lane, seq in lanes.items():
            self._place.lanes[lane] = max(seq, self._place.lanes[lane])
        self._keep_soon(_KEEP_SECONDS)
        self._count_new()

    def _count_new(self) -> None:
        now, told = self._counts, self._told
        self.count(
            received=now.received - told.received,
            duplicates=now.duplicates - told.duplicates,
            rejected=now.rejected - told.rejected,
        )
        self._told = msgspec.structs.replace(now)

    async def _lost(self, gap: Gap) -> None:
        await self.gap(gap.reason, lost_from=gap.lost_from, lost_to=gap.lost_to)

    def _refused(self, fault: Fault) -> None:
        _log.warning("%s: %s: %s %s", self.name, fault.code, fault.detail, fault.event_id)

    async def _speak_plainly(self, hub: ClientConnection) -> None:
        """A session in the family's dialect."""
        await hub.send(msgspec.json.encode(Identity(self.source)).decode())
        self.connected()
        tasks = [
            asyncio.ensure_future(self._send(hub, (1,))),
            asyncio.ensure_future(self._send(hub, (2, 3, 4))),
            asyncio.ensure_future(self._receive(hub)),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await end_tasks(tasks)
        for task in done:
            task.result()

    async def _send(self, hub: ClientConnection, lanes: tuple[int, ...]) -> None:
        while True:
            batch = await self.outgoing(lanes)
            for event in batch.events:
                await hub.send(event.to_family_json().decode())
            async with asyncio.timeout(ANSWER_SECONDS):
                await (await hub.ping())
            await self.confirm(batch)

    async def _receive(self, hub: ClientConnection) -> None:
        async for frame in hub:
            if not is_control(frame):
                await self.accept(frame)


def _first_bytes(names: list[str], limit: int) -> list[str]:
    """As many of the names as fit into so many bytes of JSON."""
    taken: list[str] = []
    for name in names:
        limit -= len(name.encode()) + 3
        if limit < 0:
            break
        taken.append(name)
    return taken
