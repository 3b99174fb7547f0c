"""Four lanes: the first is strict, the others share so that none starves."""

from __future__ import annotations

from collections import deque

from reactor_core.events.event import Event

__all__ = ["LaneQueue"]

# Of seven events taken while all three wait, four are HIGH, two NORMAL, one LOW.
_TURNS = (2, 3, 2, 4, 2, 3, 2)


def _order(turn: int) -> tuple[tuple[int, int], ...]:
    """The lanes in the order in which they are asked at a turn, each with the turn that follows it."""
    asked: dict[int, int] = {}
    for step in range(len(_TURNS)):
        here = (turn + step) % len(_TURNS)
        asked.setdefault(_TURNS[here], (here + 1) % len(_TURNS))
    return tuple(asked.items())


_ORDERS = tuple(_order(turn) for turn in range(len(_TURNS)))


class LaneQueue:
    """Events that wait for one reader, in the order in which it should take them.

    Within a lane the order is the order of :meth:`push`. Not safe for threads by itself.
    """

    def __init__(self) -> None:
        self._lanes: dict[int, deque[Event]] = {1: deque(), 2: deque(), 3: deque(), 4: deque()}
        self._turn = 0

    def __len__(self) -> int:
        return sum(len(lane) for lane in self._lanes.values())

    def waiting(self, lane: int) -> int:
        """How many events of a lane wait."""
        return len(self._lanes[lane])

    def first(self, lane: int) -> Event | None:
        """The event of a lane that has waited longest; None if none waits."""
        waiting = self._lanes[lane]
        return waiting[0] if waiting else None

    def push(self, event: Event) -> None:
        """Add to the end of the event's lane."""
        self._lanes[event.priority].append(event)

    def pop(self, *, urgent: bool = False) -> Event | None:
        """Take the next event; None if all lanes are empty.

        Args:
            urgent: Look at the first lane only.
        """
        if self._lanes[1]:
            return self._lanes[1].popleft()
        if urgent:
            return None
        for lane, following in _ORDERS[self._turn]:
            waiting = self._lanes[lane]
            if waiting:
                self._turn = following
                return waiting.popleft()
        return None
