"""Against a real server (Valkey), which is killed, started again and flushed."""

from __future__ import annotations

import asyncio
import itertools
import json
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from redis import Redis as SyncRedis
from redis.asyncio import Redis
from tests.servers.proxy import Proxy
from tests.servers.valkey import ValkeyServer

from reactor_core.errors import ConfigError
from reactor_core.events import Event, Journal, new_event
from reactor_core.events.bus import Bus
from reactor_core.events.loop_thread import LoopThread
from reactor_core.events.transports import RedisRelay, RelayGroup
from reactor_core.events.transports.redis_server import LATCHES
from reactor_core.events.transports.redis_streams import CHANNEL, STREAMS
from reactor_core.integration import EventBridge, EventType


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ValkeyServer]:
    server = ValkeyServer(tmp_path / "redis")
    yield server
    server.kill()


@pytest.fixture
def forgetful(tmp_path: Path) -> Iterator[ValkeyServer]:
    """A server that loses everything when it is killed."""
    server = ValkeyServer(tmp_path / "redis", durable=False)
    yield server
    server.kill()


@pytest.fixture
async def bridges(tmp_path: Path, server: ValkeyServer) -> AsyncIterator[tuple[EventBridge, EventBridge]]:
    async with (
        EventBridge("reactor_core", None, False, server.url, workspace=tmp_path / "one") as one,
        EventBridge("scout", None, False, server.url, workspace=tmp_path / "two") as two,
    ):
        yield one, two


class Station:
    """A workspace with one relay that tries again at once."""

    def __init__(self, workspace: Path, url: str, **options) -> None:
        self.journal = Journal(workspace / "reactor.db")
        self.thread = LoopThread(workspace.name)
        self.thread.start()
        self.bus = Bus(self.journal, self.thread, target=workspace.name)
        self.name = workspace.name
        self.closed = False
        self.relay = RedisRelay(
            url,
            journal=self.journal,
            bus=self.bus,
            source=workspace.name,
            workspace=workspace,
            backoff=lambda: itertools.repeat(0.02),
            **options,
        )
        self.group = RelayGroup([self.relay], self.thread)

    def publish(self, *numbers: int, lane: int = 3) -> list[Event]:
        made = [new_event(self.name, "tick", {"n": number}, priority=lane) for number in numbers]
        futures = [self.journal.append(event, payload=payload) for event, payload in made]
        return [future.result(30).event for future in futures]

    def numbers(self, source: str | None = None, lane: int = 3) -> list[int]:
        """The numbers of another station's events, in the order in which this one stored them."""
        return [
            event.data["n"]
            for event in self.journal.read()
            if event.event_type == "tick" and event.priority == lane and source in (None, event.source)
        ]

    def gaps(self) -> list[dict]:
        return [event.data for event in self.journal.read() if event.event_type == EventType.GAP]

    def until(self, true: Callable[[], bool], seconds: float = 30) -> None:
        """Wait until something holds; looked at whenever something is committed or half a second has gone by."""

        async def wait() -> None:
            bell = asyncio.Event()
            self.bus.add_bell(bell)
            async with asyncio.timeout(seconds):
                while not true():
                    bell.clear()
                    try:
                        async with asyncio.timeout(0.05):
                            await bell.wait()
                    except TimeoutError:
                        pass

        self.thread.submit(wait()).result(seconds + 10)

    def connected(self) -> None:
        self.until(lambda: self.relay.status.state == "connected")

    def close(self, seconds: float = 5) -> None:
        if self.closed:
            return
        self.closed = True
        self.thread.submit(self.group.close(seconds)).result(30)
        self.thread.submit(self.bus.close()).result(30)
        self.thread.stop()
        self.journal.close()


@pytest.fixture
def stations(tmp_path: Path):
    opened: list[Station] = []

    def open_station(name: str, url: str, **options) -> Station:
        station = Station(tmp_path / name, url, **options)
        opened.append(station)
        return station

    yield open_station
    for station in opened:
        station.close(0)


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
    await one.publish(EventType.COST_ALERT, {"total": 90.0})
    await one.publish(EventType.INFERENCE_METRICS, {"tokens": 5})
    await take(two, 2)
    async with Redis.from_url(server.url) as client:
        lengths = {lane: await client.xlen(stream) for lane, stream in STREAMS.items()}
    assert lengths == {1: 0, 2: 1, 3: 0, 4: 1}


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
    assert (event["event_type"], event["payload"], event["mirror_of"]) == ("tick", {"n": 1}, STREAMS[3])


