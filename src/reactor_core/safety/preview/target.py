"""What lies under a point of a screen, and what a driver of a screen has to be able to do."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

__all__ = ["AROUND", "FRAME", "Driver", "Screen", "Target", "changed", "told"]

AROUND = 20
"""Pixels to each side of the point that must not change between the preview and the click."""
FRAME = 26
"""Pixels from the point to the frame that shows it: outside of what is compared."""


@dataclass(frozen=True, slots=True)
class Target:
    """What lies under a point.

    Attributes:
        window: What the window or page is: its identity, class and title.
        element: The element, if the driver can tell: role and name.
        box: Left, top, width and height of the element or window.
        pixels: SHA-256 over the pixels around the point, in hexadecimal.
        role: What kind of element it is, such as ``button``; ``window`` where the driver sees no elements; empty if the
            driver does not tell.
        name: The element's label, or the window's title.
        state: What a click switches it to: ``on``, ``off``, or empty.
        app: The program, or the page's title and host.
        dialog: Text of the dialog around it.
        near: Text of the form, row or list item around it.
    """

    window: str
    element: str
    box: tuple[int, int, int, int]
    pixels: str
    role: str = ""
    name: str = ""
    state: str = ""
    app: str = ""
    dialog: str = ""
    near: str = ""


class Driver(Protocol):
    """A screen that can be looked at and clicked on."""

    async def look(self, x: int, y: int) -> Target:
        """What lies under a point now."""

    async def mark(self, x: int, y: int) -> None:
        """Show where the click would be, without covering or changing what is under the point."""

    async def unmark(self) -> None:
        """Take the mark away; without one, nothing happens."""

    async def veto(self) -> str:
        """Why a person calls the click off on the screen itself; empty while nobody does."""

    async def click(self, x: int, y: int, button: str, expected: Target) -> str:
        """Look once more and click only if everything is as expected.

        Returns:
            Why it was not clicked; empty if it was.
        """


class Screen(Driver, Protocol):
    """A screen with a keyboard: all that a model which uses a computer asks for. Points are pixels of its picture."""

    async def click(self, x: int, y: int, button: str, expected: Target, *, times: int = 1) -> str:
        """As :meth:`Driver.click`, several times in a row for a double click."""

    async def drag(self, path: Sequence[tuple[int, int]], expected: Target, onto: Target) -> str:
        """Look at both ends, and drag from the first point to the last if both are as expected; else says why not."""

    async def focus(self) -> Target:
        """What has the keyboard now. Its pixels are empty."""

    async def type(self, text: str, expected: Target) -> str:
        """Type if the keyboard still belongs to what is expected; else says why not.

        Raises:
            ConfigError: The keyboard has no key for one of the characters; nothing is typed.
        """

    async def press(self, keys: Sequence[str], expected: Target) -> str:
        """Press keys together, named as :mod:`~reactor_core.safety.preview.keys` does; as :meth:`type`."""

    async def scroll(self, x: int, y: int, right: int, down: int) -> None:
        """Turn the wheel at a point by so many notches."""

    async def move(self, x: int, y: int) -> None:
        """Move the pointer."""

    async def pointer(self) -> tuple[int, int]:
        """Where the pointer is."""

    async def size(self) -> tuple[int, int]:
        """Width and height in pixels."""

    async def picture(self) -> bytes:
        """What it shows, as PNG."""


def told(target: Target) -> str | None:
    """A target in the words that the gate judges: ``button "Delete" | app: Files | dialog: "..."``; None if untold."""
    if not target.role:
        return None
    head = f"{target.role} {_quoted(target.name, 200)}" + (f" -> {target.state}" if target.state else "")
    fields = (("app", target.app, 200), ("dialog", target.dialog, 1000), ("near", target.near, 300))
    return " | ".join([head, *(f"{key}: {_quoted(value, most)}" for key, value, most in fields if value.strip())])


def _quoted(text: str, most: int) -> str:
    """In quotes, so that a label cannot pass for another part of the sentence."""
    return json.dumps(" ".join(text.split())[:most], ensure_ascii=False)


def changed(before: Target, now: Target) -> str:
    """What is no longer as it was; empty if nothing."""
    if before.window != now.window:
        return f"another window lies there: {now.window} instead of {before.window}"
    if before.element != now.element:
        return f"another element lies there: {now.element} instead of {before.element}"
    if before.box != now.box:
        return f"the target moved from {before.box} to {now.box}"
    return "" if before.pixels == now.pixels else "the picture around the point changed"
