"""What stations and the watcher say to each other, and where they meet.

They meet at a Unix socket without a file (Linux's abstract namespace), named after the workspace's folder on its disk:
it is there exactly as long as its watcher, only one process can have it, and a workspace stays safe to copy. Each side
asks the kernel who the other is, and talks to processes of its own user only.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import struct
from pathlib import Path

import msgspec

from reactor_core.errors import EnvironmentMissing, StorageError

__all__ = [
    "Ask",
    "Beat",
    "Dismiss",
    "Echo",
    "Enlist",
    "Enlisted",
    "FromStation",
    "FromWatcher",
    "Halt",
    "Hello",
    "Lost",
    "Refused",
    "Standing",
    "Stepped",
    "StopReport",
    "Trip",
    "bind",
    "connect",
    "is_ours",
    "receive",
    "send",
]

MAX_MESSAGE = 65_536


class Lost(Exception):
    """The other side is gone."""


class Hello(msgspec.Struct, frozen=True, tag="hello"):
    """A station takes its lease.

    Args:
        pid: Its process.
        name: What it calls itself.
        mark: Value of the variable that marks its actions.
        lease: Seconds for which it may be silent.
        display: X display that it has; empty if none.
    """

    pid: int
    name: str
    mark: str
    lease: float
    display: str = ""


class Beat(msgspec.Struct, frozen=True, tag="beat"):
    """The station lives.

    Args:
        number: Counts the beats.
        busy: Whether a step is running, or was just now.
        doing: The step.
    """

    number: int
    busy: bool
    doing: str = ""


class Enlist(msgspec.Struct, frozen=True, tag="enlist"):
    """A process acts on the station's behalf.

    Args:
        pid: Its number.
        born: When it began (:class:`~reactor_core.safety.kill.processes.Member`).
        category: 0: it is killed; 1: it is asked to end first.
        action: What it does.
    """

    pid: int
    born: int
    category: int
    action: str


class Dismiss(msgspec.Struct, frozen=True, tag="dismiss"):
    """A process acts no more."""

    pid: int


class Stepped(msgspec.Struct, frozen=True, tag="stepped"):
    """The station has heard of the halt, and its steps have ended or go on.

    Args:
        epoch: The halt.
        running: Steps that go on.
        at: When the last one ended, or when it heard, on the machine's monotonic clock.
        stopped: Processes that it ended itself.
    """

    epoch: int
    running: int
    at: float
    stopped: tuple[int, ...] = ()


class Trip(msgspec.Struct, frozen=True, tag="trip"):
    """Halt everything.

    Args:
        method: How it was triggered.
        reason: Why.
        action: What was going on; empty: the watcher knows.
        at: When it was triggered, on the machine's monotonic clock.
        event_id: Of the event that will say so.
        by: Who did it.
    """

    method: str
    reason: str
    action: str
    at: float
    event_id: str
    by: str


class Ask(msgspec.Struct, frozen=True, tag="ask"):
    """How does it stand?"""


class Echo(msgspec.Struct, frozen=True, tag="echo"):
    """Answer to a beat or a greeting: the watcher lives.

    Args:
        number: The beat's.
        epoch: The last trip that it knows.
        tripped: Whether that one holds.
    """

    number: int
    epoch: int
    tripped: bool


class Enlisted(msgspec.Struct, frozen=True, tag="enlisted"):
    """Answer to :class:`Enlist`: it is known, and whether it was killed since everything is halted."""

    pid: int
    halted: bool


class Halt(msgspec.Struct, frozen=True, tag="halt"):
    """Stand still.

    Args:
        epoch: The trip.
        reason: Why.
    """

    epoch: int
    reason: str


class StopReport(msgspec.Struct, frozen=True, tag="report"):
    """Answer to :class:`Trip`: everything of this workspace stands, or most of it.

    Args:
        epoch: The trip.
        event_id: The event that says so.
        response_time_ms: From the trigger to the last side effect.
        stopped: Processes that were ended.
        survivors: Processes that could not be.
        steps_pending: Atomic steps that are still being finished.
    """

    epoch: int
    event_id: str
    response_time_ms: float
    stopped: int
    survivors: tuple[int, ...]
    steps_pending: int


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """Answer to what the watcher does not do."""

    reason: str


class Standing(msgspec.Struct, frozen=True, tag="standing"):
    """Answer to :class:`Ask`.

    Args:
        pid: The watcher's process.
        stations: Leases.
        actions: Processes that act.
        triggers: What it watches: mouse corner, hotkey.
    """

    pid: int
    stations: tuple[str, ...]
    actions: tuple[str, ...]
    triggers: tuple[str, ...]


FromStation = Hello | Beat | Enlist | Dismiss | Stepped | Trip | Ask
FromWatcher = Echo | Enlisted | Halt | StopReport | Refused | Standing

_encoder = msgspec.msgpack.Encoder()
_from_station: msgspec.msgpack.Decoder[FromStation] = msgspec.msgpack.Decoder(FromStation)
_from_watcher: msgspec.msgpack.Decoder[FromWatcher] = msgspec.msgpack.Decoder(FromWatcher)


def bind(workspace: Path) -> socket.socket | None:
    """The watcher's end; None if another process is the workspace's watcher.

    Raises:
        StorageError: There is no such folder.
    """
    address, listening = _address(workspace), _socket()
    try:
        listening.bind(address)
        listening.listen(128)
    except OSError:  # the address is taken
        listening.close()
        return None
    return listening


def connect(workspace: Path) -> socket.socket | None:
    """A station's end; None if the workspace has no watcher.

    Raises:
        EnvironmentMissing: Another user holds the watcher's place.
        StorageError: There is no such folder.
    """
    address, connected = _address(workspace), _socket()
    try:
        connected.connect(address)
    except OSError:
        connected.close()
        return None
    if not is_ours(connected):
        connected.close()
        raise EnvironmentMissing(
            "another user holds the place of this workspace's watcher", remedy="move the workspace"
        )
    return connected


def is_ours(connected: socket.socket) -> bool:
    """Whether the other side runs as this user, or as root."""
    given = connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return struct.unpack("3i", given)[1] in (os.getuid(), 0)


def send(connected: socket.socket, message: FromStation | FromWatcher) -> None:
    """Say something; it arrives as a whole.

    Raises:
        Lost: The other side is gone, or takes nothing any more.
    """
    try:
        connected.send(_encoder.encode(message), socket.MSG_NOSIGNAL)
    except OSError as error:
        raise Lost(str(error)) from error


def receive(connected: socket.socket, *, at: str) -> FromStation | FromWatcher:
    """The next message. ``at`` is the reading side: ``"watcher"`` or ``"station"``.

    Raises:
        BlockingIOError: There is none now (sockets that do not block).
        TimeoutError: There was none in time (sockets with a limit).
        Lost: The other side is gone, or says what cannot be understood.
    """
    try:
        data = connected.recv(MAX_MESSAGE)
    except (BlockingIOError, TimeoutError):
        raise
    except OSError as error:
        raise Lost(str(error)) from error
    if not data:
        raise Lost("the other side has ended")
    try:
        return _from_station.decode(data) if at == "watcher" else _from_watcher.decode(data)
    except msgspec.MsgspecError as error:
        raise Lost(f"the other side speaks otherwise: {error}") from error


def _socket() -> socket.socket:
    # Messages keep their bounds, and the end of the other process is seen at once, however it ended.
    made = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with contextlib.suppress(OSError):
        made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    return made


def _address(workspace: Path) -> bytes:
    try:
        found = workspace.stat()
    except OSError as error:
        raise StorageError(f"{workspace}: {error.strerror}") from error
    place = hashlib.sha256(f"{os.getuid()} {found.st_dev} {found.st_ino}".encode()).hexdigest()[:32]
    return b"\0reactor-kill-" + place.encode()
