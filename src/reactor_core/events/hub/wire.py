"""The frames of our dialect, as values: no sockets and no journal here.

The first frame of a client and the hub's answer are JSON text. Afterwards each side sends msgpack in binary frames or
JSON in text frames, as the client asked. Every frame is a map with ``type``; fields and types that a reader does not
know are passed over, so that both sides can grow. docs/reference/wire-protocol.md lists them all.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Generic, Literal, TypeVar

import msgspec

from reactor_core.errors import ConfigError
from reactor_core.events.event import Event, is_lane, stored_event
from reactor_core.events.payload import MAX_PAYLOAD_BYTES, check_payload
from reactor_core.events.vocabulary import EventSource, EventType, as_event_type, as_source

__all__ = [
    "MAX_FIRST_FRAME",
    "MAX_FRAME",
    "PATH",
    "PROTOCOL",
    "SUBPROTOCOL",
    "WINDOW",
    "Ack",
    "Codec",
    "Encoding",
    "Events",
    "Fault",
    "Frame",
    "FrameError",
    "Gap",
    "Hello",
    "Identity",
    "LatchFrame",
    "Packed",
    "Welcome",
    "pack",
    "read_first",
    "size_of",
    "unpack",
]

PROTOCOL = 1
"""Version of our dialect."""
SUBPROTOCOL = "reactor.v1"
"""WebSocket subprotocol by which a client learns, before its first frame, that the other side speaks our dialect."""
PATH = "/ws/events"
"""Where a hub is found."""
WINDOW = 64 * 1024
"""Bytes of events that may be on their way to a reader that has not taken them; the rest waits in lanes."""
MAX_FIRST_FRAME = 64 * 1024
"""Longest first frame: a peer that has not said who it is may not make us hold much."""
# Data travels under two names in the family's JSON, and text can be escaped to six times its bytes by other writers.
MAX_FRAME = 8 * MAX_PAYLOAD_BYTES
"""Longest frame; a longer one ends the connection before it is read."""

Encoding = Literal["msgpack", "json"]

_MAX_NAME = 200
_OVERHEAD = 64  # what an event needs beside its names and payload, about
_LATEST_US = 253_402_300_799_999_999  # the last microsecond of the year 9999, where datetime ends


class FrameError(ConfigError):
    """A frame that breaks the protocol; the connection ends."""


class _Frame(msgspec.Struct, tag_field="type", omit_defaults=True):
    pass


class Identity(_Frame, tag="identity"):
    """First frame of the family's dialect.

    Args:
        source: Who the client is; events of this source are not sent to it.
        token: The hub's token, for clients that cannot send an Authorization header.
    """

    source: str
    token: str = ""


class Hello(_Frame, tag="hello"):
    """First frame of our dialect.

    Args:
        protocol: :data:`PROTOCOL`.
        node: Id of the client's journal.
        source: Who the client is.
        encoding: How both sides write from now on.
        hub: Id of the journal that ``after`` speaks of; empty for a client that was never here.
        after: Positions in the hub's journal behind which the client wants events, by lane.
        types: Only events of these types; None for all.
        credit: Bytes of events that the hub may send before it gets more credit.
        latch: State of the client's kill switch.
        unconfirmed: Ids of lane-1 events that the client holds and does not know to be committed by their source.
        token: As in :class:`Identity`.
    """

    node: str
    source: str
    protocol: int = PROTOCOL
    encoding: Encoding = "msgpack"
    hub: str = ""
    after: dict[int, int] = {}
    types: list[str] | None = None
    credit: int = WINDOW
    latch: dict[str, Any] | None = None
    unconfirmed: list[str] = []
    token: str = ""


class Gap(_Frame, tag="gap"):
    """Events that the other side asked for do not exist here any more.

    Args:
        reason: ``compacted``, ``another_journal`` or ``rolled_back``.
        lost_from: First position that is missing, 0 if that is not known.
        lost_to: Last one.
    """

    reason: str
    lost_from: int = 0
    lost_to: int = 0


class Welcome(_Frame, tag="welcome"):
    """The hub's answer to :class:`Hello`.

    Args:
        node: Id of the hub's journal.
        source: Who the hub is.
        head: Position of its last event.
        first: Position of the first event that it still has.
        after: Positions behind which the hub sends its events, by lane; the client's cursor from now on.
        gap: What the client has missed for good, if anything.
        credit: Bytes of events that the client may send before it gets more credit.
        latch: State of the hub's kill switch.
    """

    node: str
    source: str
    head: int
    first: int
    protocol: int = PROTOCOL
    encoding: Encoding = "msgpack"
    after: dict[int, int] = {}
    gap: Gap | None = None
    credit: int = WINDOW
    latch: dict[str, Any] | None = None


P = TypeVar("P", bytes, msgspec.Raw)


class Packed(msgspec.Struct, Generic[P], array_like=True, frozen=True, gc=False):
    """One event on the wire. The payload is the JSON text that journals store, so a hub can pass it on unread.

    Args:
        seq: Position in the sender's journal; None while it is not committed there.
    """

    event_id: str
    event_type: str
    source: str
    lane: int
    ts_us: int
    payload: P
    seq: int | None = None


class Events(_Frame, Generic[P], tag="events"):
    """Events, in order within each lane.

    Args:
        early: They are of lane 1, and the sender does not know yet that their source has committed them. They come
            again when it has.
    """

    events: list[Packed[P]]
    early: bool = False


class Ack(_Frame, tag="ack"):
    """How far the sender of this frame has come with what it was sent.

    Args:
        lanes: Positions in the other side's journal up to which everything is committed here, by lane.
        credit: Bytes of events that may be sent in addition.
        at: Every event of the sender's own journal up to these positions that is for the other side has been sent: its
            cursor may move there although the last events were not for it.
    """

    lanes: dict[int, int] = {}
    credit: int = 0
    at: dict[int, int] = {}


class LatchFrame(_Frame, tag="latch"):
    """The sender's kill switch has changed."""

    state: dict[str, Any]


