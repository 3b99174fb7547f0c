from __future__ import annotations

import json

import pytest

from reactor_core.safety.confirm.question import (
    OUT_OF_BAND,
    SHOWN_CHARACTERS,
    Method,
    Question,
    asked_about,
    people_needed,
    printable,
)
from reactor_core.safety.verdict import Verdict


def asked(decision, **changed):
    return asked_about(decision, **{"redact": str, "context": {}, **changed}, pid=1, started=2.0)


def question(asked_part, **changed):
    given = {"ticket_id": "t", "action_hash": "h", "asker": "agent", "asked_us": 0, "expires_us": 60_000_000}
    return Question(**{**given, "people": 1, "state": "open", "asked": asked_part, **changed})


def test_a_blocked_action_needs_two_people():
    assert people_needed(Verdict.BLOCK) == 2
    assert people_needed(Verdict.CONFIRM) == 1


def test_only_codes_and_keys_go_round_the_program_that_asks():
    assert frozenset({Method.TOTP, Method.KEY}) == OUT_OF_BAND


def test_what_was_erased_counts_as_blocked(decide):
    assert question(None).blocked
    assert not question(asked(decide())).blocked
    assert question(asked(decide(verdict=Verdict.BLOCK))).blocked


def test_it_has_a_json_form(decide):
    plain = json.loads(json.dumps(question(asked(decide())).as_dict()))
    assert plain["asked"]["action"] == "rm notes.txt"
    assert plain["asked"]["effect"]["target"] == "notes.txt"
    assert plain["expires_at"] == "1970-01-01T00:01:00.000000Z"
    assert plain["missing"] == 1


def test_a_long_action_is_cut_and_says_so(decide):
    shown = asked(decide("x" * (SHOWN_CHARACTERS + 1234))).action
    assert shown.endswith("[1,234 more characters are not shown]")
    assert len(shown) < SHOWN_CHARACTERS + 100


def test_every_text_is_redacted(decide):
    shown = asked(decide("rm key"), redact=lambda text: text.replace("key", "***"), context={"cwd": "/key", "n": 1})
    assert (shown.action, shown.resolved, shown.context) == ("rm ***", ("rm ***",), {"cwd": "/***", "n": 1})
    assert shown.effect["target"] == "***"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("rm a", "rm a"),
        ("größe 漢字", "größe 漢字"),
        ("\x1b[2Kls", "\\x1b[2Kls"),
        ("a\rb", "a\\rb"),
        ("a\u202eb", "a\\u202eb"),
        ("a\nb", "a\\nb"),
    ],
)
def test_nothing_in_a_text_moves_the_cursor_or_turns_the_direction(text, shown):
    assert printable(text) == shown


def test_lines_can_be_kept():
    assert printable("a\nb\x07", lines=True) == "a\nb\\x07"
