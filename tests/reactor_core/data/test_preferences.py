from __future__ import annotations

import json
from typing import Any

import pytest

from reactor_core.data.preferences import preferences_of, write_preferences
from reactor_core.data.records import read_dataset
from reactor_core.errors import NothingToTrain
from reactor_core.events import Event, EventType, new_event


def event(event_type: EventType, data: dict[str, Any], /, **metadata: Any) -> Event:
    return new_event("user", event_type, data, metadata=metadata)[0]


def answer(
    action: str = "rm a", *, verdict: str = "confirm", method: str = "totp", asked: str = "q", **people: bool
) -> Event:
    """The event of a settled question, from who said what."""
    confirmed = all(people.values()) and bool(people)
    said = [{"person": person, "method": method, "confirmed": yes} for person, yes in people.items()]
    kind = EventType.SAFETY_CONFIRMED if confirmed else EventType.SAFETY_DENIED
    about = {"kind": "shell", "rule": "C1", "verdict": verdict, "people": said, "confirmation_id": asked}
    return event(kind, {"action": action, "confirmation_method": method}, **about)


def correction(original: str, corrected: str, prompt: str = "q", **data: Any) -> Event:
    given = {"user_input": prompt, "original_response": original, "corrected_response": corrected, **data}
    return event(EventType.CORRECTION, given)


def choice(chosen: str, rejected: str, **data: Any) -> Event:
    return event(EventType.FEEDBACK, {"prompt": "q", "chosen": chosen, "rejected": rejected, **data})


def kept(response: str, keep: bool, **data: Any) -> Event:
    return event(EventType.FEEDBACK, {"prompt": "q", "response": response, "kept": keep, **data})


def pairs_of(*events: Event) -> list[tuple[str, str, str]]:
    return [(pair.prompt, pair.chosen, pair.rejected) for pair in preferences_of(events).pairs]


@pytest.mark.parametrize(
    ("yes", "verdict", "label", "pair"),
    [
        (True, "confirm", "confirm", ("rm a", "confirm", "block")),
        (False, "confirm", "confirm", ("rm a", "confirm", "allow")),
        (False, "block", "block", ("rm a", "block", "allow")),
        (True, "block", "block", ("rm a", "block", "allow")),
    ],
)
def test_an_answer_is_a_labelled_row_and_a_pair(yes, verdict, label, pair):
    told = answer(verdict=verdict, alice=yes)
    found = preferences_of([told])
    (row,) = found.rows
    assert (row.action, row.kind, row.label, row.approved, row.rule) == ("rm a", "shell", label, yes, "C1")
    assert (row.people, row.events) == (("alice",), (told.event_id,))
    assert pairs_of(told) == [pair]


@pytest.mark.parametrize("method", ["timeout", "withdrawn"])
def test_silence_says_nothing(method):
    assert preferences_of([answer(method=method)]).rows == ()


def test_who_thinks_again_is_heard():
    found = preferences_of([answer(alice=True), answer(alice=False)])
    assert [row.approved for row in found.rows] == [False]
    assert found.conflicts["superseded"] == 1


def test_the_majority_holds_and_a_tie_refuses():
    votes = [answer(alice=True), answer(bob=True), answer(carol=False)]
    found = preferences_of(votes)
    assert (found.rows[0].approved, found.rows[0].people) == (True, ("alice", "bob"))
    assert votes[2].event_id not in found.rows[0].events
    assert found.conflicts["outvoted"] == 1
    assert preferences_of(votes[1:]).rows[0].approved is False


def test_answers_to_questions_that_nobody_asked_can_be_left_out():
    events = [answer(alice=True, asked="real"), answer("rm b", alice=True, asked="forged")]
    assert [row.action for row in preferences_of(events, settled={"real"}).rows] == ["rm a"]
    assert len(preferences_of(events).rows) == 2


def test_the_same_words_of_another_kind_are_another_action():
    other = event(EventType.SAFETY_DENIED, {"action": "rm a", "confirmation_method": "voice"}, kind="gui")
    assert len(preferences_of([answer(alice=True), other]).rows) == 2


def test_an_old_event_without_names_counts_as_one_voice():
    told = event(EventType.SAFETY_CONFIRMED, {"action": "rm a", "confirmation_method": "voice"})
    (row,) = preferences_of([told, told]).rows
    assert (row.approved, row.people, row.kind) == (True, (), "other")


