"""Asking people before an action, and letting it run once on their answer.

An answer is bound to the hash of the action as it would run, counts once, and ends with its time. The question is on
disk before anybody sees it; the answer, and the event that tells of it, before anybody acts on it; and that it is used
up, together with the record of what it released. Whoever asks cannot answer, and no answer in time is a denial.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import apsw
import msgspec
import psutil

from reactor_core.errors import ApprovalInvalid
from reactor_core.events.doorbell import Doorbell
from reactor_core.events.drafts import Draft
from reactor_core.events.event import new_event, to_micros
from reactor_core.events.vocabulary import EventType
from reactor_core.safety.confirm import answers, store
from reactor_core.safety.confirm.factors import FactorStore
from reactor_core.safety.confirm.notes import subject_of
from reactor_core.safety.confirm.question import OUT_OF_BAND, Method, Question, Said, asked_about, people_needed
from reactor_core.safety.confirm.ticket import Approver, Ticket
from reactor_core.safety.engine import Decision
from reactor_core.safety.redact import redact_text
from reactor_core.safety.verdict import Verdict
from reactor_core.utils.clock import Clock, SystemClock
from reactor_core.utils.ids import new_id

if TYPE_CHECKING:
    from reactor_core.integration.event_bridge import EventBridge

__all__ = ["Approvals", "Released"]

BLOCK_SECONDS = 3600.0
"""How long a question about a blocked action waits at least: two people have to be found."""

EventOf = tuple[EventType | str, Mapping[str, Any]] | tuple[EventType | str, Mapping[str, Any], Mapping[str, Any]]
"""Type, data and, if there is any, metadata."""


class Released(msgspec.Struct, frozen=True):
    """An answer that was just used up.

    Attributes:
        ticket_id: The question.
        action_hash: What it released.
        people: Who agreed.
        methods: How, in the same order.
    """

    ticket_id: str
    action_hash: str
    people: tuple[str, ...]
    methods: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """For JSON, as part of the audit record."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return plain


