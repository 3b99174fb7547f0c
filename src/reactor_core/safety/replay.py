"""Decisions of the past, judged again under other rules, before those go live."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from reactor_core.events.event import Event
from reactor_core.safety.engine import KINDS, judge_action
from reactor_core.safety.policy import Policy
from reactor_core.safety.setting import Setting
from reactor_core.safety.verdict import Verdict

__all__ = ["Change", "PastDecision", "Replay", "past_decisions", "replay"]

_ERASED = "[redacted"


@dataclass(frozen=True, slots=True)
class PastDecision:
    """A decision that the journal holds.

    Args:
        event_id: Event that recorded it.
        seq: Its position in the journal.
        action: The action, without its secrets.
        kind: Of the action.
        cwd: Folder that it would have started in; empty if nobody recorded it.
        verdict: What was decided then.
        rules: By which rules.
    """

    event_id: str
    seq: int | None
    action: str
    kind: str
    cwd: str
    verdict: str
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """A decision that would be another one now."""

    past: PastDecision
    verdict: str
    rules: tuple[str, ...]
    sentence: str

    @property
    def milder(self) -> bool:
        """Whether less would be asked or refused."""
        return Verdict(self.verdict).rank < Verdict(self.past.verdict).rank

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "event_id": self.past.event_id,
            "seq": self.past.seq,
            "action": self.past.action,
            "kind": self.past.kind,
            "was": self.past.verdict,
            "was_rules": list(self.past.rules),
            "becomes": self.verdict,
            "rules": list(self.rules),
            "sentence": self.sentence,
            "milder": self.milder,
        }


@dataclass(frozen=True, slots=True)
class Replay:
    """What changed rules would have changed.

    Args:
        judged: Decisions that were judged again.
        changes: Those that would be others, oldest first.
        redacted: Decisions left out because a secret was removed from the action, so it cannot be judged as it was.
    """

    judged: int
    changes: tuple[Change, ...]
    redacted: int

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        moves = Counter(f"{change.past.verdict} -> {change.verdict}" for change in self.changes)
        return {
            "judged": self.judged,
            "redacted": self.redacted,
            "moves": dict(sorted(moves.items())),
            "changes": [change.as_dict() for change in self.changes],
        }


def past_decisions(events: Iterable[Event]) -> list[PastDecision]:
    """The decisions among events, in their order; events of other producers, without a decision in their metadata, are
    left out."""
    found = []
    for event in events:
        decision = event.metadata.get("decision")
        if isinstance(decision, Mapping) and decision.get("kind") in KINDS and isinstance(decision.get("action"), str):
            found.append(
                PastDecision(
                    event_id=event.event_id,
                    seq=event.seq,
                    action=decision["action"],
                    kind=decision["kind"],
                    cwd=str(decision.get("cwd") or ""),
                    verdict=str(Verdict(decision["verdict"])),
                    rules=tuple(decision.get("rules") or ()),
                )
            )
    return found


def replay(past: Iterable[PastDecision], *, policy: Policy, setting: Setting) -> Replay:
    """Judge decisions again, by their text alone: scripts and links may be others today.

    Args:
        past: The decisions; each action once, however often it was decided about in the same way.
        policy: The rules to try.
        setting: What is assumed; the folder is the recorded one.
    """
    changes, judged, redacted = [], 0, 0
    done: set[tuple[str, str, str, str]] = set()
    for decision in past:
        key = (decision.kind, decision.action, decision.cwd, decision.verdict)
        if key in done:
            continue
        done.add(key)
        if _ERASED in decision.action:
            redacted += 1
            continue
        judged += 1
        now = judge_action(
            decision.action, decision.kind, setting=setting, policy=policy, cwd=decision.cwd or setting.cwd
        )
        if str(now.verdict) != decision.verdict:
            changes.append(Change(decision, str(now.verdict), now.rules, now.sentence))
    return Replay(judged, tuple(changes), redacted)
