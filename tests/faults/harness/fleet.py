"""The processes of one run: which there are, how one of them dies while the others go on, and how all end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.faults.harness.forks import Child, Forks
from tests.faults.harness.history import Log
from tests.faults.harness.tally import Tally
from tests.faults.harness.waiting import wait_until


@dataclass
class Member:
    """One place in a fleet, filled by one process after the other.

    Args:
        role: Function of :mod:`roles`.
        options: Its arguments, except ``log`` and ``life``.
    """

    role: str
    options: dict[str, Any]
    lives: int = 0
    child: Child | None = None
    logs: list[Log] = field(default_factory=list)


class Fleet:
    """Named processes in one folder.

    Args:
        members: In the order in which they are started.
    """

    def __init__(self, forks: Forks, folder: Path, tally: Tally, members: Mapping[str, Member]) -> None:
        self._forks = forks
        self._folder = folder
        self._tally = tally
        self._members = dict(members)

    def start(self, name: str, point: str | None = None, *, seconds: float | None = None) -> Child:
        """The next life of a member; it is ready when this returns, or dead already.

        Args:
            point: Failpoint at which it dies.
            seconds: How long its other threads go on meanwhile; None leaves it to chance.
        """
        member = self._members[name]
        chance = self._tally.chance
        die_at = None
        if point is not None:
            die_at = point, chance.randrange(1, 20), chance.choice((0.0, 0.05)) if seconds is None else seconds
        child = self._forks.start(
            member.role, self._folder, f"{name}-{member.lives}", die_at=die_at, life=member.lives, **member.options
        )
        member.lives += 1
        member.child = child
        member.logs.append(child.log)
        child.wait_for_lines(1)
        if point is None and child.ended():
            child.join()  # says why
        return child

    def start_all(self) -> None:
        """Start whoever is not there."""
        for name, member in self._members.items():
            if member.child is None:
                self.start(name)

    def die(self, name: str, point: str | None, *, seconds: float | None = None) -> None:
        """One member is killed while all others are at work.

        Args:
            point: Failpoint at which it dies; None for a random moment.
        """
        member = self._members[name]
        if point is not None and member.child is not None:
            self.kill(name)  # it has to come back with the point set
        if member.child is None:
            self.start(name, point, seconds=seconds)
        self.start_all()
        child = member.child
        assert child is not None, "it was started just now"
        if point is None:
            self.wait_for_work(self._tally.chance.randrange(1, 300))
            child.kill()
        assert child.join() < 0, f"{name} never came to {point}"
        member.child = None
        self._tally.run()
        self._tally.count(f"{name} killed at {point or 'a random moment'}")

    def kill(self, name: str) -> None:
        """``kill -9`` now."""
        member = self._members[name]
        if member.child is not None:
            member.child.kill()
            member.child = None

    def stop(self, name: str) -> None:
        """Ask a member to end, and wait until it has."""
        member = self._members[name]
        if member.child is not None:
            member.child.stop()
            member.child = None

    def wait_for_work(self, lines: int) -> None:
        """Until the logs have grown by so many lines."""
        before = self._lines()
        wait_until(lambda: self._lines() >= before + lines, f"{lines} more lines in {self._folder}")

    def settle(self, publisher: str, settled: Callable[[], bool], what: str) -> None:
        """End the publishing, wait until everything has arrived, end all.

        Raises:
            AssertionError: It does not arrive.
        """
        self.start_all()
        last = self._members[publisher].child
        assert last is not None, "all are started"
        last.finish()
        wait_until(lambda: last.log.records("finished") != [], "the publisher's last acknowledgement")
        wait_until(settled, what)
        for name in self._members:
            self.stop(name)

    def _lines(self) -> int:
        return sum(log.lines() for member in self._members.values() for log in member.logs)