class Fault(_Frame, tag="error"):
    """Something was refused. The connection goes on unless it is closed next.

    Args:
        code: ``refused`` (an event cannot be stored), ``storage`` (the disk fails; try later), ``protocol``, ``token``.
        detail: Why, in words.
        event_id: Which event, if one is meant.
    """

    code: str
    detail: str = ""
    event_id: str = ""


Frame = Welcome | Events[bytes] | Events[msgspec.Raw] | Ack | LatchFrame | Gap | Fault

_KNOWN = frozenset({"welcome", "events", "ack", "latch", "gap", "error"})


class _Kind(msgspec.Struct):
    type: str


_Packs = Welcome | Events[bytes] | Ack | LatchFrame | Gap | Fault
_Texts = Welcome | Events[msgspec.Raw] | Ack | LatchFrame | Gap | Fault
_BAD = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_first: msgspec.json.Decoder[Any] = msgspec.json.Decoder(Hello | Identity)
_packs: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(_Packs)
_texts: msgspec.json.Decoder[Any] = msgspec.json.Decoder(_Texts)
_pack_kind = msgspec.msgpack.Decoder(_Kind).decode
_text_kind = msgspec.json.Decoder(_Kind).decode
_to_pack = msgspec.msgpack.Encoder().encode
_to_text = msgspec.json.Encoder().encode


