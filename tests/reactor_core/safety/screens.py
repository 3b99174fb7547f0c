"""A screen in memory: windows with elements that can be looked at, clicked, typed into, and changed by a test."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from reactor_core.safety.preview import Target
from reactor_core.safety.preview.target import changed

__all__ = ["Element", "MemoryScreen"]


@dataclass
class Element:
    """A rectangle with a role and a name; a click on one that is on or off switches it."""

    role: str
    name: str
    box: tuple[int, int, int, int]
    app: str = "Files"
    dialog: str = ""
    on: bool | None = None
    colour: str = "grey"
    clicks: list[str] = field(default_factory=list)
    typed: str = ""

    def covers(self, x: int, y: int) -> bool:
        left, top, width, height = self.box
        return left <= x < left + width and top <= y < top + height


class MemoryScreen:
    """Elements, the last on top. What ``during`` does happens while a click is shown."""

    def __init__(self, *elements: Element) -> None:
        self.elements = list(elements)
        self.focused: Element | None = None
        self.during: Callable[[], None] = lambda: None
        self.at = (0, 0)
        self.marks = 0
        self.vetoed = ""
        self.wheel = (0, 0)
        self.dragged: list[tuple[str, str]] = []
        self.pressed: list[tuple[str, ...]] = []

    def _under(self, x: int, y: int) -> Element:
        return next(one for one in reversed(self.elements) if one.covers(x, y))

    def _target(self, one: Element, pixels: str) -> Target:
        state = "" if one.on is None else "off" if one.on else "on"
        element = f"{one.role} {one.name} {state}"
        return Target(one.app, element, one.box, pixels, one.role, one.name, state, one.app, one.dialog)

    async def look(self, x: int, y: int) -> Target:
        one = self._under(x, y)
        return self._target(one, hashlib.sha256(one.colour.encode()).hexdigest())

    async def mark(self, x: int, y: int) -> None:
        self.marks += 1
        self.during()

    async def unmark(self) -> None:
        self.vetoed = ""

    async def veto(self) -> str:
        return self.vetoed

    async def click(self, x: int, y: int, button: str, expected: Target, *, times: int = 1) -> str:
        reason = changed(expected, await self.look(x, y))
        if not reason:
            one = self._under(x, y)
            one.clicks += [button] * times
            one.on = None if one.on is None else not one.on
            self.focused = one
        return reason

    async def drag(self, path: Sequence[tuple[int, int]], expected: Target, onto: Target) -> str:
        reason = changed(expected, await self.look(*path[0])) or changed(onto, await self.look(*path[-1]))
        if not reason:
            self.dragged.append((self._under(*path[0]).name, self._under(*path[-1]).name))
        return reason

    async def focus(self) -> Target:
        return self._target(self.focused or self.elements[0], "")

    async def type(self, text: str, expected: Target) -> str:
        reason = changed(expected, await self.focus())
        if not reason:
            (self.focused or self.elements[0]).typed += text
        return reason

    async def press(self, keys: Sequence[str], expected: Target) -> str:
        reason = changed(expected, await self.focus())
        if not reason:
            self.pressed.append(tuple(keys))
        return reason

    async def scroll(self, x: int, y: int, right: int, down: int) -> None:
        self.wheel = (self.wheel[0] + right, self.wheel[1] + down)

    async def move(self, x: int, y: int) -> None:
        self.at = (x, y)

    async def pointer(self) -> tuple[int, int]:
        return self.at

    async def size(self) -> tuple[int, int]:
        return 400, 300

    async def picture(self) -> bytes:
        return b"\x89PNG a screen"
