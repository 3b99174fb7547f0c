"""Saying what lies under a point or has the keyboard, from any thread, and remembering what was said."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import OrderedDict
from collections.abc import Coroutine, Mapping
from typing import Any

from reactor_core.safety.adapters.tool_calls import Describe
from reactor_core.safety.preview import Screen, Target, told

__all__ = ["Place", "Remembered", "Sight"]

_log = logging.getLogger(__name__)

Place = tuple[int, int] | None
"""A point of the screen; None for what has the keyboard."""
LOOK_SECONDS = 30.0
"""A screen that does not answer so long is not known."""
MOST_REMEMBERED = 1024


class Sight:
    """A ``describe`` for :func:`~reactor_core.safety.adapters.instrument`.

    A screen that belongs to a loop, such as a page of a browser, is asked on that loop: the one that runs where this is
    made. A client that blocks that very loop cannot be told anything, so its clicks are asked about; use its
    asynchronous form there.

    Args:
        screen: What is looked at.
        names: Names a point better than the screen does.
    """

    def __init__(self, screen: Screen, *, names: Describe | None = None) -> None:
        self._screen, self._names = screen, names
        self._lock = threading.Lock()
        self._judged: OrderedDict[Place, Target] = OrderedDict()
        try:
            self._loop: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            self._loop = None

    def __call__(self, x: int, y: int) -> str | None:
        """What lies under a point."""
        target = self._ask(self._screen.look(x, y))
        return None if target is None else self.named((x, y), self._remember((x, y), target))

    def focus(self) -> str | None:
        """What has the keyboard."""
        target = self._ask(self._screen.focus())
        return None if target is None else told(self._remember(None, target))

    def named(self, place: tuple[int, int], target: Target) -> str | None:
        """A target in words."""
        return (self._names(*place) if self._names is not None else None) or told(target)

    def judged(self, seen: Mapping[Place, Target]) -> dict[Place, Target]:
        """What was said to be at these places when it was asked last; what is there now where nobody asked."""
        with self._lock:
            return {place: self._judged.pop(place, target) for place, target in seen.items()}

    def _remember(self, place: Place, target: Target) -> Target:
        with self._lock:
            self._judged[place] = target
            self._judged.move_to_end(place)
            while len(self._judged) > MOST_REMEMBERED:
                self._judged.popitem(last=False)
        return target

    def _ask(self, look: Coroutine[Any, Any, Target]) -> Target | None:
        """Run a look where the screen lives. None if it cannot be waited for."""
        try:
            here: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            here = None
        loop = self._loop if self._loop is not None and self._loop.is_running() else None
        if loop is not None and loop is not here:
            waiting = asyncio.run_coroutine_threadsafe(look, loop)
            try:
                return waiting.result(LOOK_SECONDS)
            except TimeoutError:
                waiting.cancel()
                _log.warning("the screen did not say in %g s what is there", LOOK_SECONDS)
                return None
        return asyncio.run(look) if here is None else _at_once(look)


class Remembered:
    """A ``describe`` that says what was seen a moment ago.

    Args:
        seen: What lies where.
        sight: Puts it in words.
    """

    def __init__(self, seen: Mapping[Place, Target], sight: Sight) -> None:
        self._seen, self._sight = seen, sight

    def __call__(self, x: int, y: int) -> str | None:
        """What lay under a point."""
        return self._sight.named((x, y), self._seen[x, y])

    def focus(self) -> str | None:
        """What had the keyboard."""
        return told(self._seen[None])


def _at_once(look: Coroutine[Any, Any, Target]) -> Target | None:
    """The look of a screen that answers without waiting, as an X display does; None for others."""
    try:
        look.send(None)
    except StopIteration as end:
        target: Target = end.value
        return target
    look.close()
    _log.warning("the client blocks the loop that the screen needs, so nobody knows what a click hits")
    return None
