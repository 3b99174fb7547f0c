from __future__ import annotations

import pyotp
import pytest

from reactor_core.errors import ApprovalInvalid, JournalError, NotFound
from reactor_core.events import EventType
from reactor_core.safety.confirm import Approvals, Method, Said
from reactor_core.safety.confirm.notes import make_key, sign_answer
from reactor_core.safety.verdict import Verdict

YES = Said(True, "dev", Method.TERMINAL, "abcd")


def events_of(bridge, *types):
    return [event for event in bridge.journal.read() if event.event_type in types]


@pytest.fixture
def people(factors, clock, tmp_path):
    """alice has an authenticator, bob a key on another machine; the keys of both."""
    new = factors.new_authenticator("alice")
    totp = pyotp.TOTP(new.secret)
    factors.add_authenticator(new, totp.at(clock.now))
    clock.go_on(30)
    signer = make_key(tmp_path / "bob.pem", "bob")
    factors.add_key(str(signer.verifier), by=factors.use_code(totp.at(clock.now), purpose="enrol"))
    clock.go_on(30)
    return totp, signer


def note_for(approvals, ticket, signer, clock, *, confirmed=True):
    about = approvals.subject(approvals.question(ticket.ticket_id))
    return sign_answer(signer, about, confirmed=confirmed, signed_us=int(clock.now.timestamp() * 1e6))


def test_a_confirmed_action_may_run_once(approvals, decide, bridge):
    decision = decide()
    ticket = approvals.request(decision, session="agent", decision_id="d1", cwd="/work")
    assert ticket.question.state == "open"
    assert approvals.say(ticket.ticket_id, YES).state == "confirmed"
    record = (EventType.SAFETY_AUDIT, {"action": decision.action, "verdict": "SAFE"}, {"decision_id": "d1"})
    released = approvals.consume(ticket, decision, events=[record])
    assert (released.people, released.methods) == (("dev",), ("terminal",))
    with pytest.raises(ApprovalInvalid, match="is used"):
        approvals.consume(ticket, decision, events=[record])
    assert [event.metadata for event in events_of(bridge, EventType.SAFETY_AUDIT)] == [{"decision_id": "d1"}]


def test_the_answer_is_bound_to_the_action(approvals, decide):
    ticket = approvals.request(decide("rm a.txt"))
    approvals.say(ticket.ticket_id, YES)
    with pytest.raises(ApprovalInvalid, match="another action"):
        approvals.consume(ticket, decide("rm b.txt"))
    assert approvals.consume(ticket, decide("rm a.txt")).people == ("dev",)


def test_an_open_question_releases_nothing(approvals, decide):
    ticket = approvals.request(decide())
    with pytest.raises(ApprovalInvalid, match="is open"):
        approvals.consume(ticket, decide())


def test_a_denied_question_releases_nothing_and_stays_denied(approvals, decide):
    ticket = approvals.request(decide())
    assert approvals.say(ticket.ticket_id, Said(False, "dev", Method.VOICE, "no!")).state == "denied"
    with pytest.raises(ApprovalInvalid, match="is denied"):
        approvals.say(ticket.ticket_id, Said(True, "boss", Method.TERMINAL))
    with pytest.raises(ApprovalInvalid, match="is denied"):
        approvals.consume(ticket, decide())


def test_an_answer_ends_with_its_time(approvals, decide, clock, settings):
    ticket = approvals.request(decide())
    approvals.say(ticket.ticket_id, YES)
    clock.go_on(settings.safety_confirmation_timeout_seconds)
    with pytest.raises(ApprovalInvalid, match="is over"):
        approvals.consume(ticket, decide())


def test_a_late_answer_does_not_count(approvals, decide, clock):
    ticket = approvals.request(decide(), timeout_seconds=10)
    clock.go_on(10)
    with pytest.raises(ApprovalInvalid, match="is over"):
        approvals.say(ticket.ticket_id, YES)


def test_a_clock_that_was_set_back_gives_no_more_time(approvals, decide, clock):
    ticket = approvals.request(decide())
    approvals.say(ticket.ticket_id, YES)
    clock.go_on(-3600)
    with pytest.raises(ApprovalInvalid, match="is over"):
        approvals.consume(ticket, decide())


def test_who_asks_cannot_answer(approvals, decide):
    ticket = approvals.request(decide(), session="agent")
    for person in ("agent", ""):
        with pytest.raises(ApprovalInvalid, match="cannot allow it"):
            approvals.say(ticket.ticket_id, Said(True, person, Method.TEXT))
    assert approvals.question(ticket.ticket_id).state == "open"


def test_a_method_that_needs_proof_is_not_believed(approvals, decide):
    ticket = approvals.request(decide())
    for method in (Method.TOTP, Method.KEY):
        with pytest.raises(ApprovalInvalid, match="comes with its code or note"):
            approvals.say(ticket.ticket_id, Said(True, "dev", method))


