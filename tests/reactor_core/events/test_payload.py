from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor_core.errors import ConfigError
from reactor_core.events.payload import MAX_PAYLOAD_BYTES, check_payload, decode_payload, encode_payload

values = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text() | st.lists(st.text(), max_size=3)
objects = st.dictionaries(st.text(), values)


@given(objects, objects)
def test_what_is_written_is_read(data, metadata):
    payload = encode_payload(data, metadata)
    assert decode_payload(payload) == decode_payload(payload.decode()) == check_payload(payload) == (data, metadata)


def test_a_payload_above_a_mebibyte_is_refused():
    fits = encode_payload({"text": ""}, {})
    room = MAX_PAYLOAD_BYTES - len(fits)
    assert len(encode_payload({"text": "x" * room}, {})) == MAX_PAYLOAD_BYTES
    with pytest.raises(ConfigError, match="publish its path"):
        encode_payload({"text": "x" * (room + 1)}, {})
    with pytest.raises(ConfigError, match="publish its path"):
        check_payload(fits[:-1] + b" " * (room + 1) + fits[-1:])


@pytest.mark.parametrize(
    "theirs",
    [
        b"",
        b"[]",
        b"{}",
        b'{"data":{}}',
        b'{"data":[],"metadata":{}}',
        b'{"data":{},"metadata":null}',
        b'{"data":{},"metadata":{},"more":1}',
        b'{"data":{},"metadata":{}',
        b'{"data":{"a":NaN},"metadata":{}}',
        b"\xff",
        b"[" * 100_000,
    ],
)
def test_bytes_that_are_no_payload_are_refused(theirs):
    with pytest.raises(ConfigError, match="payload"):
        check_payload(theirs)


@pytest.mark.parametrize(("where", "value"), [("data", {"x": [1, math.nan]}), ("metadata", {"x": {"y": -math.inf}})])
def test_a_number_that_json_cannot_carry_is_named(where, value):
    with pytest.raises(ConfigError, match=rf"{where}\.x"):
        encode_payload(**({"data": {}, "metadata": {}} | {where: value}))


def test_a_mapping_that_is_no_dict_will_do_and_a_list_will_not():
    class Frozen(dict):
        pass

    assert encode_payload(Frozen(a=1), {}) == b'{"data":{"a":1},"metadata":{}}'
    with pytest.raises(ConfigError, match="'metadata'"):
        encode_payload({}, [("a", 1)])
