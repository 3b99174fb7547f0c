"""Peers that break every rule of the hub's protocol, over plain sockets. Each attack returns its socket, still open."""

from __future__ import annotations

import base64
import json
import os
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Any

TEXT, BINARY = 1, 2
IDENTITY = {"type": "identity", "source": "scout"}


def upgrade(port: int, *, receive: int | None = None) -> socket.socket:
    """A WebSocket after its handshake.

    Args:
        receive: Bytes of the socket's receiving buffer.
    """
    peer = socket.socket()
    if receive is not None:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
    peer.settimeout(30)
    peer.connect(("127.0.0.1", port))
    key = base64.b64encode(os.urandom(16)).decode()
    peer.sendall(
        f"GET /ws/events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += peer.recv(1)
    assert b" 101 " in answer
    return peer


def frame(kind: int, payload: bytes, *, announced: int | None = None) -> bytes:
    """A masked frame, which may announce another length than it has."""
    size = len(payload) if announced is None else announced
    if size < 126:
        head = struct.pack("!BB", 0x80 | kind, 0x80 | size)
    elif size < 1 << 16:
        head = struct.pack("!BBH", 0x80 | kind, 0x80 | 126, size)
    else:
        head = struct.pack("!BBQ", 0x80 | kind, 0x80 | 127, size)
    return head + bytes(4) + payload  # a mask of zeros


def spell(value: Any) -> bytes:
    return frame(TEXT, json.dumps(value).encode())


def event(number: int, **changes: Any) -> dict[str, Any]:
    """An event of an old neighbour."""
    return {
        "event_id": f"attack-on-the-hub-{number:08x}",
        "event_type": "noise",
        "source": "scout",
        "payload": {"n": number},
        "priority": 4,
        **changes,
    }


def join(port: int, **options: Any) -> socket.socket:
    peer = upgrade(port, **options)
    peer.sendall(spell(IDENTITY))
    return peer


def says_nothing(port: int) -> socket.socket:
    return upgrade(port)


def half_a_frame(port: int) -> socket.socket:
    peer = join(port)
    peer.sendall(frame(TEXT, b'{"event_id"', announced=4000))
    return peer


def a_frame_of_a_gigabyte(port: int) -> socket.socket:
    peer = join(port)
    with suppress(OSError):  # it is cut off as soon as it has told the length
        peer.sendall(frame(BINARY, b"x" * (1 << 20), announced=1 << 30))
    return peer


def text_that_is_no_utf8(port: int) -> socket.socket:
    peer = join(port)
    peer.sendall(frame(TEXT, b'{"event_id": "\xff\xfe"}'))
    return peer


def json_of_great_depth(port: int) -> socket.socket:
    peer = join(port)
    deep = b'{"a":' * 50_000 + b"1" + b"}" * 50_000
    peer.sendall(
        frame(TEXT, b'{"event_id":"deep-json-00000001","event_type":"noise","source":"x","payload":' + deep + b"}")
    )
    return peer


def a_first_frame_that_is_nonsense(port: int) -> socket.socket:
    peer = upgrade(port)
    peer.sendall(frame(BINARY, os.urandom(1000)))
    return peer


def one_id_for_many_events(port: int) -> socket.socket:
    peer = join(port)
    for number in range(50):
        peer.sendall(spell(event(0, payload={"n": number})))
    return peer


def unknown_types_and_missing_fields(port: int) -> socket.socket:
    peer = join(port)
    strange = event(1_000)
    peer.sendall(spell(event(1_001, event_type="never heard of", priority=10**30)))
    for name in strange:
        peer.sendall(spell({key: value for key, value in strange.items() if key != name}))
        peer.sendall(spell({**strange, name: [[]]}))
    peer.sendall(spell([]) + spell(None) + spell({"type": "welcome"}))
    return peer


def many_tiny_events(port: int) -> socket.socket:
    peer = join(port)
    for start in range(0, 2_000, 100):
        peer.sendall(b"".join(spell(event(10_000 + start + step)) for step in range(100)))
    return peer


def never_reads(port: int) -> socket.socket:
    return join(port, receive=2048)


def a_reset(port: int) -> socket.socket:
    peer = join(port)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()
    return peer


ATTACKS: tuple[Callable[[int], socket.socket], ...] = (
    says_nothing,
    half_a_frame,
    a_frame_of_a_gigabyte,
    text_that_is_no_utf8,
    json_of_great_depth,
    a_first_frame_that_is_nonsense,
    one_id_for_many_events,
    unknown_types_and_missing_fields,
    many_tiny_events,
    never_reads,
    a_reset,
)
