"""Places in a store, as opaque text that a client keeps and shows again."""

from __future__ import annotations

import base64
from dataclasses import dataclass

import msgspec

from reactor_core.errors import ConfigError
from reactor_core.events.event import Event
from reactor_core.events.query import MAX_PAGE, Page

__all__ = ["Place", "check_limit", "page_of"]

_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Place:
    """Between two events of one store.

    Args:
        store: Which store; a place of another one is refused.
        position: Of the event just read.
        newest: Whether the reading goes back from the newest.
    """

    store: str
    position: int
    newest: bool = False

    def __str__(self) -> str:
        packed = msgspec.msgpack.encode((_FORMAT, self.store, self.position, self.newest))
        return base64.urlsafe_b64encode(packed).rstrip(b"=").decode()

    @classmethod
    def read(cls, cursor: str, *, store: str) -> Place:
        """The place that a cursor names.

        Raises:
            ConfigError: The text is no cursor of this store.
        """
        try:
            packed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            form, of, position, newest = msgspec.msgpack.decode(packed, type=tuple[int, str, int, bool])
        except (ValueError, msgspec.MsgspecError) as error:
            raise _foreign(cursor) from error
        if form != _FORMAT or of != store or not 0 <= position < 1 << 63:
            raise _foreign(cursor)
        return cls(of, position, newest)


def check_limit(limit: int) -> None:
    """Check the size of a page.

    Raises:
        ConfigError: It is below 1 or above :data:`MAX_PAGE`.
    """
    if not 1 <= limit <= MAX_PAGE:
        raise ConfigError(f"limit={limit!r} is no size of a page", remedy=f"use 1 to {MAX_PAGE}")


def page_of(rows: list[tuple[int, Event]], limit: int, *, store: str, head: int, newest: bool) -> Page:
    """A page from what a store found.

    Args:
        rows: Position and event in order of the reading, one more than ``limit`` if there are more.
        limit: Size of the page.
        store: Which store.
        head: Its last position before the look; what is stored above it belongs to a later page.
        newest: Whether the reading goes back from the newest.
    """
    page = rows[:limit]
    more = len(rows) > limit
    onward = Place(store, page[-1][0], newest) if more else None
    resume = onward if onward is not None and not newest else Place(store, head)
    return Page([event for _, event in page], None if onward is None else str(onward), str(resume))


def _foreign(cursor: str) -> ConfigError:
    return ConfigError(f"cursor {cursor!r:.80} is none of this store", remedy="use next_cursor of an earlier page")
