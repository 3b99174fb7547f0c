"""One event, and its two spellings in JSON: ours and the family's.

Ours::

    {"event_id", "event_type", "source", "timestamp", "priority", "data", "metadata", "seq"}

The family's has ``payload`` instead of ``data``, ``target_sources``, and priorities from 1 to 10 with 5 as default.
:meth:`Event.from_dict` reads both; :meth:`Event.to_family_dict` writes both names, so that old readers find theirs.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import msgspec

from reactor_core.errors import ConfigError
from reactor_core.events.payload import MAX_PAYLOAD_BYTES, decode_payload, encode_payload
from reactor_core.events.vocabulary import (
    EventSource,
    EventType,
    Priority,
    as_event_type,
    as_source,
    default_priority,
)
from reactor_core.utils.clock import Clock, SystemClock, parse_timestamp, to_iso
from reactor_core.utils.ids import new_id

__all__ = [
    "MAX_PAYLOAD_BYTES",
    "Event",
    "decode_payload",
    "encode_payload",
    "from_micros",
    "is_lane",
    "new_event",
    "stored_event",
    "to_micros",
]

_MAX_NAME = 200
_FAMILY_DEFAULT_PRIORITY = 5
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LANES = {str(event_type): default_priority(event_type) for event_type in EventType}
# Below it (the year 2096) a float of seconds is closer than half a microsecond, and three times as quick.
_EXACT = 4_000_000_000_000_000
_SYSTEM_CLOCK = SystemClock()

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class Event(msgspec.Struct, frozen=True, gc=False):
    """Something that happened. Treat ``data`` and ``metadata`` as read-only: all handlers share them.

    Attributes:
        event_id: UUIDv7 for events made here; a neighbour's own id otherwise. An id is stored once, ever.
        event_type: A member of the vocabulary, or a plain string that passes through.
        source: Who published it.
        priority: Lane, 1 (most urgent) to 4.
        data: What happened, as JSON values.
        timestamp: When, aware, in UTC, to the microsecond.
        metadata: About the event rather than in it (trace id, row of an experience log, ...).
        seq: Position in this workspace's journal; None until it is committed.
        origin: Relay or peer that brought it; empty for one of this workspace. It does not travel.
    """

    event_id: str
    event_type: EventType | str
    source: EventSource | str
    priority: int
    data: dict[str, Any]
    timestamp: datetime
    metadata: dict[str, Any] = msgspec.field(default_factory=dict)
    seq: int | None = None
    origin: str = ""

    def __hash__(self) -> int:
        return hash(self.event_id)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Event) and _values(self) == _values(other)

    def __repr__(self) -> str:
        names = self.__struct_fields__[:9]
        return f"Event({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"

    def at(self, seq: int | None, origin: str = "") -> Event:
        """This event as stored at a position of the journal, and who brought it there."""
        return Event(
            self.event_id,
            self.event_type,
            self.source,
            self.priority,
            self.data,
            self.timestamp,
            self.metadata,
            seq,
            origin,
        )

    def micros(self) -> int:
        """The timestamp in microseconds since 1970."""
        return to_micros(self.timestamp)

    def payload(self) -> bytes:
        """Data and metadata as the bytes that the journal stores and hashes.

        Raises:
            ConfigError: A value has no JSON form.
        """
        return encode_payload(self.data, self.metadata)

    def to_dict(self) -> dict[str, Any]:
        """This event in our dialect, as JSON values."""
        return {
            "event_id": self.event_id,
            "event_type": str(self.event_type),
            "source": str(self.source),
            "timestamp": to_iso(self.timestamp),
            "priority": self.priority,
            "data": self.data,
            "metadata": self.metadata,
            "seq": self.seq,
        }

    def to_family_dict(self) -> dict[str, Any]:
        """This event as the services of the family read it: ``data`` is there under ``payload`` too."""
        spelled = self.to_dict()
        del spelled["seq"]
        targets = self.metadata.get("target_sources", [])
        return {**spelled, "payload": self.data, "target_sources": targets}

    def to_json(self) -> bytes:
        """:meth:`to_dict` as one line of JSON."""
        return _encode(self.to_dict())

    def to_family_json(self) -> bytes:
        """:meth:`to_family_dict` as one line of JSON."""
        return _encode(self.to_family_dict())

    @classmethod
    def from_json(cls, text: bytes | str, *, origin: str = "") -> Event:
        """Read either dialect.

        Args:
            origin: Who brought it.

        Raises:
            ConfigError: The text is no JSON object, or no event; the message names the field.
        """
        try:
            value = _decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ConfigError(f"not an event: {error}") from error
        if not isinstance(value, dict):
            raise ConfigError("not an event: JSON object expected")
        return cls.from_dict(value, origin=origin)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any], *, origin: str = "") -> Event:
        """Read either dialect from JSON values.

        A family id is a short hex string that can occur twice within days, so it is completed with source and time:
        the same event sent again keeps its id, another event does not collide with it. ``seq`` is the writer's own
        position and is not taken over. A missing timestamp is now.

        Raises:
            ConfigError: A field is missing or has the wrong type.
        """
        event_type = as_event_type(_name(value, "event_type"))
        source = as_source(_name(value, "source"))
        data = value.get("data", value.get("payload"))
        if not isinstance(data, dict):
            raise ConfigError("event field 'data' (or 'payload'): a JSON object is needed")
        metadata = value.get("metadata") or {}
        if not isinstance(metadata, dict):
            raise ConfigError("event field 'metadata': a JSON object is needed")
        if value.get("target_sources"):
            metadata = {**metadata, "target_sources": value["target_sources"]}
        stamp = value.get("timestamp")
        event_id = _name(value, "event_id")
        timestamp = _SYSTEM_CLOCK.utc_now() if stamp is None else _timestamp(stamp)
        if len(event_id) < 16:
            metadata = {**metadata, "family_event_id": event_id}
            event_id = f"{source}-{event_id}" + ("" if stamp is None else f"-{to_micros(timestamp):x}")
        return cls(
            event_id=event_id,
            event_type=event_type,
            source=source,
            priority=_lane(value.get("priority"), event_type),
            data=data,
            timestamp=timestamp,
            metadata=metadata,
            origin=origin,
        )


class _Stored(Event, frozen=True, gc=False):
    """An event that is made from what is stored of it, which is read only when somebody asks for what it says.

    Until then the fields ``data`` and ``metadata`` are None, and ``timestamp`` is in microseconds.
    """

    raw: bytes = b""

    @property  # type: ignore[misc]
    def timestamp(self) -> datetime:
        kept = _moment_of(self)
        if type(kept) is not int:
            return cast("datetime", kept)
        moment = from_micros(kept)
        _set_moment(self, moment)
        return moment

    @property  # type: ignore[misc]
    def data(self) -> dict[str, Any]:
        data = _data_of(self)
        return self._read()[0] if data is None else data

    @property  # type: ignore[misc]
    def metadata(self) -> dict[str, Any]:
        metadata = _metadata_of(self)
        return self._read()[1] if metadata is None else metadata

    def at(self, seq: int | None, origin: str = "") -> Event:
        return _Stored(
            self.event_id,
            self.event_type,
            self.source,
            self.priority,
            _data_of(self),
            _moment_of(self),
            _metadata_of(self),
            seq,
            origin,
            self.raw,
        )

    def micros(self) -> int:
        moment = _moment_of(self)
        return moment if type(moment) is int else to_micros(moment)

    def payload(self) -> bytes:
        return self.raw

    def _read(self) -> tuple[dict[str, Any], dict[str, Any]]:
        # Two threads may both do this; either's values are the same.
        data, metadata = decode_payload(self.raw)
        _set_data(self, data)
        _set_metadata(self, metadata)
        return data, metadata


# The fields themselves, which the properties of the subclass hide.
_data_of, _set_data = Event.data.__get__, Event.data.__set__  # type: ignore[attr-defined]
_moment_of, _set_moment = Event.timestamp.__get__, Event.timestamp.__set__  # type: ignore[attr-defined]
_metadata_of, _set_metadata = Event.metadata.__get__, Event.metadata.__set__  # type: ignore[attr-defined]


def stored_event(
    event_id: str,
    event_type: EventType | str,
    source: EventSource | str,
    priority: int,
    payload: bytes,
    timestamp: datetime | int,
    seq: int | None = None,
    origin: str = "",
) -> Event:
    """An event of payload bytes that are known to be good; they are read when data or metadata is first asked for.

    Args:
        timestamp: An aware datetime, or microseconds since 1970, which are cheaper.
    """
    return _Stored(event_id, event_type, source, priority, None, timestamp, None, seq, origin, payload)  # type: ignore[arg-type]


def new_event(
    source: EventSource | str,
    event_type: EventType | str,
    data: Mapping[str, Any],
    *,
    priority: int | None = None,
    metadata: Mapping[str, Any] | None = None,
    clock: Clock = _SYSTEM_CLOCK,
) -> tuple[Event, bytes]:
    """Make an event and the payload bytes that the journal stores for it.

    The event holds what reading those bytes gives, so every reader sees the same values (tuples are lists) and a
    caller who changes ``data`` later changes nothing.

    Args:
        priority: 1 to 4; None takes the type's own lane. A kill switch is always in lane 1.

    Raises:
        ConfigError: A name, the priority or a value in ``data`` cannot be used.
    """
    if type(event_type) is not EventType:
        event_type = as_event_type(_checked_name("event_type", event_type))
    if type(source) is not EventSource:
        source = as_source(_checked_name("source", source))
    if priority is None or event_type is EventType.KILL_SWITCH_TRIGGERED:
        priority = _LANES.get(event_type, 3)
    elif not is_lane(priority):
        raise ConfigError(f"priority={priority!r} is no lane", remedy="use 1 (most urgent) to 4, or None")
    else:
        priority = int(priority)
    payload = encode_payload(data, metadata or {})
    event = _Stored(
        new_id(),
        event_type,
        source,
        priority,
        None,  # type: ignore[arg-type]
        time.time_ns() // 1000 if type(clock) is SystemClock else clock.utc_now(),  # type: ignore[arg-type]
        None,  # type: ignore[arg-type]
        None,
        "",
        payload,
    )
    return event, payload


def to_micros(moment: datetime) -> int:
    """Microseconds since 1970 in UTC, exactly."""
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def from_micros(micros: int) -> datetime:
    """The inverse of :func:`to_micros`."""
    if 0 <= micros < _EXACT:
        return datetime.fromtimestamp(micros / 1e6, UTC)
    return _EPOCH + timedelta(microseconds=micros)


def is_lane(priority: object) -> bool:
    """Whether a value is one of the four lanes."""
    return isinstance(priority, int) and not isinstance(priority, bool) and 1 <= priority <= 4


def _values(event: Event) -> tuple[Any, ...]:
    return (
        event.event_id,
        event.event_type,
        event.source,
        event.priority,
        event.data,
        event.timestamp,
        event.metadata,
        event.seq,
        event.origin,
    )


def _lane(priority: object, event_type: EventType | str) -> int:
    """Family priorities reach 10: above 4 is lane 4, except their default 5, which is normal."""
    if event_type is EventType.KILL_SWITCH_TRIGGERED:
        return int(Priority.CRITICAL)
    if isinstance(priority, bool) or not isinstance(priority, int):
        return default_priority(event_type)
    if priority == _FAMILY_DEFAULT_PRIORITY:
        return int(Priority.NORMAL)
    return min(max(priority, 1), 4)


def _name(value: Mapping[str, Any], key: str) -> str:
    if key not in value:
        raise ConfigError(f"event field {key!r} is missing")
    return _checked_name(key, value[key])


def _checked_name(key: str, name: object) -> str:
    if not isinstance(name, str) or not 0 < len(name) <= _MAX_NAME or not name.isprintable():
        raise ConfigError(f"event field {key!r}: 1 to {_MAX_NAME} printable characters are needed, not {name!r:.80}")
    return name


def _timestamp(stamp: object) -> datetime:
    try:
        if isinstance(stamp, str):
            return parse_timestamp(stamp)
        if isinstance(stamp, int | float) and not isinstance(stamp, bool):
            return datetime.fromtimestamp(stamp, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise ConfigError(f"event field 'timestamp': {error}") from error
    raise ConfigError(f"event field 'timestamp': ISO 8601 text or epoch seconds are needed, not {stamp!r:.80}")
