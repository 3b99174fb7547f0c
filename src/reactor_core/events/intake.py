"""The writer's queue: any thread puts in, one thread takes out, and lane 1 is taken first."""

from __future__ import annotations

import contextlib
import time
from collections import deque
from concurrent.futures import Future
from math import inf
from queue import Empty, SimpleQueue
from threading import Lock

from reactor_core.events.drafts import Append, Chunk, Entry, Work

__all__ = ["LINGER_SECONDS", "MAX_BATCH", "Intake"]

MAX_BATCH = 512
"""Most events in one transaction."""
LINGER_SECONDS = 0.002
"""How long a transaction waits for companions while several publishers are active; a lone one never waits."""


class Intake:
    """Entries in the order in which they are to be stored, except that urgent ones overtake.

    Only the thread that takes may take. It sleeps while too little waits and is woken once, by the entry that makes it
    enough: a thread that is busy is not disturbed.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._bell: SimpleQueue[None] = SimpleQueue()
        self._urgent: deque[Entry] = deque()
        self._usual: deque[Entry] = deque()
        self._want: float = inf
        self._companions = 0
        self._refusal: Exception | None = None
        self._ended = False

    def put(self, entry: Entry, *, urgent: bool = False) -> None:
        """Add an entry.

        Raises:
            JournalClosed: After :meth:`end`.
            JournalError: After :meth:`refuse`.
        """
        entry.at = time.monotonic()
        with self._lock:
            if self._refusal is not None:
                raise self._refusal
            (self._urgent if urgent else self._usual).append(entry)
            ring = self._want < inf and (urgent or len(self._usual) >= self._want)
            if ring:
                self._want = inf
        if ring:
            self._bell.put(None)

    def refuse(self, refusal: Exception | None) -> None:
        """Raise this for whoever puts something in from now on; None accepts again."""
        with self._lock:
            if not self._ended:
                self._refusal = refusal

    def clear(self) -> list[Entry]:
        """Take everything that somebody still waits for."""
        batch: list[Entry] = []
        for queue in (self._urgent, self._usual):
            while queue:
                batch += _drain(queue)
        return batch

    def pause(self, seconds: float) -> bool:
        """Sleep so long, or until :meth:`end`; whether all is ended."""
        until = time.monotonic() + seconds
        while not self._ended and (left := until - time.monotonic()) > 0:
            with contextlib.suppress(Empty):
                self._bell.get(timeout=left)
        return self._ended

    def end(self, refusal: Exception) -> None:
        """Refuse further entries; :meth:`take` gives out what is there and then None."""
        with self._lock:
            self._refusal = refusal
            self._ended = True
        self._bell.put(None)

    def take(self, until: float | None) -> list[Entry] | None:
        """The entries of the next transaction; waits for one.

        Args:
            until: When (``time.monotonic``) to give up and return an empty list; None waits for ever.

        Returns:
            One piece of work, or others with at most :data:`MAX_BATCH` events; None when all is taken for good.
        """
        while True:
            self._sleep(1, until)
            if self._companions > 1 and self._usual:
                # Publishers that were answered together come back together: one fsync for all of them.
                self._sleep(self._companions, time.monotonic() + LINGER_SECONDS)
            usual = not self._urgent
            batch = _drain(self._usual if usual else self._urgent)
            if usual:
                self._companions = [type(entry) for entry in batch].count(Append)
            if batch:
                return batch
            if not self._usual and not self._urgent:
                if self._ended:
                    return None
                if until is not None and time.monotonic() >= until:
                    return []

    def waiting(self) -> dict[bool, tuple[int, float]]:
        """Number of entries and the age of the oldest in seconds; True for the urgent ones."""
        now = time.monotonic()
        with self._lock:
            return {
                urgent: (len(queue), now - queue[0].at if queue else 0.0)
                for urgent, queue in ((True, self._urgent), (False, self._usual))
            }

    def _sleep(self, want: int, until: float | None) -> None:
        """Until something urgent or so many others wait, all is ended, or the time has come."""
        while True:
            with self._lock:
                if self._urgent or len(self._usual) >= want or self._ended:
                    return
                left = None if until is None else until - time.monotonic()
                if left is not None and left <= 0:
                    return
                self._want = want
            with contextlib.suppress(Empty):
                self._bell.get(timeout=left)
            self._want = inf


def _drain(queue: deque[Entry]) -> list[Entry]:
    """Take what fits into one transaction. No lock: this thread alone takes, and others only add at the end."""
    batch: list[Entry] = []
    room = MAX_BATCH
    while queue:
        entry = queue[0]
        if isinstance(entry, Append):
            size = 1
        elif isinstance(entry, Chunk):
            size = len(entry.items)
        elif isinstance(entry, Work):
            if not batch and _claim(queue.popleft()):
                return [entry]
            if batch:
                return batch
            continue
        else:
            size = 0
        if size > room:
            break
        queue.popleft()
        if _claim(entry):
            batch.append(entry)
            room -= size
    return batch


def _claim(entry: Entry) -> bool:
    """Whether somebody still wants it; from now on it cannot be withdrawn."""
    if isinstance(entry, Chunk) or entry.reply is None:
        return True
    reply = entry.reply
    return reply.set_running_or_notify_cancel() if isinstance(reply, Future) else not reply.cancelled()