class Codec:
    """Writes frames in the encoding that was agreed, and reads either."""

    def __init__(self, encoding: Encoding) -> None:
        self.encoding = encoding

    def encode(self, frame: Frame | Hello | Identity) -> bytes | str:
        """A frame as a message."""
        return _to_pack(frame) if self.encoding == "msgpack" else _to_text(frame).decode()

    def decode(self, message: bytes | str) -> Frame | None:
        """The frame of a message; None for one of a type that this version does not know.

        Raises:
            FrameError: It is no frame.
        """
        binary = isinstance(message, bytes)
        try:
            return _packs.decode(message) if binary else _texts.decode(message)  # type: ignore[no-any-return,arg-type]
        except msgspec.ValidationError as error:
            try:
                kind = (_pack_kind(message) if binary else _text_kind(message)).type  # type: ignore[arg-type]
            except _BAD as fault:
                raise FrameError(f"not a frame: {fault}") from fault
            if kind not in _KNOWN:
                return None
            raise FrameError(f"frame {kind!r}: {error}") from error
        except _BAD as error:
            raise FrameError(f"not a frame: {error}") from error

    def events(self, packed: list[Packed[Any]], *, early: bool) -> bytes | str:
        """A frame of events made by :func:`pack`."""
        if self.encoding == "msgpack":
            return _to_pack(Events(packed, early))
        return _to_text(Events([_as_text(event) for event in packed], early)).decode()


def read_first(message: bytes | str) -> Hello | Identity:
    """The first frame of a client.

    Raises:
        FrameError: It is neither dialect's.
    """
    if len(message) > MAX_FIRST_FRAME:
        raise FrameError(f"first frame of {len(message)} bytes, at most {MAX_FIRST_FRAME} are read")
    try:
        first: Hello | Identity = _first.decode(message)
    except _BAD as error:
        raise FrameError(
            f"first frame: {error}", remedy='send {"type": "identity", "source": ...} or a hello of ours'
        ) from error
    for name in (first.source, first.node if isinstance(first, Hello) else first.source):
        if not _is_name(name):
            raise FrameError(f"first frame: 1 to {_MAX_NAME} printable characters are needed as a name")
    if isinstance(first, Hello) and first.protocol < 1:
        raise FrameError(f"first frame: protocol={first.protocol} does not exist")
    return first


def pack(event: Event) -> Packed[bytes]:
    """An event as it goes over the wire."""
    return Packed(
        event.event_id,
        event.event_type,
        event.source,
        event.priority,
        event.micros(),
        event.payload(),
        event.seq,
    )


def size_of(packed: Packed[Any]) -> int:
    """Bytes that an event takes of a credit window: the same number on both sides, whatever the encoding."""
    return len(bytes(packed.payload)) + _OVERHEAD


def unpack(packed: Packed[Any], origin: str) -> Event:
    """The event, without the sender's position.

    Args:
        origin: Who brought it.

    Raises:
        ConfigError: It is no event that a journal can store.
    """
    event_id = packed.event_id
    if not 0 < len(event_id) <= _MAX_NAME or not event_id.isprintable():
        raise ConfigError(f"event with an id that cannot be used: {event_id!r:.200}")
    if not is_lane(packed.lane) or not 0 <= packed.ts_us <= _LATEST_US:
        raise ConfigError(f"event {event_id}: lane {packed.lane} or time {packed.ts_us} is out of range")
    payload = bytes(packed.payload)
    check_payload(payload)
    return stored_event(
        event_id,
        _type_of(packed.event_type),
        _source_of(packed.source),
        packed.lane,
        payload,
        packed.ts_us,
        origin=origin,
    )


def _as_text(packed: Packed[bytes]) -> Packed[msgspec.Raw]:
    return Packed(
        packed.event_id,
        packed.event_type,
        packed.source,
        packed.lane,
        packed.ts_us,
        msgspec.Raw(packed.payload),
        packed.seq,
    )


def _is_name(name: str) -> bool:
    return 0 < len(name) <= _MAX_NAME and name.isprintable()


# Peers use few types and sources, so each is looked at once; a peer that invents many pushes them out again.
@lru_cache(maxsize=1024)
def _type_of(name: str) -> EventType | str:
    if not _is_name(name):
        raise ConfigError(f"event_type={name!r:.200} cannot be used")
    return as_event_type(name)


@lru_cache(maxsize=1024)
def _source_of(name: str) -> EventSource | str:
    if not _is_name(name):
        raise ConfigError(f"source={name!r:.200} cannot be used")
    return as_source(name)
