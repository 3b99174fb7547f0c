"""What waits to be stored, and what becomes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, TypeAlias

import apsw
import msgspec

from reactor_core.errors import ConfigError, ReactorError
from reactor_core.events.event import Event, is_lane

__all__ = ["Append", "Appended", "Chunk", "Draft", "Entry", "Many", "Note", "Outcome", "Reply", "Work", "read_draft"]


class Appended(msgspec.Struct, frozen=True, gc=False):
    """Outcome of an append: the stored event, and whether it was there before."""

    event: Event
    duplicate: bool


Outcome: TypeAlias = Appended | ReactorError
"""What became of one event of many: a ConfigError says that its id belongs to an event with other content."""
Reply: TypeAlias = Future[Any] | asyncio.Future[Any]
"""Answered after the commit. One of an event loop is answered on that loop, in one call for all of a commit."""


class Draft(msgspec.Struct, frozen=True):
    """One event for :meth:`Journal.append_many`; the fields are the arguments of :meth:`Journal.append`."""

    event: Event
    payload: bytes | None = None
    origin: str = ""
    dedup_key: str | None = None
    uncommitted: bool = False


class Append(msgspec.Struct, gc=False):
    """An event on its way in.

    Args:
        minted: The id was made in this process just now, so no other row can have it.
        uncommitted: A peer sent it before committing it itself.
        reply: None where the event is one of many that are answered together.
        at: When it began to wait (``time.monotonic``).
    """

    event: Event
    payload: bytes
    origin: str
    dedup_key: str
    minted: bool
    uncommitted: bool = False
    reply: Reply | None = None
    at: float = 0.0


class Many:
    """Events that are answered together, once the last of them is committed.

    They are stored in several transactions if there are many. If one of those fails, the answer is its error, and
    events of the others may be stored.
    """

    __slots__ = ("error", "left", "reply", "results")

    def __init__(self, count: int, reply: Reply) -> None:
        self.results: list[Any] = [None] * count
        self.left = count
        self.reply = reply
        self.error: Exception | None = None


class Chunk(msgspec.Struct):
    """Some of :class:`Many`, for one transaction.

    Args:
        positions: Where among the many each of the items stands.
    """

    items: list[Append]
    positions: Sequence[int]
    many: Many
    at: float = 0.0


class Note(msgspec.Struct):
    """A statement that rides along with the next transaction."""

    statement: str
    values: Sequence[tuple[Any, ...]]
    reply: Reply
    at: float = 0.0


class Work(msgspec.Struct):
    """A call that gets a transaction of its own."""

    call: Callable[[apsw.Connection], Any]
    reply: Reply
    at: float = 0.0


Entry: TypeAlias = Append | Chunk | Note | Work
"""What the writer's queue holds."""


def read_draft(
    event: Event,
    payload: bytes | None = None,
    origin: str = "",
    dedup_key: str | None = None,
    uncommitted: bool = False,
    reply: Reply | None = None,
) -> Append:
    """Check an event on its way in, and encode it where that was not done.

    Raises:
        ConfigError: The event has no lane, an empty key, or data without a JSON form.
    """
    if not (1 <= event.priority <= 4 if type(event.priority) is int else is_lane(event.priority)):
        raise ConfigError(f"priority={event.priority!r} is no lane", remedy="use 1 (most urgent) to 4")
    if dedup_key == "":
        raise ConfigError("dedup_key is empty", remedy="pass a text that names the event, or None")
    minted = payload is not None and not origin
    if payload is None:
        payload = event.payload()
    return Append(event, payload, origin, dedup_key or "", minted, uncommitted, reply)
