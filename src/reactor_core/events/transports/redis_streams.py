"""Redis (or Valkey): a stream per lane carries the events, a pub/sub channel mirrors them for old neighbours.

Streams are ``reactor:events:1`` to ``reactor:events:4``; an entry has ``node`` (the workspace that sent it), ``event``
(the family's JSON) and, on an event of lane 1 that its publisher has not committed yet, ``early``. Every workspace
reads every stream with a consumer group of its own, so each gets every event; it confirms an entry to the server after
it has stored the event. What was handed to a process that died is handed to the next one.

An event counts as delivered when the server has answered XADD; how long the server then keeps it is a matter of its own
persistence. Therefore each workspace remembers what the others have not confirmed yet, and sends it again when it
finds that the server has lost its history: flushed, restarted from an older file, or replaced by a replica that was
behind. The ids stay the same, so what arrived before is not stored twice. Each workspace that finds it publishes a GAP
event, since what neighbours of other kinds had added may be lost.

The channel ``reactor:events`` gets each event's JSON for neighbours that know only pub/sub, with ``mirror_of`` naming
the stream; what such neighbours publish there without it is stored.

The state of each workspace's kill switch stands in the hash ``reactor:events:latches``. A workspace that connects halts
if another one is halted, even if the event that did it is long trimmed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from reactor_core.errors import ConfigError
from reactor_core.events.bus import Bus
from reactor_core.events.journal import Journal
from reactor_core.events.latch import Latch, LatchState
from reactor_core.events.loop_thread import end_tasks
from reactor_core.events.transports.backoff import full_jitter
from reactor_core.events.transports.batch import LANES
from reactor_core.events.transports.redis_ledger import Ledger, Marks, as_id, oldest_confirmed
from reactor_core.events.transports.redis_server import (
    CHANNEL,
    MIRROR_MARK,
    STREAMS,
    Entry,
    HistoryLost,
    Outgoing,
    Server,
)
from reactor_core.events.transports.relay import Relay
from reactor_core.utils.failpoints import reach

__all__ = ["CHANNEL", "KEEP", "STREAMS", "RedisRelay"]

_log = logging.getLogger(__name__)

KEEP = 1_000_000
"""Entries that a stream keeps, about; a workspace that was away longer than that has missed some, and says so."""

BLOCK_MS = 1000
"""How long one read waits for entries; an entry ends the wait."""

WATCH_SECONDS = 0.5
"""How often the relay asks what the other workspaces have confirmed, while they have not confirmed everything."""

GRACE_SECONDS = 5.0
"""How long something counts as unread although all known workspaces have it: one may just be joining them."""

LONELY_SECONDS = 600.0
"""The same while no other workspace was ever seen."""

_READ = 512
_READ_BYTES = 1 << 22
_MARK = MIRROR_MARK.encode()
_MARK_REACH = 64
_MAX_MIRRORED = 4096


class RedisRelay(Relay):
    """Keeps a few connections to one server, so that the urgent lane waits for nothing that the others do.

    Args:
        url: ``redis://``, ``rediss://`` or ``unix://``.
        latch: The workspace's kill switch, whose state travels with each connection; None leaves it out.
        keep: Entries that a stream keeps, about.
        grace: Seconds after which what all others have confirmed is not sent again if the server loses it.

    Raises:
        ConfigError: The address is none of these.
    """

    failures = (OSError, RedisError, HistoryLost)
    sends_early = True

    def __init__(
        self,
        url: str,
        *,
        journal: Journal,
        bus: Bus,
        source: str,
        workspace: Path,
        latch: Latch | None = None,
        keep: int = KEEP,
        grace: float = GRACE_SECONDS,
        backoff: Callable[[], Iterator[float]] = full_jitter,
    ) -> None:
        parts = urlsplit(url)
        try:
            Redis.from_url(url)
            port = parts.port or 6379
        except ValueError as error:
            raise ConfigError(
                f"redis_url={url!r} is no Redis address: {error}", remedy="example: redis://localhost:6379"
            ) from error
        where = "" if parts.scheme == "unix" else f"{parts.hostname or ''}:{port}"
        name = f"{parts.scheme}://{where}{parts.path}"
        super().__init__(name, journal=journal, bus=bus, source=source, workspace=workspace, backoff=backoff)
        self._url = url
        self._latch = latch
        self._length = keep
        self._grace = grace
        self._place = f"{self.name}#state"
        self._marks = Marks()
        self._mirrored: set[str] = set()
        self._ledger = self._load_ledger()

    async def session(self) -> None:
        consumer = f"{socket.gethostname()}-{os.getpid()}"
        node = self._journal.journal_id
        server = Server(self._url, node=node, consumer=consumer, keep=self._length)
        try:
            while True:
                await self._exchange_latch(server)
                await self._meet(server)
                self.connected()
                work = (
                    self._send(server, (1,)),
                    self._send(server, (2, 3, 4)),
                    self._receive(server, (1,)),
                    self._receive(server, (2, 3, 4)),
                    self._hear(server),
                    self._watch(server),
                    self._tell_latch(server),
                )
                tasks = [asyncio.ensure_future(part) for part in work]
                try:
                    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    await asyncio.shield(_end(server, tasks))
                    await self.settle()
                faults = [error for task in done if (error := task.exception()) is not None]
                if not all(isinstance(error, HistoryLost) for error in faults):
                    raise next(error for error in faults if not isinstance(error, HistoryLost))
        finally:
            await server.close()

    def state_rows(self) -> dict[str, str]:
        return super().state_rows() | {self._place: msgspec.json.encode(self._ledger).decode()}

    async def _own(self) -> None:
        await super()._own()
        self._ledger = self._load_ledger()  # another process of this workspace may have moved it

    async def _meet(self, server: Server) -> None:
        """Find out what the server still has, go back to where others may lack something, and read what waits."""
        ledger = self._ledger
        epoch = await server.open(secrets.token_hex(8))
        flushed = ledger.epoch not in ("", epoch)
        unsure = LANES if flushed else tuple(await self._tail_lost(server))
        reached = dict(ledger.places)
        if flushed:
            await self.gap("the server has lost its history", lost_from=_by_lane(reached), lost_to=None)
            ledger.lost(epoch)
        else:
            await self._find_gaps(server)
        for lane in unsure:
            ledger.last.pop(lane, None)
        self._marks.clear()
        self.rewind({lane: ledger.base[lane] for lane in unsure})
        await self.skip_pruned()
        ledger.epoch = epoch
        # A group that has to be made anew reads everything: what is known already is recognised by its id.
        start = "0" if flushed or reached else await self._beginning(server)
        await server.make_groups(start)
        await self.keep_now()
        for lane in LANES:
            claimed = await server.claim(lane)
            await self._take(server, [entry for entry in claimed if entry.fields is not None])
            if deleted := [entry for entry in claimed if entry.fields is None]:
                await self.gap(
                    "entries were trimmed before this workspace had confirmed them",
                    lane=lane,
                    lost_from=deleted[0].entry_id,
                    lost_to=deleted[-1].entry_id,
                )
                await server.confirm(deleted)
        await server.forget_consumers()
        for lane in LANES:  # what others have not confirmed is not known any more: take the least
            if lane not in unsure and (last := ledger.last.get(lane)) is not None:
                self._marks.add(lane, as_id(last), self.cursors[lane], now=time.monotonic())

    async def _tail_lost(self, server: Server) -> list[int]:
        """Lanes whose end is gone from the server, with entries of ours that it had confirmed."""
        return [lane for lane, full in (await server.missing(self._ledger.last)).items() if not full]

    async def _find_gaps(self, server: Server) -> None:
        """Publish what this workspace may have missed."""
        reasons = {True: "entries were trimmed before this workspace read them", False: "the server has lost entries"}
        missing = await server.missing(self._ledger.places)
        for lane in LANES:
            if (cut := await server.trimmed(lane)) is not None:
                await self.gap(reasons[True], lane=lane, lost_from=cut[0], lost_to=cut[1], lost=cut[2])
            elif lane in missing:
                await self.gap(reasons[missing[lane]], lane=lane, lost_from=self._ledger.places[lane], lost_to=None)
        self._ledger.places = {lane: place for lane, place in self._ledger.places.items() if lane not in missing}

    async def _beginning(self, server: Server) -> str:
        """Where a workspace reads on that is new to the server: when it was opened, by the server's clock."""
        age = time.time_ns() // 1_000_000 - self._ledger.since_ms
        return f"{await server.now_ms() - max(age, 0)}-0"

    async def _send(self, server: Server, lanes: Sequence[int]) -> None:
        while True:
            batch = await self.outgoing(lanes)
            fresh = [event.event_id not in self._mirrored for event in batch.events]
            ids = await server.add(
                self._ledger.epoch,
                [
                    Outgoing(event.priority, event.event_id, event.to_family_json(), batch.early, mirror)
                    for event, mirror in zip(batch.events, fresh, strict=True)
                ],
            )
            reach("relay.sent")
            if batch.early:
                if len(self._mirrored) > _MAX_MIRRORED:
                    self._mirrored.clear()
                self._mirrored.update(event.event_id for event in batch.events)
            else:
                for event, entry_id in zip(batch.events, ids, strict=True):
                    assert event.seq is not None, "what is not early is committed"
                    self._ledger.last[event.priority] = entry_id
                for lane, entry_id in self._ledger.last.items():
                    if lane in batch.cursors:
                        self._marks.add(lane, as_id(entry_id), batch.cursors[lane], now=time.monotonic())
            await self.confirm(batch)

    async def _receive(self, server: Server, lanes: Sequence[int]) -> None:
        count = _READ
        while True:
            entries = await server.read(lanes, block_ms=BLOCK_MS, count=count)
            await self._take(server, entries)
            size = sum(len(value) for entry in entries for value in (entry.fields or {}).values())
            if size:  # large events are read by few, so that one answer stays small
                count = max(1, min(_READ, len(entries) * _READ_BYTES // size))

    async def _take(self, server: Server, entries: Sequence[Entry]) -> None:
        """Store what others sent, then confirm it to the server."""
        if not entries:
            return
        node = self._journal.journal_id.encode()
        foreign = [entry.fields for entry in entries if entry.fields and entry.fields.get(b"node") != node]
        if foreign:
            await self.accept_many((fields.get(b"event", b""), b"early" in fields) for fields in foreign)
            await self.settle()
        await server.confirm(entries)
        for entry in entries:
            self._ledger.places[entry.lane] = entry.entry_id
        self.keep_soon()

    async def _hear(self, server: Server) -> None:
        """Store what neighbours say on the channel that know nothing of streams."""
        channel = await server.listen()
        try:
            async for message in channel.listen():
                text = message["data"]
                if _MARK not in text[-_MARK_REACH:]:
                    await self.accept(text)
        finally:
            await channel.aclose()

    async def _watch(self, server: Server) -> None:
        """Learn what the others have confirmed, so that it need not be sent again."""
        while True:
            for lane in self._marks.lanes():
                delivered, pending = await server.groups(lane)
                self._ledger.saw(delivered, now=time.time())
                confirmed = oldest_confirmed(delivered, pending, self._ledger.groups)
                grace = self._grace if confirmed is not None else LONELY_SECONDS
                base = self._marks.confirmed(lane, confirmed, before=time.monotonic() - grace)
                if base is not None:
                    self._ledger.base[lane] = base
                    self.keep_soon()
            await asyncio.sleep(WATCH_SECONDS)

    async def _exchange_latch(self, server: Server) -> None:
        """Halt if another workspace is halted, and leave our own state for those that come later."""
        if self._latch is None:
            return
        for other in await server.exchange_latch(msgspec.json.encode(self._latch.state())):
            try:
                await asyncio.to_thread(self._latch.join, msgspec.json.decode(other))
            except (ConfigError, msgspec.DecodeError, UnicodeDecodeError) as error:
                _log.warning("%s holds a kill switch's state that cannot be read: %s", self.name, error)

    async def _tell_latch(self, server: Server) -> None:
        """Leave each new state of our kill switch at the server."""
        changed = asyncio.Event()
        if self._latch is None:
            await changed.wait()  # for ever
            return
        loop = asyncio.get_running_loop()

        def tell(_: LatchState) -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(changed.set)

        self._latch.listen(tell)
        try:
            while True:
                changed.clear()
                await self._exchange_latch(server)
                await changed.wait()
        finally:
            self._latch.unlisten(tell)

    def _load_ledger(self) -> Ledger:
        kept = self._journal.cursor(self._place)
        if kept is not None:
            return msgspec.json.decode(kept, type=Ledger)
        # Entry ids are the server's milliseconds: a workspace that is new to it begins with what is added from now.
        ledger = Ledger(since_ms=time.time_ns() // 1_000_000, base=dict(self.cursors))
        self._journal.set_cursor(self._place, msgspec.json.encode(ledger).decode()).result()
        return ledger


async def _end(server: Server, tasks: Sequence[asyncio.Task[None]]) -> None:
    """End what used a connection; the connection first, as the client lets nobody cancel a read that waits."""
    try:
        with contextlib.suppress(OSError, RedisError):
            await server.close()
    finally:
        await end_tasks(tasks)


def _by_lane(entries: dict[int, str]) -> dict[str, str]:
    return {str(lane): entry for lane, entry in entries.items()}
