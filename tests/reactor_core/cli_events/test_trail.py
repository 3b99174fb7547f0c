from __future__ import annotations

import hashlib
import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor_core.cli_events.trail import Trail, canonical

MANDATORY = {
    "record_id", "timestamp", "agent_id", "agent_version", "session_id", "action_type", "action_detail", "outcome",
    "trust_level", "parent_record_id", "prev_hash",
}  # fmt: skip


# The samples of RFC 8785, appendix B.
@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (5e-324, "5e-324"),
        (-5e-324, "-5e-324"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (9007199254740992.0, "9007199254740992"),
        (295147905179352830000.0, "295147905179352830000"),
        (9.999999999999997e22, "9.999999999999997e+22"),
        (1e23, "1e+23"),
        (1.0000000000000001e23, "1.0000000000000001e+23"),
        (999999999999999700000.0, "999999999999999700000"),
        (999999999999999900000.0, "999999999999999900000"),
        (1e21, "1e+21"),
        (9.999999999999997e-7, "9.999999999999997e-7"),
        (0.000001, "0.000001"),
        (333333333.3333332, "333333333.3333332"),
        (-0.0000033333333333333333, "-0.0000033333333333333333"),
        (1424953923781206.2, "1424953923781206.2"),
        (100, "100"),
        (0.5, "0.5"),
        (15.43, "15.43"),
    ],
)
def test_numbers_are_spelled_as_in_the_rfc(number, text):
    assert canonical(number).decode() == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_is_read_as_it_was(number):
    assert float(canonical(number)) == number


# The sample of RFC 8785, section 3.2.3.
def test_names_are_sorted_by_their_utf_16_units():
    names = {"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\u0080": 6, "\u00f6": 7}
    assert list(json.loads(canonical(names)).values()) == [2, 4, 6, 7, 1, 5, 3]


def test_values_have_one_spelling():
    value = {"b": [True, None, '\u001f\n"\\/'], "a": {}}
    assert canonical(value).decode() == '{"a":{},"b":[true,null,"\\u001f\\n\\"\\\\/"]}'


def test_each_record_holds_the_hash_of_the_one_before(event):
    trail = Trail()
    records = [trail.record(event(number, data={"x": number / 3})) for number in range(4)]
    assert records[0]["prev_hash"] == "0" * 64
    for before, after in itertools.pairwise(records):
        assert after["prev_hash"] == hashlib.sha256(canonical(before)).hexdigest()


@pytest.mark.parametrize(
    ("name", "action", "outcome"),
    [
        ("safety_blocked", "decision", "denied"),
        ("safety_confirmed", "decision", "success"),
        ("error", "error", "failure"),
        ("kill_switch_triggered", "lifecycle", "success"),
        ("cost_update", "event", "success"),
    ],
)
def test_a_record_says_what_the_event_says(event, name, action, outcome):
    record = Trail().record(event(1, name, metadata={"session_id": "s", "parent_event_id": "p"}))
    assert set(record) == MANDATORY
    assert (record["action_type"], record["outcome"]) == (action, outcome)
    assert (record["session_id"], record["parent_record_id"]) == ("s", "p")
    assert record["agent_version"] == record["trust_level"] == "unknown"
    assert record["action_detail"]["n"] == 1
