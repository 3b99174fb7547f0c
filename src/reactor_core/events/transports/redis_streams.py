"""Redis (or Valkey): a stream per lane carries the events, a pub/sub channel mirrors them for old neighbours.

Streams are ``reactor:events:1`` to ``reactor:events:4``; an entry has ``node`` (the workspace that sent it) and
``event`` (the family's JSON). An event counts as delivered when the server has answered XADD; how long the server then
keeps it is a matter of its own persistence. Every workspace reads every stream with a cursor of its own, kept in its
journal. The channel ``reactor:events`` gets each event's JSON for neighbours that know only pub/sub; nothing is read
from it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from reactor_core.errors import ConfigError
from reactor_core.events.bus import Bus
from reactor_core.events.journal import Journal
from reactor_core.events.loop_thread import end_tasks
from reactor_core.events.transports.backoff import full_jitter
from reactor_core.events.transports.relay import Relay

__all__ = ["CHANNEL", "STREAMS", "RedisRelay"]

CHANNEL = "reactor:events"
"""Pub/sub channel of the mirror."""
STREAMS = {lane: f"{CHANNEL}:{lane}" for lane in (1, 2, 3, 4)}
"""Stream of each lane."""

BLOCK_MS = 1000
"""How long one read waits for entries; an urgent lane's entry ends the wait as well as any other."""
_READ = 128
_KEEP = 1_000_000  # entries a stream keeps, about; a workspace that was away longer than that has missed some


class RedisRelay(Relay):
    """Keeps two connections to one server: one that sends, one that waits.

    Args:
        url: ``redis://``, ``rediss://`` or ``unix://``.

    Raises:
        ConfigError: The address is none of these.
    """

    failures = (OSError, RedisError)

    def __init__(
        self,
        url: str,
        *,
        journal: Journal,
        bus: Bus,
        source: str,
        workspace: Path,
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
        name = f"{parts.scheme}://{parts.hostname or ''}:{port}{parts.path}"
        super().__init__(name, journal=journal, bus=bus, source=source, workspace=workspace, backoff=backoff)
        self._url = url
        self._place = f"{self.name}#read"
        kept = journal.cursor(self._place)
        # Entry ids are the server's milliseconds: a workspace that is new to it begins with what is added from now.
        now = f"{time.time_ns() // 1_000_000}-0"
        begin: dict[str, str] = dict.fromkeys(STREAMS.values(), now)
        self._places = begin if kept is None else begin | msgspec.json.decode(kept, type=dict[str, str])
        if kept is None:
            self._keep_places().result()

    async def session(self) -> None:
        sending, waiting = (Redis.from_url(self._url, socket_connect_timeout=5, socket_timeout=10) for _ in range(2))
        try:
            await sending.ping()
            self.connected()
            tasks = [asyncio.ensure_future(self._send(sending)), asyncio.ensure_future(self._receive(waiting))]
            try:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                await end_tasks(tasks)
                await self.settle()
            for task in done:
                task.result()
        finally:
            await sending.aclose()
            await waiting.aclose()

    async def _send(self, server: Redis) -> None:
        node = self._journal.journal_id
        while True:
            batch = await self.outgoing()
            async with server.pipeline(transaction=False) as pipe:
                for event in batch.events:
                    text = event.to_family_json()
                    pipe.xadd(STREAMS[event.priority], {"node": node, "event": text}, maxlen=_KEEP, approximate=True)
                    pipe.publish(CHANNEL, text)
                await pipe.execute()
            await self.confirm(batch)

    async def _receive(self, server: Redis) -> None:
        node = self._journal.journal_id.encode()
        while True:
            # The client's annotations cover both protocol versions; this is the shape of the one in use.
            answer: list[tuple[bytes, list[tuple[bytes, dict[bytes, bytes]]]]] = cast(
                "Any", await server.xread(cast("Any", self._places), count=_READ, block=BLOCK_MS)
            )
            for stream, entries in answer:
                for entry_id, fields in entries:
                    if fields.get(b"node") != node:
                        await self.accept(fields.get(b"event", b""))
                    self._places[stream.decode()] = entry_id.decode()
            if answer:
                await self.settle()
                await asyncio.wrap_future(self._keep_places())

    def _keep_places(self) -> Future[None]:
        return self._journal.set_cursor(self._place, msgspec.json.encode(self._places).decode())