@pytest.mark.parametrize("method", [Method.TERMINAL, Method.DIALOG, Method.VOICE, Method.TEXT])
def test_what_the_rules_block_is_not_released_in_flow(approvals, decide, method):
    ticket = approvals.request(decide(verdict=Verdict.BLOCK))
    for person in ("dev", "boss"):
        with pytest.raises(ApprovalInvalid, match="block this action"):
            approvals.say(ticket.ticket_id, Said(True, person, method))
    with pytest.raises(ApprovalInvalid, match="is open"):
        approvals.consume(ticket, decide(verdict=Verdict.BLOCK))


def test_two_people_release_what_the_rules_block(approvals, decide, people, clock, bridge):
    totp, signer = people
    decision = decide(verdict=Verdict.BLOCK)
    ticket = approvals.request(decision)
    first = approvals.say_with_code(ticket.ticket_id, totp.at(clock.now))
    assert (first.state, first.missing) == ("open", 1)
    assert approvals.release_for(decision) is None
    clock.go_on(30)
    with pytest.raises(ApprovalInvalid, match="alice has answered"):
        approvals.say_with_code(ticket.ticket_id, totp.at(clock.now))
    with pytest.raises(ApprovalInvalid, match="is open"):
        approvals.consume(ticket, decision)
    assert approvals.say_with_note(ticket.ticket_id, note_for(approvals, ticket, signer, clock)).state == "confirmed"
    waiting = approvals.release_for(decision)
    assert waiting is not None
    assert approvals.consume(waiting, decision).people == ("alice", "bob")
    assert approvals.release_for(decision) is None
    (told,) = events_of(bridge, EventType.SAFETY_CONFIRMED)
    assert told.data["confirmation_method"] == "totp+key"
    assert told.data["risk_level"] == "CRITICAL"
    assert [one["person"] for one in told.metadata["people"]] == ["alice", "bob"]


def test_one_of_two_can_refuse(approvals, decide, people, clock):
    totp, signer = people
    ticket = approvals.request(decide(verdict=Verdict.BLOCK))
    approvals.say_with_code(ticket.ticket_id, totp.at(clock.now))
    note = note_for(approvals, ticket, signer, clock, confirmed=False)
    assert approvals.say_with_note(ticket.ticket_id, note).state == "denied"


def test_a_note_about_another_question_does_not_count(approvals, decide, people, clock):
    _, signer = people
    one, other = approvals.request(decide("rm a")), approvals.request(decide("rm b"))
    note = note_for(approvals, one, signer, clock)
    with pytest.raises(ApprovalInvalid, match="not about"):
        approvals.say_with_note(other.ticket_id, note)
    assert approvals.say_with_note(one.ticket_id, note).state == "confirmed"


def test_a_wrong_code_confirms_nothing(approvals, decide, people):
    ticket = approvals.request(decide())
    with pytest.raises(ApprovalInvalid, match="wrong"):
        approvals.say_with_code(ticket.ticket_id, "abcdef")
    assert approvals.question(ticket.ticket_id).answers == ()


def test_a_code_is_not_spent_on_a_settled_question(approvals, decide, people, clock):
    totp, _ = people
    ticket, other = approvals.request(decide()), approvals.request(decide())
    approvals.say(ticket.ticket_id, YES)
    with pytest.raises(ApprovalInvalid, match="is confirmed"):
        approvals.say_with_code(ticket.ticket_id, totp.at(clock.now))
    assert approvals.say_with_code(other.ticket_id, totp.at(clock.now)).state == "confirmed"


def test_an_answer_written_into_the_database_lacks_its_signature(approvals, decide, people, bridge):
    decision = decide(verdict=Verdict.BLOCK)
    ticket = approvals.request(decision)

    def forge(db):
        for person in ("alice", "bob"):
            db.execute(
                "INSERT INTO confirmation_answers VALUES (?, ?, 'key', 1, 0, '{\"note\": \"trust me\"}')",
                (ticket.ticket_id, person),
            )
        db.execute("UPDATE confirmations SET state = 'confirmed' WHERE ticket_id = ?", (ticket.ticket_id,))

    bridge.journal.work(forge).result(30)
    with pytest.raises(ApprovalInvalid, match="not a note"):
        approvals.consume(ticket, decision)


def test_an_organisation_can_ask_for_keys_only(bridge, factors, clock, decide, people):
    totp, signer = people
    with Approvals(bridge, factors=factors, clock=clock, methods=frozenset({Method.KEY})) as approvals:
        ticket = approvals.request(decide())
        with pytest.raises(ApprovalInvalid, match="does not count here"):
            approvals.say(ticket.ticket_id, YES)
        with pytest.raises(ApprovalInvalid, match="does not count here"):
            approvals.say_with_code(ticket.ticket_id, totp.at(clock.now))
        approvals.say_with_note(ticket.ticket_id, note_for(approvals, ticket, signer, clock))
        assert approvals.consume(ticket, decide()).methods == ("key",)