async def test_what_an_old_neighbour_says_on_the_channel_is_stored_by_all(bridges, server):
    one, two = bridges
    message = {"event_id": "ab12cd34", "event_type": "interaction_end", "source": "jarvis_agent",
               "timestamp": "2026-11-21T12:00:00+00:00", "payload": {"n": 7}, "priority": 5}  # fmt: skip
    async with Redis.from_url(server.url) as client, asyncio.timeout(30):
        while await client.publish(CHANNEL, json.dumps(message)) < 2:
            pass  # until both listen
    for bridge in (one, two):
        assert (await take(bridge, 1))[0].data == {"n": 7}
    async with Redis.from_url(server.url) as client:
        assert await client.xlen(STREAMS[3]) == 0


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
    assert await two.get_events_by_type(EventType.GAP) == []


async def test_a_workspace_that_was_away_reads_what_came_meanwhile(bridges, server, tmp_path):
    one, two = bridges
    await one.publish("tick", {"n": 0})
    await take(two, 1)
    await two.aclose()
    await one.publish("tick", {"n": 1})
    async with EventBridge("scout", None, False, server.url, workspace=tmp_path / "two") as again:
        assert [event.data["n"] for event in await take(again, 2)] == [0, 1]


def test_after_a_flush_everything_arrives_once_in_order_and_the_loss_is_said(stations, server):
    one, two = (stations(name, server.url) for name in ("one", "two"))
    one.connected(), two.connected()
    one.publish(*range(20))
    two.until(lambda: len(two.numbers()) == 20)
    flush(server)
    one.publish(*range(20, 40))
    two.publish(100)
    two.until(lambda: len(two.numbers("one")) == 40)
    one.until(lambda: one.numbers("two") == [100])
    assert two.numbers("one") == list(range(40))
    for station in (one, two):
        station.until(lambda station=station: station.gaps() != [])
        assert {gap["reason"] for gap in station.gaps()} == {"the server has lost its history"}


def test_what_a_workspace_that_was_away_at_the_flush_had_not_read_is_sent_again(stations, server):
    one, two = (stations(name, server.url) for name in ("one", "two"))
    one.connected(), two.connected()
    one.publish(0, 1, 2)
    two.until(lambda: len(two.numbers()) == 3)
    two.close()
    one.publish(*range(3, 30))
    one.until(lambda: one.relay.status.sent == 30)
    flush(server)
    one.until(lambda: one.gaps() != [])
    again = stations("two", server.url)
    one.publish(30)
    again.until(lambda: len(again.numbers()) == 31)
    assert again.numbers() == list(range(31))


def test_a_server_that_forgot_everything_in_a_crash_gets_it_again(stations, forgetful):
    one, two = (stations(name, forgetful.url) for name in ("one", "two"))
    one.connected(), two.connected()
    one.publish(0)
    two.until(lambda: two.numbers() == [0])
    two.close()
    one.publish(*range(1, 50))
    one.until(lambda: one.relay.status.sent == 50)
    forgetful.kill()
    one.publish(*range(50, 60))
    forgetful.start()
    again = stations("two", forgetful.url)
    again.until(lambda: len(again.numbers()) == 60)
    assert again.numbers() == list(range(60))


def test_a_server_that_lost_its_end_gets_that_again(stations, tmp_path):
    """As after a crash with an fsync each second: the file is older than what was answered."""
    server = ValkeyServer(tmp_path / "redis")
    try:
        one, two = (stations(name, server.url) for name in ("one", "two"))
        one.connected(), two.connected()
        one.publish(*range(10))
        two.until(lambda: len(two.numbers()) == 10)
        two.close()
        one.publish(*range(10, 20))
        one.until(lambda: one.relay.status.sent == 20)
        server.kill()
        cut_log(server, keep=lambda log: log.index(b'"n":15'))
        server.start()
        one.publish(*range(20, 25))
        again = stations("two", server.url)
        again.until(lambda: len(again.numbers()) == 25)
        assert again.numbers() == list(range(25))
    finally:
        server.kill()


