"""The commands, one by one, against a real server (Valkey)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from redis.asyncio import Redis
from tests.servers.valkey import ValkeyServer

from reactor_core.events.transports.redis_ledger import as_id
from reactor_core.events.transports.redis_server import (
    CHANNEL,
    EPOCH,
    STREAMS,
    HistoryLost,
    Outgoing,
    Server,
    _knows_idmp,
)


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer]:
    server = ValkeyServer(tmp_path_factory.mktemp("redis"), durable=False)
    yield server
    server.kill()


@pytest.fixture
async def redis(valkey: ValkeyServer) -> AsyncIterator[Redis]:
    async with Redis.from_url(valkey.url) as client:
        await client.flushall()
        yield client


@pytest.fixture
async def open_server(valkey: ValkeyServer, redis: Redis) -> AsyncIterator:
    opened: list[Server] = []

    async def open_server(node: str = "here", consumer: str = "one", *, keep: int = 1000) -> Server:
        server = Server(valkey.url, node=node, consumer=consumer, keep=keep)
        opened.append(server)
        await server.open("first")
        await server.make_groups("0")
        return server

    yield open_server
    for server in opened:
        await server.close()


def events(*numbers: int, lane: int = 3) -> list[Outgoing]:
    return [Outgoing(lane, f"id{number}", b'{"n":%d}' % number) for number in numbers]


async def test_the_first_to_come_names_the_epoch(open_server):
    here, there = await open_server(), await open_server("there")
    assert await here.open("mine") == await there.open("other") == "first"


async def test_what_is_added_is_read_by_every_group_and_claimed_until_it_is_confirmed(open_server):
    here, there = await open_server(), await open_server("there")
    ids = await here.add("first", events(1, 2))
    for server in (here, there):
        entries = await server.read((2, 3), block_ms=10, count=10)
        assert [(entry.lane, entry.entry_id) for entry in entries] == [(3, ids[0]), (3, ids[1])]
        assert entries[0].fields == {b"node": b"here", b"event": b'{"n":1}'}
    assert await there.read((3,), block_ms=10, count=10) == []
    await there.confirm(entries[:1])
    heir = await open_server("there", "two")
    assert [entry.entry_id for entry in await heir.claim(3)] == ids[1:]
    await heir.forget_consumers()
    await heir.confirm(entries)
    assert await heir.claim(3) == []


async def test_nothing_is_added_once_the_epoch_is_another_one(open_server, redis):
    here = await open_server()
    await redis.set(EPOCH, "other")
    with pytest.raises(HistoryLost, match="epoch"):
        await here.add("first", events(1))
    assert await redis.xlen(STREAMS[3]) == 0


async def test_a_server_that_refuses_idempotent_adding_is_served_without_it(open_server, redis):
    here = await open_server()
    here._idmp = True  # as if it had claimed to be a Redis 8.6
    (entry,) = await here.add("first", events(1))
    assert await redis.xrange(STREAMS[3]) == [(entry.encode(), {b"node": b"here", b"event": b'{"n":1}'})]


async def test_a_flush_is_noticed_by_every_command_that_needs_a_group(open_server, redis):
    here = await open_server()
    await redis.flushall()
    with pytest.raises(HistoryLost):
        await here.read((1,), block_ms=10, count=1)
    with pytest.raises(HistoryLost):
        await here.groups(3)
    assert await here.trimmed(3) is None


async def test_early_events_say_so(open_server):
    here = await open_server()
    await here.add("first", [Outgoing(1, "id", b"{}", early=True)])
    (entry,) = await here.read((1,), block_ms=10, count=1)
    assert entry.fields[b"early"] == b"1"


async def test_only_neighbours_make_it_publish(open_server, redis):
    here = await open_server()
    ours = await here.listen()
    await here.add("first", events(1))
    async with redis.pubsub(ignore_subscribe_messages=True) as channel:
        await channel.subscribe(CHANNEL)
        await channel.get_message(timeout=5)
        await here.add("first", [*events(2), Outgoing(3, "quiet", b'{"n":3}', mirror=False), *events(4)])
        heard = []
        while len(heard) < 2:
            if message := await channel.get_message(timeout=5):
                heard.append(message["data"])
    assert heard == [b'{"n":%d,"mirror_of":"reactor:events:3"}' % number for number in (2, 4)]
    await ours.aclose()


async def test_entries_that_are_gone_and_why(open_server, redis):
    here = await open_server(keep=100)
    (first,) = await here.add("first", events(1))
    assert await here.missing({3: first}) == {}
    await redis.xdel(STREAMS[3], first)
    assert await here.missing({3: first}) == {3: False}
    await here.add("first", events(*range(400)))
    assert await here.missing({3: first}) == {3: True}


async def test_what_was_trimmed_before_the_group_had_it_is_counted(open_server):
    here, there = await open_server(keep=100), await open_server("there")
    await here.add("first", events(*range(10)))
    handed = (await there.read((3,), block_ms=10, count=10))[-1].entry_id
    assert await there.trimmed(3) is None
    for _ in range(20):
        await here.add("first", events(*range(50)))
    last, first, lost = await there.trimmed(3)
    assert last == handed
    assert as_id(first) > as_id(handed)
    left = await there.read((3,), block_ms=10, count=5000)
    assert (left[0].entry_id, len(left) + lost) == (first, 1000)


async def test_how_far_the_others_are(open_server):
    here, there = await open_server(), await open_server("there")
    ids = await here.add("first", events(1, 2, 3))
    entries = await there.read((3,), block_ms=10, count=2)
    assert await here.groups(3) == ({"there": as_id(ids[1])}, {"there": as_id(ids[0])})
    await there.confirm(entries)
    assert await here.groups(3) == ({"there": as_id(ids[1])}, {})


@pytest.mark.parametrize(
    ("about", "knows"),
    [
        ({"redis_version": "6.2.14"}, False),
        ({"redis_version": "8.4.9"}, False),
        ({"redis_version": "8.6.0"}, True),
        ({"redis_version": "10.0.0"}, True),
        ({"redis_version": "9.1.2", "server_name": "valkey"}, False),
        ({}, False),
    ],
)
def test_only_a_redis_since_8_6_knows_idempotent_adding(about, knows):
    assert _knows_idmp(about) is knows
