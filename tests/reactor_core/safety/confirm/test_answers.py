from __future__ import annotations

import apsw
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reactor_core.errors import ApprovalInvalid, ReactorError
from reactor_core.events import EventType
from reactor_core.safety.confirm import answers, store
from reactor_core.safety.confirm.question import OUT_OF_BAND, Answer, Method, Question, Said, asked_about
from reactor_core.safety.verdict import Verdict
from reactor_core.utils.ids import new_id

PEOPLE = ("agent", "alice", "bob", "carol")


@pytest.fixture
def made(decide):
    def made(verdict: Verdict = Verdict.CONFIRM) -> Question:
        asked = asked_about(decide(verdict=verdict), redact=str, context={"decision_id": "d"}, pid=1, started=2.0)
        people = 2 if verdict is Verdict.BLOCK else 1
        return Question(new_id(), "hash", "agent", 1000, 2000, people, "open", asked)

    return made


saying = st.tuples(st.sampled_from(PEOPLE), st.sampled_from(list(Method)), st.booleans(), st.integers(900, 2100))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
@given(blocked=st.booleans(), said=st.lists(saying, max_size=6), used_at=st.integers(900, 2100))
def test_only_enough_people_in_time_by_the_right_methods_release_an_action(bridge, made, blocked, said, used_at):
    question = made(Verdict.BLOCK if blocked else Verdict.CONFIRM)
    bridge.journal.work(lambda db: store.add(db, question)).result(30)
    agreed: dict[str, Method] = {}
    refused = False
    for person, method, confirmed, at in said:

        def work(db: apsw.Connection, person=person, method=method, confirmed=confirmed, at=at) -> None:
            one = Said(confirmed, person, method)
            answers.accept(db, question.ticket_id, one, now_us=at, evidence={}, source="user")

        try:
            bridge.journal.work(work).result(30)
        except ReactorError:
            continue
        refused = refused or not confirmed
        if confirmed:
            agreed[person] = method
    stands = bridge.journal.work(lambda db: store.find(db, question.ticket_id)).result(30)
    try:
        answers.usable(stands, "hash", used_at)
    except ApprovalInvalid:
        usable = False
    else:
        usable = True
    outside = {person for person, method in agreed.items() if method in OUT_OF_BAND and person != "agent"}
    assert "agent" not in agreed
    if usable:
        assert not refused
        assert 1000 <= used_at < 2000
        assert len(outside if blocked else agreed) >= (2 if blocked else 1)
    assert not (blocked and len(outside) < 2 and stands.state == "confirmed")


def test_an_action_with_another_hash_is_not_released(made):
    answered = (Answer("alice", Method.TEXT, True, 1500, {}),)
    question = msgspec.structs.replace(made(), state="confirmed", answers=answered)
    answers.usable(question, "hash", 1500)
    with pytest.raises(ApprovalInvalid, match="another action"):
        answers.usable(question, "hash2", 1500)


def test_a_state_without_the_answers_behind_it_releases_nothing(made):
    question = msgspec.structs.replace(made(), state="confirmed")
    with pytest.raises(ApprovalInvalid, match="lacks the answers"):
        answers.usable(question, "hash", 1500)
    for person in ("agent", "bob"):
        said = (Answer("alice", Method.KEY, True, 1, {}), Answer(person, Method.TEXT, True, 1, {}))
        both = msgspec.structs.replace(made(Verdict.BLOCK), state="confirmed", answers=said)
        with pytest.raises(ApprovalInvalid, match="lacks the answers"):
            answers.usable(both, "hash", 1500)


def test_ending_a_settled_question_changes_nothing(bridge, made):
    question = made()

    def work(db: apsw.Connection) -> tuple[str, int, str, int]:
        store.add(db, question)
        first, told = answers.expire(db, question.ticket_id, "timeout", "user")
        second, again = answers.expire(db, question.ticket_id, "withdrawn", "user")
        return first.state, len(told), second.state, len(again)

    assert bridge.journal.work(work).result(30) == ("expired", 1, "expired", 0)


def test_the_event_of_a_question_says_what_it_is_about(made):
    draft = answers.asked_event(made(Verdict.BLOCK), "jarvis_agent")
    event = draft.event
    assert (event.event_type, event.data["people"], event.data["verdict"]) == (EventType.SAFETY_ASKED, 2, "block")
    assert event.metadata["decision_id"] == "d"