@pytest.fixture
def cable(server: ValkeyServer) -> Iterator[Proxy]:
    cable = Proxy(server.port)
    yield cable
    cable.close()


@pytest.mark.parametrize("damage", [Proxy.cut, Proxy.hold])
def test_a_bad_cable_loses_nothing(server, cable, stations, damage):
    one, two = stations("one", f"redis://127.0.0.1:{cable.port}"), stations("two", server.url)
    one.connected(), two.connected()
    for number in range(0, 300, 100):
        one.publish(*range(number, number + 50))
        damage(cable)
        one.publish(*range(number + 50, number + 100))
        two.publish(number)
        cable.mend()
    two.until(lambda: len(two.numbers("one")) == 300)
    one.until(lambda: len(one.numbers("two")) == 3)
    assert (two.numbers("one"), one.numbers("two")) == (list(range(300)), [0, 100, 200])
    assert one.gaps() == two.gaps() == []


@pytest.mark.slow
def test_a_server_that_says_nothing_any_more_counts_as_away(server, cable, stations):
    one, two = stations("one", f"redis://127.0.0.1:{cable.port}"), stations("two", server.url)
    one.connected(), two.connected()
    cable.hold()
    one.publish(*range(100))
    one.until(lambda: one.relay.status.state == "down")
    cable.mend()
    two.until(lambda: len(two.numbers()) == 100)
    assert two.numbers() == list(range(100))


def test_what_a_dead_process_was_handed_and_never_stored_is_taken_over(stations, server):
    one, two = (stations(name, server.url) for name in ("one", "two"))
    one.connected(), two.connected()
    two.close()
    one.publish(*range(5))
    one.until(lambda: one.relay.status.sent == 5)

    stream, group = STREAMS[3], two.journal.journal_id
    with client(server) as redis:  # what a process does that is killed between reading and storing
        redis.xreadgroup(group, "dead", {stream: ">"}, count=3)
    again = stations("two", server.url)
    again.until(lambda: len(again.numbers()) == 5)
    assert again.numbers() == list(range(5))
    with client(server) as redis:
        again.until(lambda: redis.xpending(stream, group)["pending"] == 0)
        again.until(lambda: b"dead" not in [consumer["name"] for consumer in redis.xinfo_consumers(stream, group)])


def test_a_workspace_that_was_away_too_long_says_what_it_missed(stations, server):
    one, two = (stations(name, server.url, keep=200) for name in ("one", "two"))
    one.connected(), two.connected()
    one.publish(0)
    with client(server) as redis:
        two.until(lambda: two.numbers() == [0])
        two.until(lambda: redis.xpending(STREAMS[3], two.journal.journal_id)["pending"] == 0)
    two.close()
    one.publish(*range(1, 1001))
    one.until(lambda: one.relay.status.sent == 1001)
    again = stations("two", server.url, keep=200)
    again.until(lambda: again.numbers()[-1:] == [1000])
    (gap,) = again.gaps()
    assert (gap["reason"], gap["lane"]) == ("entries were trimmed before this workspace read them", 3)
    numbers = again.numbers()
    assert numbers == sorted(set(numbers))
    assert 200 <= len(numbers) == 1001 - gap["lost"]


def test_an_urgent_event_goes_out_before_its_commit_and_again_after_it(stations, server):
    one, two = (stations(name, server.url) for name in ("one", "two"))
    one.connected(), two.connected()
    event, payload = new_event("one", "kill_switch_triggered", {"action": "x"})
    one.thread.loop.call_soon_threadsafe(one.bus.hand_out_early, event)
    two.until(lambda: two.journal.has(event.event_id))
    assert [early.event_id for early in two.journal.unconfirmed()] == [event.event_id]
    one.journal.append(event, payload=payload).result(30)
    two.until(lambda: two.journal.unconfirmed() == [])
    assert [stored.event_id for stored in two.journal.read()] == [event.event_id]


def test_an_urgent_event_overtakes_a_backlog(stations, server):
    one, two = (stations(name, server.url) for name in ("one", "two"))
    one.connected(), two.connected()
    server.kill()
    one.until(lambda: one.relay.status.state == "down")
    one.publish(*range(3000))
    (urgent,) = one.publish(0, lane=1)
    server.start()
    two.until(lambda: two.journal.has(urgent.event_id))
    assert len(two.numbers()) < 3000
    two.until(lambda: len(two.numbers()) == 3000)
    assert two.numbers() == list(range(3000))


