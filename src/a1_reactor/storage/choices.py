"""What people chose among takes, as events, and what follows from all of it.

A choice is an event: kept, rejected, one preferred to another, a branch moved, or the last of these undone. Nothing is
ever changed or deleted; an undone choice is passed over. So the state is a function of the events alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from reactor_core.events.event import Event

__all__ = ["MAIN_BRANCH", "Action", "TakeState", "Verdict", "last_choice"]

Action = Literal["keep", "reject", "prefer", "branch", "undo"]

MAIN_BRANCH = "main"
"""The branch that a kept take goes onto where none is named."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What holds of a clip."""

    kept: bool
    """True for kept, False for rejected."""
    chooser: str
    """``person``, or ``metric:`` and its name."""
    actor: str
    """Who ran the command; the person who chose, where a person did."""
    at: str
    """ISO 8601 in UTC."""
    event_id: str
    """The event that says so."""

    def to_json(self) -> dict[str, Any]:
        return {
            "verdict": "keep" if self.kept else "reject",
            "chooser": self.chooser,
            "actor": self.actor,
            "at": self.at,
            "event_id": self.event_id,
        }


@dataclass(frozen=True, slots=True)
class TakeState:
    """What follows from the choices of a workspace."""

    verdicts: Mapping[str, Verdict]
    """Key of a clip -> what was last said of it and not undone; a clip that is not here is undecided."""
    branches: Mapping[str, str]
    """Name of a branch -> key of the clip at its head."""
    roots: frozenset[str]
    """Keys that must not be deleted: kept clips, and every clip that an undo can bring back to the head of a branch."""

    @classmethod
    def of(cls, events: Iterable[Event]) -> TakeState:
        """Read choices in the order in which they were made; anything else among the events is passed over."""
        verdicts: dict[str, Verdict] = {}
        branches: dict[str, str] = {}
        heads: set[str] = set()
        for event in _standing(list(events)):
            action, clip, branch = (event.data.get(name) for name in ("action", "clip", "branch"))
            if not isinstance(clip, str):
                continue
            if action in ("keep", "reject"):
                verdicts[clip] = Verdict(
                    kept=action == "keep",
                    chooser=str(event.data.get("chooser", "")),
                    actor=str(event.data.get("actor", "")),
                    at=event.timestamp.isoformat(),
                    event_id=event.event_id,
                )
            if action in ("keep", "branch") and isinstance(branch, str):
                branches[branch] = clip
                heads.add(clip)
        kept = {clip for clip, verdict in verdicts.items() if verdict.kept}
        return cls(MappingProxyType(verdicts), MappingProxyType(branches), frozenset(kept | heads))


def last_choice(events: Sequence[Event], actor: str) -> Event | None:
    """The newest choice of somebody that stands and can be undone, or None."""
    mine = [event for event in _standing(events) if event.data.get("actor") == actor]
    return mine[-1] if mine else None


def _standing(events: Sequence[Event]) -> list[Event]:
    """The choices that were not undone."""
    undone = {event.data.get("retracts") for event in events if event.data.get("action") == "undo"}
    actions = ("keep", "reject", "prefer", "branch")
    return [event for event in events if event.event_id not in undone and event.data.get("action") in actions]
