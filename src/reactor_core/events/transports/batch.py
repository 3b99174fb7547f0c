"""What a relay sends next: the urgent lane alone, then a share of each other lane."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from reactor_core.events.event import Event
from reactor_core.events.journal import Journal
from reactor_core.events.query import event_filter
from reactor_core.events.vocabulary import Priority

__all__ = ["BATCH", "BATCH_BYTES", "LANES", "Batch", "next_batch"]

LANES = (1, 2, 3, 4)
"""All lanes."""

BATCH = 512
"""Most events of one batch."""

BATCH_BYTES = 1 << 22
"""A batch ends with the page of events that reaches so many bytes of payload."""

_PAGE = 64

# Of a full batch, so many are of each lane while all of them wait; what one lane does not need the others take.
_SHARE = {Priority.HIGH: BATCH * 4 // 7, Priority.NORMAL: BATCH * 2 // 7, Priority.LOW: BATCH // 7}


@dataclass(frozen=True, slots=True)
class Batch:
    """Events that wait for the other side, most urgent lane first, and the cursors once it has confirmed them.

    Args:
        early: These are not committed yet; confirming them moves nothing, and they come again.
        made: ``time.monotonic()`` when it was taken.
    """

    events: list[Event]
    cursors: dict[int, int]
    early: bool = False
    made: float = field(default_factory=time.monotonic)


def next_batch(journal: Journal, after: Mapping[int, int], *, not_from: Iterable[str]) -> Batch:
    """What waits now. Lane 1 goes alone, so that it is confirmed first.

    Args:
        after: For each lane that is wanted, the position behind which to read.
        not_from: Leave out what these relays brought.
    """
    head = journal.head().seq
    cursors = dict(after)
    leave_out = tuple(not_from)
    room = BATCH_BYTES

    def take(lane: int, limit: int) -> list[Event]:
        """The next events of a lane; its cursor moves over them."""
        nonlocal room
        taken: list[Event] = []
        while len(taken) < limit and room > 0:
            page = min(_PAGE, limit - len(taken))
            wanted = event_filter(after_seq=cursors[lane], before_seq=head + 1, not_from=leave_out, priority=lane)
            events = journal.read(wanted, limit=page)
            last = events[-1].seq if len(events) == page else head
            assert last is not None, "what was read is committed"
            cursors[lane] = max(last, cursors[lane])
            taken += events
            room -= sum(len(event.payload()) for event in events)
            if len(events) < page:
                break
        return taken

    if 1 in cursors and (urgent := take(1, BATCH)):
        return Batch(urgent, {1: cursors[1]})
    shares = {int(lane): share for lane, share in _SHARE.items() if lane in cursors}
    found = {lane: take(lane, share) for lane, share in shares.items()}
    for lane, share in shares.items():
        left = BATCH - sum(map(len, found.values()))
        if len(found[lane]) == share and left > 0:
            found[lane] += take(lane, left)
    return Batch([event for events in found.values() for event in events], cursors)