def test_large_events_arrive_in_small_answers(stations, server):
    one, two = (stations(name, server.url) for name in ("one", "two"))
    one.connected(), two.connected()
    for number in range(40):
        event, payload = new_event("one", "tick", {"n": number, "text": "x" * 400_000})
        one.journal.append(event, payload=payload).result(30)
    two.until(lambda: len(two.numbers()) == 40)
    assert two.numbers() == list(range(40))


def test_what_was_pruned_before_a_flush_asked_for_it_again_is_a_gap(stations, server):
    one = stations("one", server.url)
    one.connected()
    one.publish(*range(10))
    one.until(lambda: one.relay.status.sent == 10)
    one.journal.work(lambda db: db.execute("DELETE FROM events WHERE seq <= 6")).result(30)
    flush(server)
    one.until(lambda: len(one.gaps()) == 5)
    assert [(gap["lane"], gap["lost_to"]) for gap in one.gaps()[1:]] == [(lane, 6) for lane in (1, 2, 3, 4)]


async def test_who_comes_later_is_halted_if_another_workspace_is(server, tmp_path):
    async with EventBridge("reactor_core", None, False, server.url, workspace=tmp_path / "one") as one:
        await one.emit_kill_switch_triggered("mouse_corner", "Sending 500 emails", 147.3)
        async with Redis.from_url(server.url) as redis, asyncio.timeout(30):
            while b"Sending" not in b"".join((await redis.hgetall(LATCHES)).values()):
                pass
            await redis.xtrim(STREAMS[1], maxlen=0)  # the event is long gone
        async with EventBridge("scout", None, False, server.url, workspace=tmp_path / "two") as two:
            halted = asyncio.Event()
            loop = asyncio.get_running_loop()
            two.on_halt(lambda *_: loop.call_soon_threadsafe(halted.set))
            async with asyncio.timeout(30):
                await halted.wait()
            assert two.latch.state().reason == one.latch.state().reason


def test_what_others_confirmed_is_not_sent_again_after_a_flush(stations, server):
    one, two = (stations(name, server.url, grace=0) for name in ("one", "two"))
    one.connected(), two.connected()
    events = one.publish(*range(10))
    two.until(lambda: len(two.numbers()) == 10)
    one.until(lambda: one.relay.state_rows()[f"{one.relay.name}#state"].find(f'"3":{events[-1].seq}') > 0)
    flush(server)
    one.publish(10)
    two.until(lambda: len(two.numbers()) == 11)

    with client(server) as redis:
        assert redis.xlen(STREAMS[3]) == 1


def test_a_user_needs_no_more_rights_than_the_guide_says(stations, server):
    guide = Path(__file__).parents[4] / "docs" / "how-to" / "connect-hosts.md"
    (rights,) = (line for line in guide.read_text().splitlines() if line.startswith("ACL SETUSER reactor "))
    with client(server) as redis:
        redis.execute_command(*rights.replace("<password>", "secret").split())
    url = server.url.replace("redis://", "redis://reactor:secret@")
    one, two = (stations(name, url) for name in ("one", "two"))
    one.connected(), two.connected()
    one.publish(*range(5))
    two.until(lambda: two.numbers() == list(range(5)))
    assert "secret" not in one.relay.name


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


def client(server: ValkeyServer) -> SyncRedis:
    return SyncRedis.from_url(server.url)


def flush(server: ValkeyServer) -> None:
    with client(server) as redis:
        redis.flushall()


def cut_log(server: ValkeyServer, *, keep: Callable[[bytes], int]) -> None:
    """Cut the end off the append-only file."""
    (path,) = server.folder.glob("appendonlydir/*.incr.aof")
    log = path.read_bytes()
    path.write_bytes(log[: keep(log)])


def test_a_server_on_a_socket_of_this_machine(stations, server, tmp_path):
    path = tmp_path / "redis.sock"
    server.kill()
    server.start("--unixsocket", str(path))
    one, two = stations("one", f"unix://{path}"), stations("two", server.url)
    one.connected(), two.connected()
    one.publish(1)
    two.until(lambda: two.numbers() == [1])
    assert one.relay.name == f"unix://{path}"
