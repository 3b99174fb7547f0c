from __future__ import annotations

import asyncio
import base64
import json
import os
import socket
import struct
import urllib.error
import urllib.request

import pytest
from tests.servers.hub import TOKEN, HubHost
from websockets.exceptions import ConnectionClosed, InvalidStatus

from reactor_core.errors import EnvironmentMissing
from reactor_core.events.hub import hub as module
from reactor_core.events.hub.server import is_local_page
from reactor_core.events.hub.wire import MAX_FRAME, SUBPROTOCOL, Ack, Hello, Packed


def ask(host: HubHost, path: str, **headers: str) -> tuple[int, dict, str]:
    request = urllib.request.Request(f"http://127.0.0.1:{host.port}{path}", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer), answer.headers["Content-Type"]
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error), error.headers["Content-Type"]


async def test_whoever_watches_it_can_ask_whether_it_lives(host, meeting):
    await meeting.join()
    assert await asyncio.to_thread(ask, host, "/health") == (200, {"status": "ok", "peers": 1}, "application/json")


def test_other_paths_and_wrong_tokens_are_problems(host):
    status, problem, kind = ask(host, "/nowhere")
    assert (status, problem["status"], kind) == (404, 404, "application/problem+json")
    status, problem, _ = ask(host, "/ws/events", Authorization="Bearer wrong")
    assert (status, problem["title"]) == (401, "Unauthorized")


async def test_a_wrong_token_is_refused_even_on_this_machine(host, meeting):
    with pytest.raises(InvalidStatus, match="401"):
        await meeting.connect(additional_headers={"Authorization": "Bearer wrong"})
    await meeting.join(headers={"Authorization": f"Bearer {TOKEN}", "Origin": "https://elsewhere.example"})


async def test_what_a_proxy_passed_on_does_not_count_as_this_machine(meeting):
    with pytest.raises(AssertionError, match="a token is needed"):
        await meeting.join(headers={"X-Forwarded-For": "203.0.113.7"})


@pytest.mark.parametrize(
    ("origin", "host", "local"),
    [
        (None, "hub.example:8000", True),
        ("http://localhost:3000", "127.0.0.1:8000", True),
        ("http://[::1]:3000", "localhost:8000", True),
        ("https://evil.example", "127.0.0.1:8000", False),
        ("http://rebound.example:8000", "rebound.example:8000", False),
        ("http://localhost:3000", "rebound.example:8000", False),
        ("null", "127.0.0.1:8000", False),
        ("http://localhost:3000", None, False),
    ],
)
def test_pages_of_other_sites_do_not_count_as_this_machine(origin, host, local):
    assert is_local_page(origin, host) is local


def test_an_address_that_is_taken_is_said(tmp_path, host):
    with pytest.raises(EnvironmentMissing, match="cannot listen"):
        HubHost(tmp_path / "second", port=host.port)


class Plug:
    """A TCP connection that has made the WebSocket handshake, for saying what no library would."""

    def __init__(self, host: HubHost, *, rcvbuf: int | None = None) -> None:
        self.socket = socket.socket()
        if rcvbuf is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        self.socket.settimeout(30)
        self.socket.connect(("127.0.0.1", host.port))
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET /ws/events HTTP/1.1\r\nHost: 127.0.0.1:{host.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Protocol: {SUBPROTOCOL}\r\n\r\n".encode()
        )
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self.socket.recv(4096)
        assert b" 101 " in answer

    def frame(self, opcode: int, payload: bytes, *, length: int | None = None) -> None:
        """Send one masked frame; ``length`` lies about it."""
        size = len(payload) if length is None else length
        mask = b"\x00\x00\x00\x00"
        if size < 126:
            head = struct.pack("!BB", 0x80 | opcode, 0x80 | size)
        elif size < 65536:
            head = struct.pack("!BBH", 0x80 | opcode, 0x80 | 126, size)
        else:
            head = struct.pack("!BBQ", 0x80 | opcode, 0x80 | 127, size)
        self.socket.sendall(head + mask + payload)

    def hello(self, **options) -> None:
        self.frame(1, module.msgspec.json.encode(Hello("plug", "scout", **options)))

    def close_code(self) -> int:
        """Read frames until the hub says goodbye, and hang up."""
        while True:
            head = self._read(2)
            size = head[1]
            if size == 126:
                size = struct.unpack("!H", self._read(2))[0]
            elif size == 127:
                size = struct.unpack("!Q", self._read(8))[0]
            payload = self._read(size)
            if head[0] & 15 == 8:
                self.socket.close()
                return struct.unpack("!H", payload[:2])[0]

    def _read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            chunk = self.socket.recv(size - len(data))
            assert chunk, "cut without a word"
            data += chunk
        return data

    def close(self) -> None:
        self.socket.close()


@pytest.fixture
def plug(host):
    plugs: list[Plug] = []

    def make(**options) -> Plug:
        plugs.append(Plug(host, **options))
        return plugs[-1]

    yield make
    for each in plugs:
        each.close()


async def still_serves(meeting, node: str = "well") -> None:
    """Nobody else is harmed."""
    one, two = await meeting.join(node), await meeting.join(node + "-too")
    (event,) = await one.publish(1)
    await one.acked(3, 1)
    assert [got for got, _, _ in await two.events(1)] == [event]


