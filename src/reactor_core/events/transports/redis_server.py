"""The commands that the relay gives to a Redis, with their answers as plain values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ResponseError

from reactor_core.events.transports.redis_ledger import EntryId, as_id

__all__ = ["CHANNEL", "EPOCH", "LATCHES", "MIRROR_MARK", "STREAMS", "Entry", "HistoryLost", "Outgoing", "Server"]

CHANNEL = "reactor:events"
"""Pub/sub channel of the mirror."""
STREAMS = {lane: f"{CHANNEL}:{lane}" for lane in (1, 2, 3, 4)}
"""Stream of each lane."""
EPOCH = f"{CHANNEL}:epoch"
"""Key of a random text that lives as long as the server's history."""
LATCHES = f"{CHANNEL}:latches"
"""Hash with the state of each workspace's kill switch."""
_PATTERN = f"{CHANNEL[:-1]}[{CHANNEL[-1]}]"
MIRROR_MARK = '"mirror_of":"'
"""In a message of the channel: it is in a stream too."""

_LANES = {name.encode(): lane for lane, name in STREAMS.items()}
_SOCKET_SECONDS = 5.0
_IDMP_SINCE = (8, 6)
_PAGE = 256

# One script for a batch: all of it is added or nothing, and nothing once the history that it continues is gone. Else
# later events could stand in a fresh stream before the earlier ones that have to be sent again.
_ADD = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return redis.error_reply('LOSTHISTORY the epoch is another one')
end
-- Our own listeners use a pattern, so that only neighbours count: without any, nothing need be published.
local heard = redis.call('PUBSUB', 'NUMSUB', ARGV[4])[2] > 0 or redis.call('PUBSUB', 'NUMPAT') > 1
local ids = {}
for i = 6, #ARGV, 2 do
  -- lane, early or not, to be mirrored or not, id: one word, as the client takes longest to pack words
  local about = ARGV[i]
  local stream = KEYS[1 + tonumber(string.sub(about, 1, 1))]
  local early = string.sub(about, 2, 2) == 'e'
  local command = {'XADD', stream}
  if ARGV[5] == '1' then
    for _, word in ipairs({'IDMP', ARGV[3], string.sub(about, 2, 2) .. string.sub(about, 4)}) do
      command[#command + 1] = word
    end
  end
  for _, word in ipairs({'MAXLEN', '~', ARGV[2], '*', 'node', ARGV[3], 'event', ARGV[i + 1]}) do
    command[#command + 1] = word
  end
  if early then
    command[#command + 1] = 'early'
    command[#command + 1] = '1'
  end
  ids[#ids + 1] = redis.call(unpack(command))
  if heard and string.sub(about, 3, 3) == 'm' then
    redis.call('PUBLISH', ARGV[4], string.sub(ARGV[i + 1], 1, -2) .. ',"mirror_of":"' .. stream .. '"}')
  end
end
return ids
"""


class HistoryLost(Exception):
    """The server no longer has what this session began with."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a stream. ``fields`` is None where the server has deleted it meanwhile."""

    lane: int
    entry_id: str
    fields: dict[bytes, bytes] | None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One event to add.

    Args:
        early: It is not committed yet.
        mirror: Publish it on the channel too.
    """

    lane: int
    event_id: str
    text: bytes
    early: bool = False
    mirror: bool = True


class Server:
    """One server; every method waits for its answer at most some seconds.

    Args:
        url: ``redis://``, ``rediss://`` or ``unix://``.
        node: The workspace; name of its consumer group.
        consumer: This process.
        keep: Entries that a stream keeps, about.
    """

    def __init__(self, url: str, *, node: str, consumer: str, keep: int) -> None:
        self._redis = Redis.from_url(
            url,
            protocol=2,  # the shapes of answers below are those of this version
            socket_connect_timeout=_SOCKET_SECONDS,
            socket_timeout=_SOCKET_SECONDS,
            retry=Retry(NoBackoff(), 0),  # the relay decides what is tried again
        )
        self._node = node
        self._consumer = consumer
        self._keep = keep
        self._idmp = False
        self._add = self._redis.register_script(_ADD)

    async def close(self) -> None:
        """Give the connections back."""
        await self._redis.aclose()

    async def open(self, fresh_epoch: str) -> str:
        """Meet the server; returns its epoch, which is ``fresh_epoch`` if it had none."""
        about = await self._redis.info("server")
        self._idmp = _knows_idmp(about)
        await self._redis.set(EPOCH, fresh_epoch, nx=True)
        epoch = await self._redis.get(EPOCH)
        return cast("bytes", epoch).decode()

    async def now_ms(self) -> int:
        """The server's clock."""
        seconds, micros = await self._redis.time()
        return int(seconds) * 1000 + int(micros) // 1000

    async def missing(self, entries: Mapping[int, str]) -> dict[int, bool]:
        """Which of these entries (one per lane) are gone: by lane, whether that is because the stream is full."""
        gone: dict[int, bool] = {}
        for lane, entry in entries.items():
            if not await self._redis.xrange(STREAMS[lane], entry, entry, count=1):
                gone[lane] = await self._redis.xlen(STREAMS[lane]) >= self._keep
        return gone

    async def trimmed(self, lane: int) -> tuple[str, str, int] | None:
        """What was trimmed before our group had it: the last entry that it has, the next one, and how many are lost.

        None if nothing was, or if the server cannot say so: counting came with Redis 7.
        """
        stream = STREAMS[lane]
        async with self._redis.pipeline(transaction=True) as pipe:  # both at one moment
            pipe.xinfo_stream(stream)
            pipe.xinfo_groups(stream)
            about, groups = await pipe.execute(raise_on_error=False)
        if isinstance(about, ResponseError) or about["first-entry"] is None:
            return None
        for group in groups:
            if group["name"] == self._node.encode():
                handed, first = group["last-delivered-id"].decode(), about["first-entry"][0].decode()
                lost = (group.get("lag") or 0) - about["length"]
                if as_id(handed) < as_id(first) and lost > 0:
                    return handed, first, lost
        return None

    async def make_groups(self, start: str) -> None:
        """Make our group on every stream where it is missing, to read behind ``start``."""
        for stream in STREAMS.values():
            try:
                await self._redis.xgroup_create(stream, self._node, id=start, mkstream=True)
            except ResponseError as error:
                if "BUSYGROUP" not in str(error):
                    raise

    async def exchange_latch(self, state: bytes) -> list[bytes]:
        """Leave the state of our kill switch; returns those of the other workspaces."""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hset(LATCHES, self._node, state)
            pipe.hgetall(LATCHES)
            _, states = await pipe.execute()
        return [other for node, other in states.items() if node != self._node.encode()]

    async def add(self, epoch: str, events: Sequence[Outgoing]) -> list[str]:
        """Add events to their streams, all or none; returns the ids of their entries.

        Raises:
            HistoryLost: The epoch is another one.
        """
        arguments: list[str | bytes | int] = [epoch, self._keep, self._node, CHANNEL, int(self._idmp)]
        for event in events:
            flags = ("e" if event.early else ".") + ("m" if event.mirror else ".")
            arguments += (f"{event.lane}{flags}{event.event_id}", event.text)
        try:
            ids = await self._add(keys=[EPOCH, *STREAMS.values()], args=arguments)
        except ResponseError as error:
            finding = _finding(error)
            if not self._idmp or isinstance(finding, HistoryLost):
                raise finding from error
            self._idmp = False  # the server says that it knows it, and does not: repeats are recognised anyway
            return await self.add(epoch, events)
        return [entry.decode() for entry in ids]

    async def read(self, lanes: Iterable[int], *, block_ms: int, count: int) -> list[Entry]:
        """The next entries for our group; waits so long for the first.

        Raises:
            HistoryLost: A stream or our group is gone.
        """
        wanted = {STREAMS[lane]: ">" for lane in lanes}
        try:
            answer = await self._redis.xreadgroup(
                self._node, self._consumer, cast("Any", wanted), count=count, block=block_ms
            )
        except ResponseError as error:
            raise _finding(error) from error
        return [
            Entry(_LANES[stream], entry_id.decode(), fields)
            for stream, entries in cast("Any", answer)
            for entry_id, fields in entries
        ]

    async def claim(self, lane: int) -> list[Entry]:
        """Take over all that was handed to our group and never confirmed, by whichever process; in order."""
        start: Any = "0-0"
        claimed: list[Entry] = []
        while True:
            # Only the process that holds the workspace's lock does this, so every other consumer is dead.
            answer: Any = await self._redis.xautoclaim(
                STREAMS[lane], self._node, self._consumer, min_idle_time=0, start_id=start, count=_PAGE
            )
            start, entries, *deleted = answer
            claimed += [Entry(lane, entry_id.decode(), fields) for entry_id, fields in entries if entry_id is not None]
            claimed += [Entry(lane, entry_id.decode(), None) for ids in deleted for entry_id in ids]
            if as_id(start) == (0, 0):
                return claimed

    async def confirm(self, entries: Iterable[Entry]) -> None:
        """These are stored: they need not be handed to us again."""
        by_lane: dict[int, list[str]] = {}
        for entry in entries:
            by_lane.setdefault(entry.lane, []).append(entry.entry_id)
        async with self._redis.pipeline(transaction=False) as pipe:
            for lane, ids in by_lane.items():
                pipe.xack(STREAMS[lane], self._node, *ids)
            await pipe.execute()

    async def forget_consumers(self) -> None:
        """Remove the consumers that earlier processes of this workspace left behind."""
        for stream in STREAMS.values():
            for consumer in await self._redis.xinfo_consumers(stream, self._node):
                if consumer["name"] != self._consumer.encode() and not consumer["pending"]:
                    await self._redis.xgroup_delconsumer(stream, self._node, consumer["name"])

    async def groups(self, lane: int) -> tuple[dict[str, EntryId], dict[str, EntryId]]:
        """For each other workspace, the last entry handed to it, and the first of those that it has not confirmed.

        Raises:
            HistoryLost: Our own group is gone.
        """
        stream = STREAMS[lane]
        try:
            found = await self._redis.xinfo_groups(stream)
        except ResponseError as error:
            raise HistoryLost(str(error)) from error
        delivered: dict[str, EntryId] = {}
        pending: dict[str, EntryId] = {}
        for group in found:
            name = group["name"].decode()
            delivered[name] = as_id(group["last-delivered-id"])
            if group["pending"]:
                first = (await self._redis.xpending(stream, name))["min"]
                if first is not None:
                    pending[name] = as_id(first)
        if delivered.pop(self._node, None) is None:
            raise HistoryLost("our group is gone")
        pending.pop(self._node, None)
        return delivered, pending

    async def listen(self) -> Any:
        """A subscription to the channel, as an iterator over messages; close it."""
        channel = self._redis.pubsub(ignore_subscribe_messages=True)
        await channel.psubscribe(_PATTERN)
        return channel


def _finding(error: ResponseError) -> Exception:
    text = str(error)
    return HistoryLost(text) if text.startswith(("LOSTHISTORY", "NOGROUP", "UNBLOCKED")) else error


def _knows_idmp(about: Mapping[str, Any]) -> bool:
    """Whether XADD takes IDMP; Valkey counts its versions on its own and has none."""
    if about.get("server_name", "redis") != "redis":
        return False
    major, minor, *_ = (*str(about.get("redis_version", "0")).split("."), "0")
    return (int(major), int(minor)) >= _IDMP_SINCE