class Approvals:
    """The questions of one workspace. Every method may be called from any thread; all of them block for the disk.

    Args:
        bridge: The workspace.
        factors: Where codes and keys are checked; None takes the machine's.
        approver: Asks somebody, on a thread of its own, while a question that this object asked is open; None leaves
            it to the API and to ``reactor safety approve``.
        methods: How people may confirm. An organisation whose agents share the account of their users takes
            ``{Method.KEY}``, see docs/reference/safety-threat-model.md.
        redact: Takes secrets out of what is stored and shown.
        clock: The time.
    """

    def __init__(
        self,
        bridge: EventBridge,
        *,
        factors: FactorStore | None = None,
        approver: Approver | None = None,
        methods: frozenset[Method] = frozenset(Method),
        redact: Callable[[str], str] = redact_text,
        clock: Clock | None = None,
    ) -> None:
        self.bridge = bridge
        self._factors = factors
        self._own_factors = factors is None
        self._approver = approver
        self._methods = methods
        self._redact = redact
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._reader: store.QuestionReader | None = None
        self._asked: dict[str, Ticket] = {}

    def request(
        self,
        decision: Decision,
        *,
        session: str = "",
        decision_id: str = "",
        cwd: str = "",
        timeout_seconds: float | None = None,
        context: Mapping[str, Any] | None = None,
    ) -> Ticket:
        """Ask people about an action. The question is on disk when this returns.

        Args:
            decision: What the gate decided: confirm needs one person, block two.
            session: Who wants to act.
            decision_id: Name of the decision in the audit trail.
            cwd: Folder that the action starts in.
            timeout_seconds: How long an answer counts; None takes ``SAFETY_CONFIRMATION_TIMEOUT_SECONDS``, and at least
                an hour for a blocked action.
            context: What else people should know, as JSON values.

        Raises:
            JournalError: The question could not be stored, so nobody can answer it.
        """
        seconds = (
            self.bridge.settings.safety_confirmation_timeout_seconds if timeout_seconds is None else timeout_seconds
        )
        if timeout_seconds is None and decision.verdict is Verdict.BLOCK:
            seconds = max(seconds, BLOCK_SECONDS)
        now = self._now()
        said = {name: value for name, value in (("decision_id", decision_id), ("cwd", cwd)) if value}
        question = Question(
            ticket_id=new_id(),
            action_hash=decision.action_hash,
            asker=session or f"process {os.getpid()}",
            asked_us=now,
            expires_us=now + int(seconds * 1e6),
            people=people_needed(decision.verdict),
            state="open",
            asked=asked_about(
                decision,
                redact=self._redact,
                context={**(context or {}), **said},
                pid=os.getpid(),
                started=psutil.Process().create_time(),
            ),
        )

        def work(db: apsw.Connection) -> tuple[None, list[Draft]]:
            source = self.bridge.source
            late = [answers.expire(db, name, answers.TIMEOUT, source)[1] for name in store.overdue(db, now)]
            store.add(db, question)
            return None, [*(told for drafts in late for told in drafts), answers.asked_event(question, source)]

        self.bridge.journal.work_with_events(work).result()
        ticket = Ticket(self, question, seconds=seconds, approver=None if question.blocked else self._approver)
        with self._lock:
            self._asked = {name: one for name, one in self._asked.items() if not one.settled}
            self._asked[question.ticket_id] = ticket
        return ticket

    async def request_async(self, decision: Decision, **options: Any) -> Ticket:
        """:meth:`request` without blocking the caller's loop."""
        return await asyncio.to_thread(self.request, decision, **options)

    def say(self, ticket_id: str, said: Said) -> Question:
        """Store an answer that needs no proof: a denial, or a confirmation through the program that asks.

        Raises:
            NotFound: There is no such question.
            ApprovalInvalid: It is settled or over, or this answer cannot settle it.
            JournalError: The answer could not be stored.
        """
        if said.confirmed and said.method in OUT_OF_BAND:
            raise ApprovalInvalid(f"an answer by {said.method} comes with its code or note")
        return self._say(ticket_id, said, {})

    def say_with_code(
        self, ticket_id: str, code: str, *, confirmed: bool = True, person: str | None = None
    ) -> Question:
        """Store an answer that an authenticator's code proves. The code is used up, whatever becomes of the answer.

        Raises:
            As :meth:`say`; and ApprovalInvalid if the code is wrong.
        """
        self._open(ticket_id)
        proof = self.factors.use_code(code, purpose=f"question {ticket_id}", person=person)
        return self._say(ticket_id, Said(confirmed, proof.person, Method.TOTP), {"at": proof.at})

    def say_with_note(self, ticket_id: str, note: str, *, only_confirming: bool = False) -> Question:
        """Store the answer of a signed note.

        Args:
            ticket_id: The question.
            note: The text.
            only_confirming: Refuse a note that denies, before it is used up.

        Raises:
            As :meth:`say`; and ApprovalInvalid if the note is not signed by an enrolled key, or about something else.
        """
        question = self._open(ticket_id)
        if only_confirming and not self.factors.check_note(note, about=self.subject(question)).confirmed:
            raise ApprovalInvalid("the note says no", remedy="give it where questions are denied")
        proof, answer = self.factors.use_note(note, about=self.subject(question), purpose=f"question {ticket_id}")
        return self._say(ticket_id, Said(answer.confirmed, proof.person, Method.KEY), {"note": note})

    def consume(self, ticket: Ticket | str, decision: Decision, *, events: Sequence[EventOf] = ()) -> Released:
        """Use up an answer, just before the action runs.

        Args:
            ticket: The question.
            decision: The decision about the action that runs now, judged anew: its hash has to be that of the question.
            events: Events that are stored with it, such as the record of the decision: type, data and maybe metadata.

        Raises:
            ApprovalInvalid: The question is about another action, not confirmed, over, or used.
            NotFound: There is no such question.
            JournalError: It could not be stored; nothing may run.
        """
        ticket_id = ticket if isinstance(ticket, str) else ticket.ticket_id
        now = self._now()
        self._check_notes(self.question(ticket_id))

        def work(db: apsw.Connection) -> tuple[Released, list[Draft]]:
            question = store.find(db, ticket_id)
            answers.usable(question, decision.action_hash, now)
            store.set_state(db, ticket_id, "used")
            agreed = [answer for answer in question.answers if answer.confirmed]
            released = Released(
                ticket_id,
                question.action_hash,
                tuple(answer.person for answer in agreed),
                tuple(str(answer.method) for answer in agreed),
            )
            return released, [self._draft(*event) for event in events]

        return self.bridge.journal.work_with_events(work).result()

    def release_for(self, decision: Decision) -> Ticket | None:
        """A confirmed answer that waits for just this action, such as the release of a blocked one; None without."""
        now = self._now()
        for question in reversed(self._read().confirmed(decision.action_hash)):
            try:
                answers.usable(question, decision.action_hash, now)
            except ApprovalInvalid:
                continue
            return Ticket(self, question, seconds=(question.expires_us - now) / 1e6, approver=None)
        return None

    def question(self, ticket_id: str) -> Question:
        """A question as it stands; an open one whose time is over is called expired.

        Raises:
            NotFound: There is none of that name.
        """
        return self._aged(self._read().question(ticket_id))

    def questions(self, *, only_open: bool = True, limit: int = 100) -> list[Question]:
        """The newest questions, the oldest of them first."""
        found = [self._aged(one) for one in self._read().questions(only_open=only_open, limit=limit)]
        return [one for one in found if one.state == "open"] if only_open else found

    def subject(self, question: Question) -> str:
        """What a signed answer to a question is about."""
        return subject_of(self.bridge.journal.journal_id, question.ticket_id, question.action_hash)

    def end(self, ticket_id: str, *, method: str = answers.TIMEOUT) -> Question:
        """End a question without an answer; that is a denial. One that is settled stays as it is."""

        def work(db: apsw.Connection) -> tuple[Question, list[Draft]]:
            return answers.expire(db, ticket_id, method, self.bridge.source)

        return self._told(self.bridge.journal.work_with_events(work).result())

    def erase_before(self, before_us: int) -> int:
        """Delete what questions say that ended before a moment (microseconds since 1970); returns how many."""
        return self.bridge.journal.work(lambda db: store.erase_before(db, before_us)).result()

    @property
    def doorbell(self) -> Doorbell:
        """Rings after each commit of the workspace."""
        return self.bridge.journal.doorbell

    @property
    def factors(self) -> FactorStore:
        """Where codes and keys are checked; opened when it is first needed."""
        with self._lock:
            if self._factors is None:
                self._factors = FactorStore(self.bridge.settings.state_dir, clock=self._clock)
            return self._factors

    def close(self) -> None:
        """Close what this opened. The bridge stays open."""
        with self._lock:
            reader, self._reader = self._reader, None
            factors, self._factors = (self._factors, None) if self._own_factors else (None, self._factors)
            waiting, self._asked = list(self._asked.values()), {}
        for ticket in waiting:
            ticket.wake()
        if reader is not None:
            reader.close()
        if factors is not None:
            factors.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _say(self, ticket_id: str, said: Said, evidence: Mapping[str, Any]) -> Question:
        if said.confirmed and said.method not in self._methods:
            allowed = ", ".join(sorted(self._methods)) or "none"
            raise ApprovalInvalid(f"an answer by {said.method} does not count here", remedy=f"answer by {allowed}")
        now = self._now()

        def work(db: apsw.Connection) -> tuple[Question, list[Draft]]:
            return answers.accept(db, ticket_id, said, now_us=now, evidence=evidence, source=self.bridge.source)

        return self._told(self.bridge.journal.work_with_events(work).result())

    def _draft(
        self, event_type: EventType | str, data: Mapping[str, Any], metadata: Mapping[str, Any] | None = None
    ) -> Draft:
        event, payload = new_event(self.bridge.source, event_type, data, metadata=metadata)
        return Draft(event, payload=payload)

    def _told(self, question: Question) -> Question:
        """Wake who waits for it in this process; the others hear the bell of the commit."""
        with self._lock:
            ticket = self._asked.get(question.ticket_id)
        if ticket is not None:
            ticket.wake()
        return question

    def _open(self, ticket_id: str) -> Question:
        question = self.question(ticket_id)
        if question.state != "open":
            raise ApprovalInvalid(f"question {ticket_id} is {question.state} already")
        return question

    def _check_notes(self, question: Question) -> None:
        """Signatures are checked again when the action runs: somebody may have written into the database."""
        for answer in question.answers:
            if answer.confirmed and answer.method is Method.KEY:
                said = self.factors.check_note(str(answer.evidence.get("note", "")), about=self.subject(question))
                if not said.confirmed or said.person != answer.person:
                    raise ApprovalInvalid(f"the answer of {answer.person} is not what was signed")
            if answer.confirmed and answer.method not in self._methods:
                raise ApprovalInvalid(f"an answer by {answer.method} does not count here")

    def _aged(self, question: Question) -> Question:
        if question.state == "open" and not question.asked_us <= self._now() < question.expires_us:
            return msgspec.structs.replace(question, state="expired")
        return question

    def _read(self) -> store.QuestionReader:
        with self._lock:
            if self._reader is None:
                self._reader = self.bridge.journal.open_reader(store.QuestionReader)
            return self._reader

    def _now(self) -> int:
        return to_micros(self._clock.utc_now())
