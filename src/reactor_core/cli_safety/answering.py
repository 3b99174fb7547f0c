"""``reactor safety confirmations``, ``approve`` and ``deny``."""

from __future__ import annotations

import getpass
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import psutil
from cyclopts import Parameter

from reactor_core.errors import ActionDenied, ApprovalInvalid, EnvironmentMissing
from reactor_core.events.vocabulary import EventSource
from reactor_core.integration.event_bridge import EventBridge
from reactor_core.safety.confirm.approvals import Approvals
from reactor_core.safety.confirm.question import Method, Question, Said
from reactor_core.safety.confirm.terminal import TerminalApprover, ask_line, lines_of, terminal_there
from reactor_core.utils.command import print_json
from reactor_core.utils.settings import load_settings

__all__ = ["approve", "confirmations", "deny"]

Flag = Annotated[bool, Parameter(negative=())]

ASK_SECONDS = 120.0


def confirmations(
    *, everything: Annotated[bool, Parameter(name="--all", negative=())] = False, json: Flag = False
) -> None:
    """List the questions that wait for an answer.

    Parameters
    ----------
    everything
        Also those that are settled.
    json
        Print one JSON object.
    """
    with _approvals() as approvals:
        found = approvals.questions(only_open=not everything)
        if json:
            print_json({"confirmations": [_plain(approvals, question) for question in found]})
            return
        for question in found:
            sys.stdout.write("\n".join([*lines_of(question), f"  State: {question.state}", ""]) + "\n")
    if not found:
        sys.stderr.write("no question\n")


def approve(
    ticket_id: str,
    *,
    code: str | None = None,
    note: Path | None = None,
    person: str | None = None,
    json: Flag = False,
) -> None:
    """Answer a question with yes: the action may run once.

    Takes a code or a note. At a terminal, and where nobody has set up an authenticator, a person's word is enough for
    an action that the rules do not block.

    Parameters
    ----------
    ticket_id
        The question.
    code
        What an authenticator shows; asked at the terminal if absent.
    note
        File with a signed answer; /dev/stdin reads standard input.
    person
        Whose code it is, or who answers.
    json
        Print one JSON object.
    """
    with _approvals() as approvals:
        question = approvals.question(ticket_id)
        if note is not None:
            question = approvals.say_with_note(ticket_id, note.read_text(encoding="utf-8"), only_confirming=True)
        elif code is not None or any(one.method is Method.TOTP for one in approvals.factors.enrolled()):
            question = approvals.say_with_code(ticket_id, code or _ask_code(question), person=person)
        else:
            question = _at_the_terminal(approvals, question, person)
        _show(approvals, question, json=json)


def deny(ticket_id: str, *, reason: str = "", person: str | None = None, json: Flag = False) -> None:
    """Answer a question with no. This needs no factor, and cannot be taken back.

    Parameters
    ----------
    ticket_id
        The question.
    reason
        Why, in words.
    person
        Who answers; the name of the account if absent.
    json
        Print one JSON object.
    """
    with _approvals() as approvals:
        said = Said(False, person or getpass.getuser(), Method.TERMINAL, reason)
        _show(approvals, approvals.say(ticket_id, said), json=json)


def _ask_code(question: Question) -> str:
    typed = ask_line("\n".join([*lines_of(question), "Code of your authenticator: "]), seconds=ASK_SECONDS, hidden=True)
    if not typed:
        raise ApprovalInvalid("no code was typed; the question is still open")
    return typed


def _at_the_terminal(approvals: Approvals, question: Question, person: str | None) -> Question:
    if question.blocked:
        raise ApprovalInvalid(
            "the rules block this action: two people release it, each with an authenticator or a key",
            remedy="reactor safety enrol",
        )
    if _runs_under(question):
        raise ApprovalInvalid("this runs under the program that asks, which cannot answer itself")
    if not terminal_there():
        raise EnvironmentMissing(
            "without a terminal a factor is needed", remedy="set one up: reactor safety enrol; then give --code"
        )
    said = TerminalApprover(person)(question, threading.Event())
    if said is None:
        raise ApprovalInvalid("nobody answered; the question is still open")
    answered = approvals.say(question.ticket_id, said)
    if not said.confirmed:
        raise ActionDenied("the word was not typed, so the action is refused")
    return answered


def _runs_under(question: Question) -> bool:
    """Whether this process, or one that it comes from, asked the question."""
    asked = question.asked
    if asked is None:
        return True
    process = psutil.Process()
    family = [process, *process.parents()]
    return any(one.pid == asked.pid and abs(one.create_time() - asked.started) < 1 for one in family)


@contextmanager
def _approvals() -> Iterator[Approvals]:
    with EventBridge(EventSource.USER, settings=load_settings()) as bridge, Approvals(bridge) as approvals:
        yield approvals


def _plain(approvals: Approvals, question: Question) -> dict[str, object]:
    return {**question.as_dict(), "subject": approvals.subject(question)}


def _show(approvals: Approvals, question: Question, *, json: bool) -> None:
    if json:
        print_json(_plain(approvals, question))
    elif question.state == "open":
        sys.stdout.write(f"noted; {question.missing} more to agree\n")
    else:
        sys.stdout.write(f"{question.state}\n")
