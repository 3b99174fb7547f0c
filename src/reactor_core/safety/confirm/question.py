"""What a person is asked, and what may be an answer to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

import msgspec

from reactor_core.events.event import from_micros
from reactor_core.safety.engine import Decision
from reactor_core.safety.verdict import Verdict
from reactor_core.utils.clock import to_iso

__all__ = [
    "OUT_OF_BAND",
    "Answer",
    "Asked",
    "Method",
    "Question",
    "Said",
    "asked_about",
    "people_needed",
    "printable",
]

SHOWN_CHARACTERS = 16_384
"""More of an action is not shown; the question then says so."""

RESOLVED_LINES = 100

PEOPLE_FOR_BLOCK = 2


class Method(StrEnum):
    """How somebody answered."""

    TERMINAL = "terminal"
    """At the terminal of the program that asks."""
    DIALOG = "dialog"
    """In a window of the program that asks."""
    VOICE = "voice"
    TEXT = "text"
    """In a chat."""
    TOTP = "totp"
    """With a code of an enrolled authenticator."""
    KEY = "key"
    """With a signature of an enrolled key, which is on another machine."""


OUT_OF_BAND = frozenset({Method.TOTP, Method.KEY})
"""Methods that do not run through the program that asks. Only these release an action that the rules block."""


class Said(msgspec.Struct, frozen=True):
    """What a person said.

    Attributes:
        confirmed: Whether the action may run.
        person: Who said it.
        method: How.
        words: In which words, if there were any.
    """

    confirmed: bool
    person: str
    method: Method
    words: str = ""


class Answer(msgspec.Struct, frozen=True):
    """What a person said, as it is stored; ``evidence`` is what the method leaves, such as a signed note."""

    person: str
    method: Method
    confirmed: bool
    answered_us: int
    evidence: dict[str, Any]


class Asked(msgspec.Struct, frozen=True):
    """What people are shown. The action is redacted; the answer is bound to the hash of the whole one.

    Attributes:
        action: The action, without its secrets.
        kind: Kind of action.
        verdict: What the gate decided.
        risk_level: MEDIUM, HIGH or CRITICAL.
        rules: Rules behind the decision.
        sentence: Why, in words.
        effect: What it does to the world.
        resolved: How it would run.
        context: What the caller says about it.
        pid: Process that asks.
        started: When that process began, in seconds since 1970, as ids of processes are used again.
    """

    action: str
    kind: str
    verdict: Verdict
    risk_level: str
    rules: tuple[str, ...]
    sentence: str
    effect: dict[str, Any]
    resolved: tuple[str, ...]
    context: dict[str, Any]
    pid: int = 0
    started: float = 0.0


class Question(msgspec.Struct, frozen=True):
    """A question to people, as it stands.

    Attributes:
        ticket_id: Its name.
        action_hash: What an answer is bound to.
        asker: Who wants to act, and so may not answer.
        asked_us: When it was asked, in microseconds since 1970.
        expires_us: Until when an answer counts and can be used.
        people: How many different people have to agree.
        state: open, confirmed, denied, expired or used.
        asked: What people are shown; None after it was erased.
        answers: What they said.
    """

    ticket_id: str
    action_hash: str
    asker: str
    asked_us: int
    expires_us: int
    people: int
    state: str
    asked: Asked | None
    answers: tuple[Answer, ...] = ()

    @property
    def blocked(self) -> bool:
        """Whether the rules block the action. A question that was erased counts as such."""
        return self.asked is None or self.asked.verdict is Verdict.BLOCK

    @property
    def missing(self) -> int:
        """How many people have yet to agree."""
        return max(0, self.people - sum(answer.confirmed for answer in self.answers))

    def as_dict(self) -> dict[str, Any]:
        """For JSON; without the evidence of the answers, which is for those who check them."""
        return {
            "id": self.ticket_id,
            "action_hash": self.action_hash,
            "asker": self.asker,
            "asked_at": to_iso(from_micros(self.asked_us)),
            "expires_at": to_iso(from_micros(self.expires_us)),
            "people": self.people,
            "missing": self.missing,
            "state": self.state,
            "asked": None if self.asked is None else msgspec.to_builtins(self.asked),
            "answers": [
                {
                    "person": answer.person,
                    "method": str(answer.method),
                    "confirmed": answer.confirmed,
                    "answered_at": to_iso(from_micros(answer.answered_us)),
                }
                for answer in self.answers
            ],
        }


def people_needed(verdict: Verdict) -> int:
    """How many different people release an action: two for one that the rules block."""
    return PEOPLE_FOR_BLOCK if verdict is Verdict.BLOCK else 1


def asked_about(
    decision: Decision, *, redact: Callable[[str], str], context: Mapping[str, Any], pid: int, started: float
) -> Asked:
    """What people are shown about a decision.

    Args:
        decision: The decision.
        redact: Takes the secrets out of a text.
        context: What the caller says about it; its texts are redacted too.
        pid: Process that asks.
        started: When that process began.
    """
    effect = decision.effect
    return Asked(
        action=_shown(redact(decision.action)),
        kind=decision.kind,
        verdict=decision.verdict,
        risk_level=decision.risk_level,
        rules=decision.rules,
        sentence=redact(decision.sentence),
        effect={**msgspec.to_builtins(effect), "target": redact(effect.target)},
        resolved=tuple(_shown(redact(line)) for line in decision.resolved[:RESOLVED_LINES]),
        context={name: redact(value) if isinstance(value, str) else value for name, value in context.items()},
        pid=pid,
        started=started,
    )


def printable(text: str, *, lines: bool = False) -> str:
    """A text that a terminal or page shows as what it is: control and direction characters are spelled out.

    Args:
        text: Anything; an action may hold sequences that move the cursor or turn the reading direction.
        lines: Keep line feeds.
    """
    return "".join(
        character
        if character.isprintable() or (lines and character == "\n")
        else character.encode("unicode_escape", "backslashreplace").decode("ascii")
        for character in text
    )


def _shown(text: str) -> str:
    if len(text) <= SHOWN_CHARACTERS:
        return text
    return f"{text[:SHOWN_CHARACTERS]}\n[{len(text) - SHOWN_CHARACTERS:,} more characters are not shown]"