async def test_a_frame_of_a_gigabyte_is_refused_before_it_is_read(plug, meeting):
    peer = plug()
    peer.hello()
    peer.frame(2, b"x" * 1000, length=1 << 30)
    assert await asyncio.to_thread(peer.close_code) == 1009
    await still_serves(meeting)


async def test_half_a_frame_waits_and_then_breaks_only_its_own_connection(host, plug, meeting):
    peer = plug()
    peer.hello()
    peer.frame(2, b"\x82\xa4type", length=5000)
    await still_serves(meeting)
    peer.close()
    await meeting.until(lambda: "plug" not in {each.source for each in host.hub.peers()})


@pytest.mark.parametrize(
    ("opcode", "payload", "code"),
    [
        (1, b"\xff\xfe not utf-8", 1007),
        (2, b"\x91" * 200_000, 1002),
        (2, b"\xc1 no msgpack", 1002),
        (1, b"[" * 200_000, 1002),
        (1, b'{"type": "ack", "credit": "all of it"}', 1002),
        (1, b'{"type": "latch", "state": {"tripped_epoch": -1}}', 1002),
        (3, b"reserved opcode", 1002),
    ],
    ids=["utf-8", "deep msgpack", "no msgpack", "deep json", "wrong kind", "wrong epoch", "opcode"],
)
async def test_what_breaks_the_protocol_ends_its_own_connection(plug, meeting, opcode, payload, code):
    peer = plug()
    peer.hello()
    peer.frame(opcode, payload)
    assert await asyncio.to_thread(peer.close_code) == code
    await still_serves(meeting)


async def test_who_says_nothing_is_sent_away(plug, meeting, monkeypatch):
    monkeypatch.setattr(module, "HANDSHAKE_SECONDS", 0.2)
    peer = plug()
    assert await asyncio.to_thread(peer.close_code) == 1008
    await still_serves(meeting)


async def test_an_unknown_frame_is_passed_over(meeting):
    peer = await meeting.join()
    await peer.socket.send('{"type": "moon_phase"}')
    await still_serves(meeting)
    await peer.publish(1)
    await peer.acked(3, 1)


async def test_a_deep_payload_is_refused_and_the_connection_goes_on(meeting):
    peer = await meeting.join()
    deep = b'{"data": {"deep": ' + b"[" * 50_000 + b"]" * 50_000 + b'}, "metadata": {}}'
    packed = Packed("0123456789abcdef", "tick", "scout", 3, 0, deep, 1)
    await peer.socket.send(peer.codec.events([packed], early=False))
    await peer.publish(1, first=2)
    await peer.acked(3, 2)


async def test_a_peer_that_never_reads_delays_nobody_and_costs_little(host, plug, meeting):
    peer = plug(rcvbuf=4096)
    peer.hello(credit=1 << 20)
    one, two = await meeting.join("one"), await meeting.join("two")
    first = 1
    for _ in range(40):  # some megabytes, far more than the sockets hold
        sent = await one.publish(*range(100), first=first, text="x" * 1000)
        first += 100
        assert [event for event, _, _ in await two.events(100)] == sent
    await one.publish(1, first=first, lane=1)
    assert (await two.events(2))[0][0].priority == 1
    assert len(host.hub.peers()) == 3


async def test_a_peer_that_ignores_its_credit_is_slowed_by_its_own_disk(host, meeting):
    peer = await meeting.join()
    total = 60
    for number in range(total):  # a megabyte each, all at once
        await peer.publish(number, first=number + 1, text="x" * 1_000_000)
    await peer.acked(3, total)
    assert host.journal.head().seq == total
    await still_serves(meeting)


async def test_too_many_peers_are_asked_to_come_later(host, meeting, monkeypatch):
    monkeypatch.setattr(module, "MAX_PEERS", 1)
    await meeting.join("one")
    socket = await meeting.connect(subprotocols=[SUBPROTOCOL])
    with pytest.raises(ConnectionClosed, match="1013"):
        await socket.recv()


async def test_a_long_frame_of_small_events_is_taken_whole(host, meeting):
    peer = await meeting.join()
    events = await peer.publish(*range(20_000))
    await peer.acked(3, 20_000)
    assert host.journal.head().seq == len(events)
    assert sum(len(event.payload()) + 100 for event in events) < MAX_FRAME


@pytest.mark.slow
@pytest.mark.timeout(1200)
async def test_a_million_tiny_events_arrive(host, meeting):
    one, two = await meeting.join("one"), await meeting.join("two")
    total, step = 1_000_000, 10_000

    async def send() -> None:
        for first in range(1, total, step):
            await one.publish(*range(first, first + step), first=first)
            await one.acked(3, first + step - 1)

    async def count() -> int:
        seen = 0
        while seen < total:
            seen += len(await two.events(1))
        return seen

    async with asyncio.timeout(1100):
        _, seen = await asyncio.gather(send(), count())
    assert seen == total == host.journal.head().seq


async def test_a_peer_may_give_credit_for_ever(meeting):
    one, two = await meeting.join("one"), await meeting.join("two")
    for _ in range(10):
        await two.send(Ack(credit=2**62))
    await two.send(Ack(credit=-(2**62)))
    await one.publish(1)
    assert len(await two.events(1)) == 1
