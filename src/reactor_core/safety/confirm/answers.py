"""What an answer does to a question: inside a transaction of the journal, and nowhere else."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any

import apsw
import msgspec

from reactor_core.errors import ApprovalInvalid
from reactor_core.events.drafts import Draft
from reactor_core.events.event import new_event
from reactor_core.events.safety_events import safety_confirmation
from reactor_core.events.vocabulary import EventSource, EventType
from reactor_core.safety.confirm import store
from reactor_core.safety.confirm.question import OUT_OF_BAND, Answer, Question, Said

__all__ = ["TIMEOUT", "WITHDRAWN", "accept", "asked_event", "expire", "usable"]

TIMEOUT = "timeout"
"""What SAFETY_DENIED names as the method when nobody answered in time."""
WITHDRAWN = "withdrawn"
"""The same when whoever asked asks no more."""


def accept(
    db: apsw.Connection,
    ticket_id: str,
    said: Said,
    *,
    now_us: int,
    evidence: Mapping[str, Any],
    source: EventSource | str,
) -> tuple[Question, list[Draft]]:
    """Store an answer, and what it settles.

    Returns:
        The question as it stands now, and the event that says how it was settled, if it was.

    Raises:
        NotFound: There is no such question.
        ApprovalInvalid: It is settled or its time is over; or this person or this method may not answer it.
    """
    question = store.find(db, ticket_id)
    if question.state != "open":
        raise ApprovalInvalid(f"question {ticket_id} is {question.state} already")
    if not question.asked_us <= now_us < question.expires_us:
        raise ApprovalInvalid(f"the time of question {ticket_id} is over", remedy="the action has to be asked again")
    if not said.person or said.person == question.asker:
        raise ApprovalInvalid("who wants to act cannot allow it", remedy="somebody else answers")
    if any(answer.person == said.person for answer in question.answers):
        raise ApprovalInvalid(f"{said.person} has answered", remedy="a second person answers")
    if said.confirmed and question.blocked and said.method not in OUT_OF_BAND:
        raise ApprovalInvalid(
            f"the rules block this action; an answer by {said.method} does not release it",
            remedy="two people confirm it, each with an authenticator's code or a signed note",
        )
    answer = Answer(said.person, said.method, said.confirmed, now_us, dict(evidence))
    store.add_answer(db, ticket_id, answer)
    question = msgspec.structs.replace(question, answers=(*question.answers, answer))
    if said.confirmed and question.missing:
        return question, []
    question = msgspec.structs.replace(question, state="confirmed" if said.confirmed else "denied")
    store.set_state(db, ticket_id, question.state)
    methods = dict.fromkeys(str(one.method) for one in question.answers if one.confirmed == said.confirmed)
    return question, [_told(question, "+".join(methods), said.words or None, source)]


def expire(db: apsw.Connection, ticket_id: str, method: str, source: EventSource | str) -> tuple[Question, list[Draft]]:
    """End an open question without an answer; that is a denial. One that is settled stays as it is."""
    question = store.find(db, ticket_id)
    if question.state != "open":
        return question, []
    question = msgspec.structs.replace(question, state="expired")
    store.set_state(db, ticket_id, "expired")
    return question, [_told(question, method, None, source)]


def usable(question: Question, action_hash: str, now_us: int) -> None:
    """Check that an action may run on the strength of this question, now.

    Raises:
        ApprovalInvalid: It may not; the message says why.
    """
    if not hmac.compare_digest(question.action_hash.encode(), action_hash.encode()):
        raise ApprovalInvalid(
            f"the answer to question {question.ticket_id} is about another action",
            remedy="the action was changed since; it has to be asked again",
        )
    if question.state != "confirmed":
        raise ApprovalInvalid(f"question {question.ticket_id} is {question.state}, not confirmed")
    if not question.asked_us <= now_us < question.expires_us:
        raise ApprovalInvalid(f"the time of question {question.ticket_id} is over")
    agreed = [answer for answer in question.answers if answer.confirmed and answer.person != question.asker]
    if question.blocked:
        agreed = [answer for answer in agreed if answer.method in OUT_OF_BAND]
    if len({answer.person for answer in agreed}) < question.people:
        raise ApprovalInvalid(f"question {question.ticket_id} lacks the answers that it needs")


def asked_event(question: Question, source: EventSource | str) -> Draft:
    """SAFETY_ASKED, for pages and programs that bring the question to people."""
    assert question.asked is not None, "a new question says what it is about"
    data = {
        "action": question.asked.action,
        "risk_level": question.asked.risk_level,
        "verdict": str(question.asked.verdict),
        "reason": question.asked.sentence,
        "confirmation_id": question.ticket_id,
        "people": question.people,
        "expires_us": question.expires_us,
    }
    event, payload = new_event(source, EventType.SAFETY_ASKED, data, metadata=_about(question))
    return Draft(event, payload=payload)


def _told(question: Question, method: str, words: str | None, source: EventSource | str) -> Draft:
    asked = question.asked
    told = safety_confirmation(
        action="" if asked is None else asked.action,
        risk_level="CRITICAL" if asked is None else asked.risk_level,
        confirmed=question.state == "confirmed",
        confirmation_method=method,
        user_response=words,
    )
    people = [
        {"person": answer.person, "method": str(answer.method), "confirmed": answer.confirmed}
        for answer in question.answers
    ]
    event, payload = new_event(source, *told, metadata={**_about(question), "people": people})
    return Draft(event, payload=payload)


def _about(question: Question) -> dict[str, Any]:
    """What learning and the audit trail need beside the words."""
    asked = question.asked
    found: dict[str, Any] = {
        "confirmation_id": question.ticket_id,
        "action_hash": question.action_hash,
        "asker": question.asker,
    }
    if asked is not None:
        found |= {
            "kind": asked.kind,
            "verdict": str(asked.verdict),
            "rules": list(asked.rules),
            "why": asked.sentence,
            "target": asked.effect.get("target", ""),
            **({"rule": asked.rules[0]} if asked.rules else {}),
            **({"decision_id": asked.context["decision_id"]} if asked.context.get("decision_id") else {}),
        }
    return found
