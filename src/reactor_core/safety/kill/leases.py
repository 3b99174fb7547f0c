"""Who has a lease at the watcher, what acts on his behalf, and whether he has fallen silent. No clock, no sockets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from reactor_core.safety.kill.processes import Member

__all__ = ["Action", "Lease", "actions_of"]


@dataclass(frozen=True, slots=True)
class Action:
    """A process that acts.

    Args:
        member: It.
        category: 0: it is killed; 1: it is asked to end first.
        says: What it does.
    """

    member: Member
    category: int
    says: str


@dataclass(slots=True)
class Lease:
    """A station's lease.

    Args:
        pid: Its process.
        name: What it calls itself.
        mark: Marks its actions.
        seconds: For how long it may be silent.
        heard: When it was heard last.
        busy: Whether a step was running then, or shortly before.
        doing: That step.
        actions: What acts on its behalf, by process.
        seen: Descendants of its actions that were seen, so that they are known when they have left their parents.
    """

    pid: int
    name: str
    mark: str
    seconds: float
    heard: float
    busy: bool = False
    doing: str = ""
    actions: dict[int, Action] = field(default_factory=dict)
    seen: dict[int, Member] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Whether something happens under it."""
        return self.busy or bool(self.actions)

    def deadline(self) -> float:
        """When it falls silent, unless it is heard before."""
        return self.heard + self.seconds

    def silent(self, now: float) -> bool:
        """Whether it has been silent for too long."""
        return now >= self.deadline()

    def roots(self, category: int) -> list[Member]:
        """The processes of one category that were enlisted."""
        return [action.member for action in self.actions.values() if action.category == category]

    @property
    def title(self) -> str:
        """For people."""
        return f"{self.name or 'process'} {self.pid}"


def actions_of(leases: Iterable[Lease]) -> Iterator[str]:
    """What is going on, in words."""
    for lease in leases:
        for action in lease.actions.values():
            yield action.says or f"process {action.member.pid} of {lease.title}"
        if lease.busy and not lease.actions:
            yield lease.doing or f"a step of {lease.title}"
