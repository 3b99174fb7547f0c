"""What a workspace remembers about one Redis, so that it notices when the server has lost history. No I/O here.

A server loses history when it is flushed, and the end of it when it dies before it wrote its file, or when a replica
that was behind takes over. Three memories find that out:

- the *epoch*, a random text under a key of the server: another one means that everything before is gone;
- the last entry that this workspace added to each stream: if it is no longer there, the end was lost;
- the last entry that it stored from each stream: if it is no longer there, something may have been lost to it.

What to send again is known from the groups of the other workspaces: the *base* is the position in our journal up to
which every group that was ever seen has confirmed our events. A workspace that was away keeps it back for a week.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping

import msgspec

__all__ = ["EntryId", "Ledger", "Marks", "as_id", "oldest_confirmed"]

FORGET_SECONDS = 7 * 86_400.0
"""How long a group that has vanished from the server still counts."""

EntryId = tuple[int, int]
"""Milliseconds and number of a stream's entry."""

_MAX_MARKS = 1024


class Ledger(msgspec.Struct):
    """What is kept on disk.

    Args:
        since_ms: When this workspace first met the server, by its own clock.
        epoch: The server's; empty before the first connection.
        places: By lane, the last entry that this workspace stored and confirmed.
        last: By lane, the last entry that this workspace added.
        base: By lane, the position up to which every known group has our events.
        groups: The groups of other workspaces, and when each was last seen, in seconds since 1970.
    """

    since_ms: int
    epoch: str = ""
    places: dict[int, str] = {}
    last: dict[int, str] = {}
    base: dict[int, int] = {}
    groups: dict[str, float] = {}

    def saw(self, groups: Iterable[str], *, now: float) -> None:
        """Note which groups of others there are; long vanished ones are forgotten."""
        seen = {**self.groups, **dict.fromkeys(groups, now)}
        self.groups = {name: moment for name, moment in seen.items() if now - moment < FORGET_SECONDS}

    def lost(self, epoch: str) -> None:
        """Everything that the server had is gone."""
        self.epoch = epoch
        self.places, self.last = {}, {}


class Marks:
    """Which entry carries which position of our journal, per lane, for entries that others may not have read yet."""

    def __init__(self) -> None:
        self._marks: dict[int, deque[tuple[EntryId, int, float]]] = {}

    def add(self, lane: int, entry: EntryId, seq: int, *, now: float) -> None:
        """Everything up to ``seq`` is on the server with ids up to ``entry``."""
        marks = self._marks.setdefault(lane, deque())
        marks.append((entry, seq, now))
        if len(marks) > _MAX_MARKS:  # keep every second and the last: what is sent again begins a little earlier
            last = (len(marks) - 1) % 2
            self._marks[lane] = deque(mark for number, mark in enumerate(marks) if number % 2 == last)

    def lanes(self) -> list[int]:
        """Lanes with entries that others may not have read."""
        return [lane for lane, marks in self._marks.items() if marks]

    def confirmed(self, lane: int, entry: EntryId | None, *, before: float) -> int | None:
        """All others have what is up to ``entry`` (None: all of it).

        Args:
            before: What was added later than this does not count yet.

        Returns:
            The position that this means; None if it is no further than it was.
        """
        marks = self._marks.get(lane)
        reached = None
        while marks and (entry is None or marks[0][0] <= entry) and marks[0][2] < before:
            reached = marks.popleft()[1]
        return reached

    def clear(self) -> None:
        """Forget all."""
        self._marks.clear()


def as_id(text: bytes | str) -> EntryId:
    """Read an entry id, ``<milliseconds>-<number>``."""
    spelled = text.decode() if isinstance(text, bytes) else text
    millis, _, number = spelled.partition("-")
    return int(millis), int(number or 0)


def oldest_confirmed(
    delivered: Mapping[str, EntryId], pending: Mapping[str, EntryId], known: Iterable[str]
) -> EntryId | None:
    """The entry up to which every known group has confirmed; None if no other group was ever seen.

    Args:
        delivered: By group, the last entry that was handed to it.
        pending: By group, the first entry that was handed to it and is not confirmed.
        known: All groups that count; one that is not there has confirmed nothing.
    """
    reached: list[EntryId] = []
    for group in known:
        if group not in delivered:
            return (0, 0)
        first = pending.get(group)
        reached.append(delivered[group] if first is None else min(delivered[group], _before(first)))
    return min(reached, default=None)


def _before(entry: EntryId) -> EntryId:
    millis, number = entry
    return (millis, number - 1) if number else (millis - 1, 2**64 - 1)
