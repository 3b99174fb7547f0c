from __future__ import annotations

import contextlib
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor_core.errors import ConfigError
from reactor_core.events import new_event
from reactor_core.events.hub.wire import (
    MAX_FIRST_FRAME,
    Ack,
    Codec,
    Events,
    Fault,
    FrameError,
    Gap,
    Hello,
    Identity,
    LatchFrame,
    Packed,
    Welcome,
    pack,
    read_first,
    size_of,
    unpack,
)

ENCODINGS = ("msgpack", "json")
FRAMES = [
    Welcome("n", "system", 7, 1, after={1: 7}, gap=Gap("compacted", 1, 6), latch={"tripped_epoch": 1}),
    Ack({3: 5}, 100, {1: 9, 3: 9}),
    LatchFrame({"tripped_epoch": 2, "cleared_epoch": 0}),
    Gap("another_journal"),
    Fault("refused", "taken", "id"),
]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: type(frame).__name__)
def test_a_frame_survives_the_wire(encoding, frame):
    codec = Codec(encoding)
    message = codec.encode(frame)
    assert isinstance(message, bytes if encoding == "msgpack" else str)
    assert codec.decode(message) == frame


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@given(
    st.dictionaries(st.text(), json_values, max_size=5), st.sampled_from(ENCODINGS), st.integers(1, 4), st.booleans()
)
def test_events_survive_the_wire_with_their_very_bytes(data, encoding, lane, early):
    event, payload = new_event("scout", "anything", data, priority=lane)
    codec = Codec(encoding)
    packed = pack(event.at(12))
    frame = codec.decode(codec.events([packed], early=early))
    assert isinstance(frame, Events)
    assert frame.early == early
    assert frame.events[0].seq == 12
    assert size_of(frame.events[0]) == size_of(packed)
    read = unpack(frame.events[0], "node:x")
    assert read == event.at(None, "node:x")
    assert read.payload() == payload


def test_a_frame_of_json_can_be_read_by_people():
    event, _ = new_event("scout", "tick", {"n": 1})
    spelled = json.loads(Codec("json").events([pack(event)], early=False))
    assert spelled["type"] == "events"
    assert spelled["events"][0][5] == {"data": {"n": 1}, "metadata": {}}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_what_a_newer_version_says_is_passed_over(encoding):
    codec = Codec(encoding)
    spell = msgspec.msgpack.encode if encoding == "msgpack" else (lambda value: json.dumps(value))
    assert codec.decode(spell({"type": "moon_phase", "full": True})) is None
    assert codec.decode(spell({"type": "ack", "credit": 5, "mood": "good"})) == Ack(credit=5)


@given(st.binary(max_size=300) | st.text(max_size=300), st.sampled_from(ENCODINGS))
def test_noise_is_a_frame_error_and_nothing_else(message, encoding):
    with contextlib.suppress(FrameError):
        Codec(encoding).decode(message)
    with contextlib.suppress(FrameError):
        read_first(message)


@pytest.mark.parametrize(
    "message",
    [
        b"\x91" * 500_000,
        "[" * 500_000,
        '{"type": "events", "events": ' + "[" * 500_000,
        '{"type": "ack", "credit": "many"}',
        b"\xff\xfe",
        "",
        "null",
    ],
    ids=["deep msgpack", "deep json", "deep events", "wrong kind", "no msgpack", "empty", "null"],
)
def test_broken_frames_are_named(message):
    with pytest.raises(FrameError):
        Codec("msgpack").decode(message)


def test_both_dialects_are_told_by_the_first_frame():
    assert read_first('{"type": "identity", "source": "scout", "more": 1}') == Identity("scout")
    hello = Hello("node", "scout", after={3: 7}, hub="h")
    assert read_first(msgspec.json.encode(hello)) == hello


@pytest.mark.parametrize(
    "message",
    [
        "{}",
        '{"type": "hello", "source": "x"}',
        '{"type": "identity", "source": ""}',
        '{"type": "identity", "source": "a\\nb"}',
        '{"type": "hello", "node": "n", "source": "x", "protocol": 0}',
        '{"type": "hello", "node": "n", "source": "x", "encoding": "xml"}',
        '{"type": "identity", "source": "' + "x" * MAX_FIRST_FRAME + '"}',
        b"\xff",
    ],
)
def test_a_first_frame_of_neither_dialect_is_refused(message):
    with pytest.raises(FrameError, match="first frame"):
        read_first(message)


@pytest.mark.parametrize(
    "change",
    [
        {"event_id": ""},
        {"event_id": "x" * 201},
        {"event_type": "a\x00b"},
        {"source": ""},
        {"lane": 0},
        {"lane": 5},
        {"ts_us": -1},
        {"ts_us": 2**62},
        {"payload": b"[]"},
        {"payload": b'{"data": [], "metadata": {}}'},
        {"payload": b'{"data": {"text": "\xff"}, "metadata": {}}'},
        {"payload": b'{"data": {"deep": ' + b"[" * 100_000},
        {"payload": b'{"data": {"long": "' + b"x" * (1 << 20) + b'"}, "metadata": {}}'},
    ],
)
def test_what_no_journal_can_store_is_no_event(change):
    good = {"event_id": "i", "event_type": "t", "source": "s", "lane": 3, "ts_us": 0}
    good["payload"] = b'{"data": {}, "metadata": {}}'
    unpack(Packed(**good), "")
    with pytest.raises(ConfigError):
        unpack(Packed(**good | change), "")