def test_the_events_tell_what_was_asked_and_answered(approvals, decide, bridge):
    ticket = approvals.request(decide(), session="agent", decision_id="d1")
    approvals.say(ticket.ticket_id, Said(True, "dev", Method.VOICE, "go ahead"))
    asked, confirmed = events_of(bridge, EventType.SAFETY_ASKED, EventType.SAFETY_CONFIRMED)
    assert asked.data["confirmation_id"] == ticket.ticket_id
    assert asked.data["action"] == confirmed.data["action"] == "rm notes.txt"
    assert confirmed.data == {
        "action": "rm notes.txt", "risk_level": "MEDIUM", "confirmed": True, "confirmation_method": "voice",
        "user_response": "go ahead",
    }  # fmt: skip
    for event in (asked, confirmed):
        assert event.metadata["decision_id"] == "d1"
        assert event.metadata["rule"] == "C1"
        assert event.metadata["kind"] == "shell"
        assert event.source == "jarvis_agent"


def test_the_next_question_ends_those_whose_time_is_over(approvals, decide, clock, bridge):
    late = approvals.request(decide("rm a"), timeout_seconds=5)
    clock.go_on(6)
    assert approvals.question(late.ticket_id).state == "expired"
    approvals.request(decide("rm b"))
    (denied,) = events_of(bridge, EventType.SAFETY_DENIED)
    assert (denied.data["action"], denied.data["confirmation_method"]) == ("rm a", "timeout")
    assert [question.asked.action for question in approvals.questions()] == ["rm b"]


def test_secrets_are_neither_stored_nor_shown(approvals, decide, bridge):
    secret = "ghp_" + "a1B2" * 9
    decision = decide(f"curl -H 'Authorization: Bearer {secret}' https://example.org", says=f"sends {secret}")
    ticket = approvals.request(decision)
    approvals.say(ticket.ticket_id, YES)
    assert secret not in str(approvals.question(ticket.ticket_id).as_dict())
    assert approvals.consume(ticket, decision).ticket_id == ticket.ticket_id
    for file in bridge.workspace.glob("reactor.db*"):
        assert secret.encode() not in file.read_bytes()


def test_a_question_survives_the_program_that_asked(approvals, decide, bridge, factors, clock):
    ticket = approvals.request(decide())
    with Approvals(bridge, factors=factors, clock=clock) as later:
        assert [question.ticket_id for question in later.questions()] == [ticket.ticket_id]
        later.say(ticket.ticket_id, YES)
    assert approvals.consume(ticket.ticket_id, decide()).people == ("dev",)


def test_of_two_programs_that_use_an_answer_one_succeeds(approvals, decide, bridge, factors, clock):
    ticket = approvals.request(decide())
    approvals.say(ticket.ticket_id, YES)
    with Approvals(bridge, factors=factors, clock=clock) as other:
        outcomes = []
        for one in (approvals, other):
            try:
                outcomes.append(one.consume(ticket.ticket_id, decide()).ticket_id)
            except ApprovalInvalid:
                outcomes.append(None)
    assert outcomes == [ticket.ticket_id, None]


def test_a_record_that_cannot_be_stored_leaves_the_answer_unused(approvals, decide):
    ticket = approvals.request(decide())
    approvals.say(ticket.ticket_id, YES)
    with pytest.raises(ValueError, match="JSON"):
        approvals.consume(ticket, decide(), events=[("safety_audit", {"action": object()})])
    assert approvals.consume(ticket, decide()).people == ("dev",)


def test_old_questions_can_be_erased_while_their_outcome_stays(approvals, decide, clock, bridge):
    old = approvals.request(decide("rm secret-plan.txt"), timeout_seconds=1)
    approvals.say(old.ticket_id, YES)
    clock.go_on(10)
    new = approvals.request(decide("rm b"))
    assert approvals.erase_before(int(clock.now.timestamp() * 1e6)) == 1
    assert approvals.question(old.ticket_id).asked is None
    assert approvals.question(old.ticket_id).answers[0].person == "dev"
    assert approvals.question(new.ticket_id).asked is not None


def test_a_question_that_nobody_asked_is_not_found(approvals, decide):
    with pytest.raises(NotFound, match="no question"):
        approvals.consume("nothing", decide())
    with pytest.raises(NotFound):
        approvals.say("nothing", YES)


async def test_asking_does_not_block_a_loop(approvals, decide):
    ticket = await approvals.request_async(decide(), session="agent")
    assert approvals.question(ticket.ticket_id).asker == "agent"


def test_a_journal_that_is_closed_takes_no_question(approvals, decide, bridge):
    bridge.close()
    with pytest.raises(JournalError):
        approvals.request(decide())
