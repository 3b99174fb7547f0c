"""Clicks on an X display. The last look and the click are one: the server is held, so no window can come between."""

from __future__ import annotations

import hashlib
from typing import Any

from reactor_core.errors import EnvironmentMissing, MissingExtra
from reactor_core.safety.kill.keys import Corner
from reactor_core.safety.kill.screen import drop_socket
from reactor_core.safety.preview.target import AROUND, FRAME, Target, changed

__all__ = ["X11Driver"]

_BUTTONS = {"left": 1, "middle": 2, "right": 3}
_RED = 0xD0021B
_THICKNESS = 3


class X11Driver:
    """One display.

    A person vetoes with the Escape key or by moving the pointer into a corner.

    Args:
        display: Its name, such as ``:0``.
        corner: The corner that vetoes; None for none.

    Raises:
        EnvironmentMissing: The display cannot be opened, or cannot be clicked on.
        MissingExtra: The library for X is not installed.
    """

    def __init__(self, display: str, *, corner: Corner | None = None) -> None:
        try:
            from Xlib import XK, error
            from Xlib.display import Display
        except ImportError as missing:
            raise MissingExtra("clicking on an X display", "desktop") from missing
        try:
            self._display: Any = Display(display)
        except (error.DisplayError, OSError) as problem:
            drop_socket(problem)
            raise EnvironmentMissing(f"display {display} cannot be opened: {problem}") from None
        if not self._display.has_extension("XTEST"):
            self._display.close()
            raise EnvironmentMissing(f"display {display} cannot be clicked on: it has no XTEST extension")
        self._screen = self._display.screen()
        self._root = self._screen.root
        self._corner = corner
        self._escape = self._display.keysym_to_keycode(XK.XK_Escape)
        self._marks: list[Any] = []

    def close(self) -> None:
        """Leave the display."""
        self._display.close()

    async def look(self, x: int, y: int) -> Target:
        """What lies under a point now."""
        return self._look(x, y)

    def _look(self, x: int, y: int) -> Target:
        found, named = self._root, self._root
        while True:
            below = found.translate_coords(self._root, x, y).child
            if not below:
                break
            found = below
            if named is self._root or found.get_wm_class():
                named = found
        top_left = found.translate_coords(self._root, 0, 0)
        size = found.get_geometry()
        box = (-top_left.x, -top_left.y, size.width, size.height)
        kind = " ".join(named.get_wm_class() or ())
        window = f"{named.id:#x} {kind} {self._title(named)!r}"
        return Target(window, f"{found.id:#x}", box, self._pixels(x, y))

    def _title(self, window: Any) -> str:
        wanted = self._display.intern_atom("_NET_WM_NAME")
        found = window.get_full_property(wanted, 0)
        if found is not None:
            value = found.value
            return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
        return str(window.get_wm_name() or "")

    def _pixels(self, x: int, y: int) -> str:
        from Xlib import X

        left, top = max(0, x - AROUND), max(0, y - AROUND)
        width = min(self._screen.width_in_pixels, x + AROUND) - left
        height = min(self._screen.height_in_pixels, y + AROUND) - top
        picture = self._root.get_image(left, top, max(1, width), max(1, height), X.ZPixmap, 0xFFFFFFFF)
        return hashlib.sha256(picture.data).hexdigest()

    async def mark(self, x: int, y: int) -> None:
        """A red frame around the point, made of windows that no window manager touches."""
        from Xlib import X

        await self.unmark()
        await self.veto()  # where the pointer rests now; whatever it does from here on counts
        side = 2 * FRAME
        for left, top, width, height in (
            (x - FRAME, y - FRAME, side, _THICKNESS),
            (x - FRAME, y + FRAME, side, _THICKNESS),
            (x - FRAME, y - FRAME, _THICKNESS, side),
            (x + FRAME, y - FRAME, _THICKNESS, side + _THICKNESS),
        ):
            window = self._root.create_window(
                left,
                top,
                width,
                height,
                0,
                self._screen.root_depth,
                X.InputOutput,
                override_redirect=True,
                background_pixel=_RED,
            )
            window.map()
            self._marks.append(window)
        self._display.sync()

    async def unmark(self) -> None:
        """Take the frame away."""
        for window in self._marks:
            window.destroy()
        self._marks.clear()
        self._display.sync()

    async def veto(self) -> str:
        """Escape is held down, or the pointer is in the corner."""
        held = self._display.query_keymap()
        if held[self._escape // 8] & (1 << (self._escape % 8)):
            return "the Escape key was pressed"
        at = self._root.query_pointer()
        wide, high = self._screen.width_in_pixels, self._screen.height_in_pixels
        if self._corner is not None and self._corner.arrives(at.root_x, at.root_y, width=wide, height=high):
            return f"the pointer was moved into the {self._corner.name} corner"
        return ""

    async def click(self, x: int, y: int, button: str, expected: Target) -> str:
        """Hold the server, look, and click only if everything is as expected."""
        from Xlib import X
        from Xlib.ext import xtest

        self._display.grab_server()
        try:
            reason = changed(expected, self._look(x, y))
            if not reason:
                xtest.fake_input(self._display, X.MotionNotify, x=x, y=y)
                xtest.fake_input(self._display, X.ButtonPress, _BUTTONS[button])
                xtest.fake_input(self._display, X.ButtonRelease, _BUTTONS[button])
                self._display.sync()
        finally:
            self._display.ungrab_server()
            self._display.sync()
        return reason
