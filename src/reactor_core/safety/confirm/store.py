"""Questions and answers as rows of the journal's database."""

from __future__ import annotations

from typing import Any

import apsw
import msgspec

from reactor_core.errors import NotFound
from reactor_core.events.reader import JournalReader
from reactor_core.events.schema import journal_errors
from reactor_core.safety.confirm.question import Answer, Asked, Method, Question

__all__ = [
    "QuestionReader",
    "add",
    "add_answer",
    "confirmed",
    "erase_before",
    "find",
    "open_questions",
    "overdue",
    "recent",
    "set_state",
]

_COLUMNS = "ticket_id, action_hash, asker, asked_us, expires_us, people, state, asked"


class QuestionReader(JournalReader):
    """Reads questions beside the writing thread."""

    def question(self, ticket_id: str) -> Question:
        """One question.

        Raises:
            NotFound: There is none of that name.
        """
        with self._lock, journal_errors(self._path):
            return find(self._db, ticket_id)

    def questions(self, *, only_open: bool, limit: int) -> list[Question]:
        """The newest questions, the oldest of them first."""
        with self._lock, journal_errors(self._path):
            return recent(self._db, limit) if not only_open else open_questions(self._db, limit)

    def confirmed(self, action_hash: str) -> list[Question]:
        """Confirmed questions about an action that were not used yet, the newest last."""
        with self._lock, journal_errors(self._path):
            return confirmed(self._db, action_hash)


def add(db: apsw.Connection, question: Question) -> None:
    """Store a new question."""
    db.execute(
        f"INSERT INTO confirmations ({_COLUMNS}) VALUES (?,?,?,?,?,?,?,?)",  # noqa: S608
        (
            question.ticket_id, question.action_hash, question.asker, question.asked_us, question.expires_us,
            question.people, question.state, msgspec.json.encode(question.asked).decode(),
        ),
    )  # fmt: skip


def add_answer(db: apsw.Connection, ticket_id: str, answer: Answer) -> None:
    """Store an answer; each person has one."""
    evidence = msgspec.json.encode(answer.evidence).decode()
    db.execute(
        "INSERT INTO confirmation_answers VALUES (?,?,?,?,?,?)",
        (ticket_id, answer.person, str(answer.method), int(answer.confirmed), answer.answered_us, evidence),
    )


def set_state(db: apsw.Connection, ticket_id: str, state: str) -> None:
    """Store how a question stands."""
    db.execute("UPDATE confirmations SET state = ? WHERE ticket_id = ?", (state, ticket_id))


def find(db: apsw.Connection, ticket_id: str) -> Question:
    """A question with its answers.

    Raises:
        NotFound: There is none of that name.
    """
    row = db.execute(f"SELECT {_COLUMNS} FROM confirmations WHERE ticket_id = ?", (ticket_id,)).fetchone()  # noqa: S608
    if row is None:
        raise NotFound(f"no question is called {ticket_id!r:.80}", remedy="reactor safety confirmations lists them")
    return _question(db, row)


def open_questions(db: apsw.Connection, limit: int = 1000) -> list[Question]:
    """Those that stand open in the table, the oldest first; the time of some may be over."""
    statement = f"SELECT {_COLUMNS} FROM confirmations WHERE state = 'open' ORDER BY asked_us LIMIT ?"  # noqa: S608
    return [_question(db, row) for row in db.execute(statement, (limit,)).fetchall()]


def confirmed(db: apsw.Connection, action_hash: str) -> list[Question]:
    """Confirmed ones about an action, the newest last."""
    statement = f"SELECT {_COLUMNS} FROM confirmations WHERE state = 'confirmed' AND action_hash = ? ORDER BY asked_us"  # noqa: S608
    return [_question(db, row) for row in db.execute(statement, (action_hash,)).fetchall()]


def overdue(db: apsw.Connection, now_us: int) -> list[str]:
    """Names of open ones whose time is over."""
    statement = "SELECT ticket_id FROM confirmations WHERE state = 'open' AND expires_us <= ?"
    return [str(row[0]) for row in db.execute(statement, (now_us,)).fetchall()]


def recent(db: apsw.Connection, limit: int) -> list[Question]:
    """The newest, the oldest of them first."""
    statement = f"SELECT {_COLUMNS} FROM confirmations ORDER BY asked_us DESC, ticket_id DESC LIMIT ?"  # noqa: S608
    return [_question(db, row) for row in reversed(db.execute(statement, (limit,)).fetchall())]


def erase_before(db: apsw.Connection, before_us: int) -> int:
    """Delete what old questions say, and the evidence of their answers; what was decided stays. Returns how many."""
    db.execute(
        "UPDATE confirmation_answers SET evidence = '{}' WHERE ticket_id IN "
        "(SELECT ticket_id FROM confirmations WHERE expires_us < ? AND asked IS NOT NULL)",
        (before_us,),
    )
    db.execute(
        "UPDATE confirmations SET asked = NULL, state = CASE state WHEN 'open' THEN 'expired' ELSE state END "
        "WHERE expires_us < ? AND asked IS NOT NULL",
        (before_us,),
    )
    return int(db.changes())


def _question(db: apsw.Connection, row: tuple[Any, ...]) -> Question:
    answers: list[tuple[Any, ...]] = db.execute(
        "SELECT person, method, confirmed, answered_us, evidence FROM confirmation_answers WHERE ticket_id = ? "
        "ORDER BY answered_us, person",
        (row[0],),
    ).fetchall()
    said = tuple(
        Answer(person, Method(method), bool(confirmed), answered_us, msgspec.json.decode(evidence))
        for person, method, confirmed, answered_us, evidence in answers
    )
    ticket_id, action_hash, asker, asked_us, expires_us, people, state, text = row
    asked = None if text is None else msgspec.json.decode(text, type=Asked)
    return Question(ticket_id, action_hash, asker, asked_us, expires_us, people, state, asked, said)
