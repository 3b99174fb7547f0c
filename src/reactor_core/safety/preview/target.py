"""What lies under a point of a screen, and what a driver of a screen has to be able to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

__all__ = ["AROUND", "FRAME", "Driver", "Target", "changed"]

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
    """

    window: str
    element: str
    box: tuple[int, int, int, int]
    pixels: str


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


def changed(before: Target, now: Target) -> str:
    """What is no longer as it was; empty if nothing."""
    if before.window != now.window:
        return f"another window lies there: {now.window} instead of {before.window}"
    if before.element != now.element:
        return f"another element lies there: {now.element} instead of {before.element}"
    if before.box != now.box:
        return f"the target moved from {before.box} to {now.box}"
    return "" if before.pixels == now.pixels else "the picture around the point changed"
