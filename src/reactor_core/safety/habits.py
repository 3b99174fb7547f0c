"""How often people are asked, what they answer, and which rules might ask less.

A rule whose questions people nearly always answer with yes teaches them to say yes. It is proposed for narrowing, as a
rule for ``reactor.toml``; nothing is ever changed by itself. What the rules block is never proposed.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath
from typing import Any

from reactor_core.events.event import Event
from reactor_core.events.vocabulary import EventType

__all__ = ["ASKS", "SHARE", "Habits", "Proposal", "RuleHabit", "habits_of"]

ASKS = 50
"""Answered questions of a rule that are looked at, the newest ones."""
SHARE = 0.95
"""Share of yes among them above which the rule is proposed for narrowing."""

_NOWHERE = "/name/the/place/here"
"""Stands where no folder is common, so that the rule as it is printed lets nothing run."""
_NOBODY = frozenset({"timeout", "withdrawn"})
_DECISIONS = frozenset({EventType.SAFETY_AUDIT, EventType.SAFETY_BLOCKED})


@dataclass(frozen=True, slots=True)
class RuleHabit:
    """The questions of one rule.

    Args:
        rule: Its name.
        asked: Questions.
        accepted: Those that people agreed to.
        refused: Those that people refused.
        unanswered: Those that nobody answered.
    """

    rule: str
    asked: int
    accepted: int
    refused: int
    unanswered: int

    @property
    def share(self) -> float | None:
        """Share of yes among the answered ones; None without any."""
        answered = self.accepted + self.refused
        return self.accepted / answered if answered else None


@dataclass(frozen=True, slots=True)
class Proposal:
    """A rule that might ask less.

    Args:
        rule: Its name.
        accepted: Yes among the newest :data:`ASKS` answers.
        of: How many answers that were.
        kinds: Kinds of action that it asked about.
        below: Folder that all of the targets lie in; empty if there is none.
        toml: A rule for ``reactor.toml`` that would let these run; for a person to read, narrow and add.
    """

    rule: str
    accepted: int
    of: int
    kinds: tuple[str, ...]
    below: str
    toml: str


@dataclass(frozen=True, slots=True)
class Habits:
    """What the journal says about asking.

    Args:
        actions: Actions that the gate decided.
        prompts: Questions to people.
        rules: By rule, the one that asks most first.
        proposals: Rules that might ask less.
    """

    actions: int
    prompts: int
    rules: tuple[RuleHabit, ...]
    proposals: tuple[Proposal, ...]

    @property
    def prompts_per_100(self) -> float | None:
        """Questions in a hundred actions; None without any action."""
        return 100 * self.prompts / self.actions if self.actions else None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "actions": self.actions,
            "prompts": self.prompts,
            "prompts_per_100": self.prompts_per_100,
            "rules": [{**asdict(rule), "share": rule.share} for rule in self.rules],
            "proposals": [asdict(proposal) for proposal in self.proposals],
        }


def habits_of(events: Iterable[Event]) -> Habits:
    """Count what some events say, oldest first; erased ones say nothing."""
    decided: set[str] = set()
    asked: Counter[str] = Counter()
    answers: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        if event.event_type in _DECISIONS:
            decided.add(str(event.metadata.get("decision_id") or event.event_id))
        rule = event.metadata.get("rule")
        if not isinstance(rule, str) or "confirmation_id" not in event.metadata:
            continue
        if event.event_type == EventType.SAFETY_ASKED:
            asked[rule] += 1
        elif event.event_type in (EventType.SAFETY_CONFIRMED, EventType.SAFETY_DENIED):
            answers[rule].append(event)
    rules = [_habit(rule, max(asked[rule], len(answers[rule])), answers[rule]) for rule in {*asked, *answers}]
    return Habits(
        actions=len(decided),
        prompts=sum(rule.asked for rule in rules),
        rules=tuple(sorted(rules, key=lambda rule: (-rule.asked, rule.rule))),
        proposals=tuple(found for rule in sorted(answers) if (found := _proposal(rule, answers[rule])) is not None),
    )


def _habit(rule: str, asked: int, events: list[Event]) -> RuleHabit:
    accepted = sum(event.event_type == EventType.SAFETY_CONFIRMED for event in events)
    unanswered = sum(event.data.get("confirmation_method") in _NOBODY for event in events)
    return RuleHabit(rule, asked, accepted, len(events) - accepted - unanswered, unanswered + asked - len(events))


def _proposal(rule: str, events: list[Event]) -> Proposal | None:
    said = [event for event in events if event.data.get("confirmation_method") not in _NOBODY][-ASKS:]
    accepted = [event for event in said if event.event_type == EventType.SAFETY_CONFIRMED]
    if len(said) < ASKS or len(accepted) <= SHARE * len(said):
        return None
    if any(event.metadata.get("verdict") == "block" for event in said):
        return None
    kinds = tuple(sorted({str(event.metadata["kind"]) for event in accepted if event.metadata.get("kind")}))
    below = _common([str(event.metadata.get("target") or "") for event in accepted])
    return Proposal(rule, len(accepted), len(said), kinds, below, _toml(rule, len(accepted), kinds, below))


def _common(targets: list[str]) -> str:
    """The folder that all targets lie in; a lone name, or the root, is none."""
    if not all(target.startswith("/") for target in targets):
        return ""
    parents = [PurePosixPath(target).parent.parts for target in targets]
    shared = []
    for parts in zip(*parents, strict=False):
        if len(set(parts)) > 1:
            break
        shared.append(parts[0])
    return str(PurePosixPath(*shared)) if len(shared) > 1 else ""


def _toml(rule: str, accepted: int, kinds: tuple[str, ...], below: str) -> str:
    lines = [
        "[[safety.rules]]",
        f"name = {json.dumps(f'{rule}, narrowed')}",
        'verdict = "allow"',
        f"reason = {json.dumps(f'people agreed to {accepted} of {ASKS}')}",
        f"lifts = {json.dumps([rule])}",
        f"kinds = {json.dumps(list(kinds))}",
        f"paths = {json.dumps([below or _NOWHERE])}" + ("" if below else "  # or hosts, tables, accounts"),
    ]
    return "\n".join(lines) + "\n"