def test_a_correction_prefers_the_corrected():
    assert pairs_of(correction("bad", "good")) == [("q", "good", "bad")]


def test_the_latest_correction_of_the_same_answer_holds():
    found = preferences_of([correction("bad", "better"), correction("bad", "best")])
    assert [pair.chosen for pair in found.pairs] == ["best"]
    assert found.conflicts["superseded"] == 1


def test_a_correction_that_comes_twice_is_one():
    assert len(pairs_of(correction("bad", "good"), correction("bad", "good"))) == 1


@pytest.mark.parametrize("data", [{"user_input": ""}, {"corrected_response": "bad"}, {"original_response": 3}])
def test_a_correction_without_its_parts_is_passed_over(data):
    assert pairs_of(correction("bad", "good", **data)) == []


def test_a_choice_is_a_pair():
    assert pairs_of(choice("a", "b")) == [("q", "a", "b")]


def test_more_people_decide_between_opposite_choices_and_a_draw_is_dropped():
    one, two, other = choice("a", "b", person="1"), choice("a", "b", person="2"), choice("b", "a", person="3")
    found = preferences_of([one, two, other])
    assert [(pair.chosen, pair.people) for pair in found.pairs] == [("a", ("1", "2"))]
    assert found.conflicts["outvoted"] == 1
    draw = preferences_of([one, other])
    assert draw.pairs == ()
    assert draw.conflicts["contradicted"] == 2


def test_who_changes_a_choice_contradicts_nobody():
    found = preferences_of([choice("a", "b", person="1"), choice("b", "a", person="1")])
    assert [pair.chosen for pair in found.pairs] == ["b"]
    assert found.conflicts == {"superseded": 1}


def test_what_was_kept_is_preferred_to_what_was_rejected():
    events = [kept("a", True), kept("b", False), kept("c", True), kept("d", False, prompt="other")]
    assert sorted(pairs_of(*events)) == [("q", "a", "b"), ("q", "c", "b")]


def test_keeping_what_was_rejected_before_takes_it_back():
    assert pairs_of(kept("a", True), kept("b", False), kept("b", True)) == []


def test_erased_and_foreign_events_say_nothing():
    erased = event(EventType.CORRECTION, {}, erased=True)
    assert pairs_of(erased, event(EventType.COST_UPDATE, {"total": 1})) == []


def test_the_file_trains_and_names_its_events(tmp_path):
    told, corrected = answer(alice=True), correction("bad", "good")
    path = tmp_path / "pairs.jsonl"
    made = write_preferences(
        preferences_of([told, corrected]), path, lambda action, kind: [{"role": "user", "content": f"{kind}: {action}"}]
    )
    assert (made.pairs, made.origins) == (2, {"safety": 1, "correction": 1})
    first, second = read_dataset(path).rows
    assert [message.content for message in first.messages] == ["shell: rm a", "confirm"]
    assert first.rejected is not None
    assert first.rejected.messages[-1].content == "block"
    assert first.source == {"origin": "safety", "events": [told.event_id], "people": ["alice"]}
    assert second.messages[-1].content == "good"
    assert json.loads(path.read_text().splitlines()[1])["source"]["events"] == [corrected.event_id]


def test_the_same_events_give_the_same_bytes(tmp_path):
    events = [answer(alice=True), correction("bad", "good"), kept("a", True), kept("b", False)]
    hashes = {
        write_preferences(preferences_of(events), tmp_path / name, lambda *_: [{"role": "user", "content": "x"}]).sha256
        for name in ("one", "two")
    }
    assert len(hashes) == 1


def test_without_a_preference_there_is_nothing_to_train(tmp_path):
    with pytest.raises(NothingToTrain):
        write_preferences(preferences_of([]), tmp_path / "x", lambda *_: [])
    assert not (tmp_path / "x").exists()


def test_what_its_author_takes_back_says_nothing_and_the_word_before_it_counts_again():
    first, second = kept("b", False, person="ann"), kept("b", True, person="ann")
    undo = event(EventType.FEEDBACK, {"retracts": second.event_id, "person": "ann"})
    events = [kept("a", True, person="ann"), first, second]
    assert pairs_of(*events) == []
    assert pairs_of(*events, undo) == [("q", "a", "b")]


def test_nobody_takes_back_the_word_of_another():
    said = choice("a", "b", person="ann")
    undo = event(EventType.FEEDBACK, {"retracts": said.event_id, "person": "ben"})
    assert pairs_of(said, undo) == [("q", "a", "b")]
