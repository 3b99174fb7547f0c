from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from reactor_core.cli_events.lines import HEAD, columns, line, printable, summary


@given(st.text())
def test_nothing_that_steers_a_terminal_is_left(text):
    shown = printable(text)
    assert shown.isprintable()
    assert not [sign for sign in shown if unicodedata.category(sign) in ("Cc", "Cf")]


def test_text_that_is_harmless_stays():
    assert printable("Ärger, 日本語, ~/Downloads") == "Ärger, 日本語, ~/Downloads"
    assert printable("\x1b[31mred\u202e") == r"\x1b[31mred\u202e"


def test_the_action_comes_first_and_once(event):
    told = event(
        1, data={"goal": "clean up", "action": "clean up", "steps": 4, "who": "me too", "deep": [1, {"a": None}]}
    )
    assert summary(told) == 'clean up steps=4 who="me too" deep=[1,{"a":null}]'


def test_an_action_that_is_no_text_is_a_value_like_any_other(event):
    assert summary(event(1, data={"action": 5, "n": 5})) == "action=5 n=5"


def test_an_erased_event_says_so(event):
    assert summary(event(1, data={}, metadata={"erased": True})) == "(erased)"
    assert summary(event(1, data={})) == ""


def test_the_columns_stand_below_their_names(event):
    text = line(event(7, "cost_update", source="scout").at(42)).plain
    for name, cell in (("seq", "42"), ("P", "3"), ("type", "cost_update"), ("source", "scout"), ("data", "n=7")):
        at = HEAD.index(name) if name != "seq" else HEAD.index(name) + 1
        assert text[at:].startswith(cell)


def test_a_long_name_does_not_move_the_columns(event):
    text = line(event(7, "a_type_of_an_event_with_a_very_long_name")).plain
    assert text.index("n=7") == HEAD.index("data")
    assert text.startswith(" early ")


def test_columns_for_programs_are_complete(event):
    told = event(7, data={"text": "tab\tand\nline", "long": "x" * 500}).at(1)
    cells = columns(told).split("\t")
    assert cells[:5] == ["1", "2026-11-21T12:00:07.000000Z", "3", "note", "user"]
    assert cells[5].endswith("x" * 500)
    assert len(columns(told).splitlines()) == 1
