"""``reactor safety habits`` and ``reactor safety preferences``: what the answers of people teach."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from reactor_core.data.preferences import preferences_of, write_preferences
from reactor_core.eval.verdicts import verdict_messages
from reactor_core.events.journal import JOURNAL_NAME, Journal
from reactor_core.events.query import event_filter
from reactor_core.events.vocabulary import EventType
from reactor_core.safety.confirm.store import QuestionReader
from reactor_core.safety.habits import habits_of
from reactor_core.utils.command import print_json
from reactor_core.utils.settings import load_settings

__all__ = ["habits", "preferences"]

Flag = Annotated[bool, Parameter(negative=())]

_ASKING = (EventType.SAFETY_AUDIT, EventType.SAFETY_BLOCKED, EventType.SAFETY_ASKED)
_ANSWERS = (EventType.SAFETY_CONFIRMED, EventType.SAFETY_DENIED)
_SETTLED = ("confirmed", "denied", "used")
_MANY = 1_000_000


def habits(*, json: Flag = False) -> None:
    """Say how often people are asked, by which rule, and what they answer.

    Parameters
    ----------
    json
        Print one JSON object.
    """
    with Journal(load_settings().workspace / JOURNAL_NAME) as journal:
        found = habits_of(journal.read(event_filter([*_ASKING, *_ANSWERS])))
    if json:
        print_json(found.as_dict())
        return
    per_100 = "no" if found.prompts_per_100 is None else f"{found.prompts_per_100:.1f}"
    lines = [f"{per_100} questions per 100 actions ({found.prompts} in {found.actions})"]
    for rule in found.rules:
        share = "-" if rule.share is None else f"{rule.share:.0%}"
        lines.append(
            f"{rule.rule}\tasked {rule.asked}\tyes {rule.accepted}\tno {rule.refused}"
            f"\tno answer {rule.unanswered}\taccepted {share}"
        )
    for proposal in found.proposals:
        lines += [
            f"\nPeople agreed to {proposal.accepted} of the last {proposal.of} questions of {proposal.rule}.",
            "To ask less, read this rule, narrow it, and put it into reactor.toml:\n",
            proposal.toml,
        ]
    sys.stdout.write("\n".join(lines) + "\n")


def preferences(file: Path, *, json: Flag = False) -> None:
    """Write what people preferred as pairs to train on: answers, corrections, choices, kept and rejected.

    Answers count only where the workspace's own table of questions has them, as any program can publish an event.

    Parameters
    ----------
    file
        The JSON Lines file; replaced whole.
    json
        Print one JSON object.
    """
    with Journal(load_settings().workspace / JOURNAL_NAME) as journal:
        reader = journal.open_reader(QuestionReader)
        try:
            asked = reader.questions(only_open=False, limit=_MANY)
        finally:
            reader.close()
        settled = {question.ticket_id for question in asked if question.state in _SETTLED}
        events = journal.read(event_filter([*_ANSWERS, EventType.CORRECTION, EventType.FEEDBACK]))
    written = write_preferences(preferences_of(events, settled=settled), file, verdict_messages)
    if json:
        told = {"path": str(written.path), "sha256": written.sha256, "pairs": written.pairs}
        print_json({**told, "origins": dict(written.origins), "conflicts": dict(written.conflicts)})
    else:
        sys.stdout.write(f"{written.pairs} pairs in {written.path}\n")
