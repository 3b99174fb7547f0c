"""Clicks on an X display. The last look and the click are one: the server is held, so no window can come between."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from reactor_core.errors import ConfigError, EnvironmentMissing
from reactor_core.safety.kill.keys import Corner
from reactor_core.safety.preview.keys import MODIFIERS, x_name
from reactor_core.safety.preview.picture import png
from reactor_core.safety.preview.target import AROUND, FRAME, Target, changed
from reactor_core.safety.xdisplay import open_display

__all__ = ["X11Driver"]

_BUTTONS = {"left": 1, "middle": 2, "right": 3}
_STEP_SECONDS = 0.02
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
        self._display: Any = open_display(display, purpose="clicking on it")
        from Xlib import XK

        if not self._display.has_extension("XTEST"):
            self._display.close()
            raise EnvironmentMissing(f"display {display} cannot be clicked on: it has no XTEST extension")
        self._screen = self._display.screen()
        self._root = self._screen.root
        self._corner = corner
        self._escape = self._display.keysym_to_keycode(XK.XK_Escape)
        self._shift = self._display.keysym_to_keycode(XK.XK_Shift_L)
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
        return self._target(named, f"{found.id:#x}", box, self._pixels(x, y))

    def _target(self, named: Any, element: str, box: tuple[int, int, int, int], pixels: str) -> Target:
        """X knows windows and no elements in them."""
        classes, title = named.get_wm_class() or (), self._title(named)
        window = f"{named.id:#x} {' '.join(classes)} {title!r}"
        return Target(window, element, box, pixels, role="window", name=title, app=classes[-1] if classes else "")

    async def focus(self) -> Target:
        """The window that has the keyboard now."""
        return self._focus()

    def _focus(self) -> Target:
        found = self._display.get_input_focus().focus
        if isinstance(found, int):  # the keyboard follows the pointer, or nobody has it
            at = self._root.query_pointer()
            under = self._look(at.root_x, at.root_y)
            return replace(under, pixels="", box=(0, 0, 0, 0))
        named = found
        while not named.get_wm_class() and named.id != self._root.id:
            named = named.query_tree().parent
        return self._target(named, f"{found.id:#x}", (0, 0, 0, 0), "")

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

    async def click(self, x: int, y: int, button: str, expected: Target, *, times: int = 1) -> str:
        """Hold the server, look, and click only if everything is as expected."""

        def act() -> None:
            self._fake("MotionNotify", x=x, y=y)
            for _ in range(times):
                self._fake("ButtonPress", _BUTTONS[button])
                self._fake("ButtonRelease", _BUTTONS[button])

        return self._at_once(lambda: changed(expected, self._look(x, y)), act)

    async def drag(self, path: Sequence[tuple[int, int]], expected: Target, onto: Target) -> str:
        """Hold the server, look at both ends, press; the way to the last point is free, as programs watch it."""

        def act() -> None:
            self._fake("MotionNotify", x=path[0][0], y=path[0][1])
            self._fake("ButtonPress", 1)

        reason = self._at_once(
            lambda: changed(expected, self._look(*path[0])) or changed(onto, self._look(*path[-1])), act
        )
        if not reason:
            try:
                for x, y in path[1:]:
                    await asyncio.sleep(_STEP_SECONDS)
                    self._fake("MotionNotify", x=x, y=y)
                    self._display.sync()
                await asyncio.sleep(_STEP_SECONDS)
            finally:
                self._fake("ButtonRelease", 1)
                self._display.sync()
        return reason

    async def type(self, text: str, expected: Target) -> str:
        """Hold the server, look who has the keyboard, type."""
        strokes = [self._stroke(character) for character in text]

        def act() -> None:
            for code, shifted in strokes:
                self._together([self._shift, code] if shifted else [code])

        return self._at_once(lambda: changed(expected, self._focus()), act)

    async def press(self, keys: Sequence[str], expected: Target) -> str:
        """Hold the server, look who has the keyboard, press."""
        strokes = [(key, *self._stroke(x_name(key))) for key in keys]
        codes = [code for _, code, _ in strokes]
        if any(shifted for key, _, shifted in strokes if key not in MODIFIERS) and self._shift not in codes:
            codes.insert(0, self._shift)
        return self._at_once(lambda: changed(expected, self._focus()), lambda: self._together(codes))

    async def scroll(self, x: int, y: int, right: int, down: int) -> None:
        """Turn the wheel at a point."""
        self._fake("MotionNotify", x=x, y=y)
        for notches, back, forth in ((down, 4, 5), (right, 6, 7)):
            for _ in range(abs(notches)):
                self._fake("ButtonPress", forth if notches > 0 else back)
                self._fake("ButtonRelease", forth if notches > 0 else back)
        self._display.sync()

    async def move(self, x: int, y: int) -> None:
        """Move the pointer."""
        self._fake("MotionNotify", x=x, y=y)
        self._display.sync()

    async def pointer(self) -> tuple[int, int]:
        """Where the pointer is."""
        at = self._root.query_pointer()
        return int(at.root_x), int(at.root_y)

    async def size(self) -> tuple[int, int]:
        """The display's."""
        return int(self._screen.width_in_pixels), int(self._screen.height_in_pixels)

    async def picture(self) -> bytes:
        """The whole display."""
        from Xlib import X

        width, height = await self.size()
        return png(width, height, self._root.get_image(0, 0, width, height, X.ZPixmap, 0xFFFFFFFF).data)

    def _fake(self, event: str, detail: int = 0, **place: int) -> None:
        from Xlib import X
        from Xlib.ext import xtest

        xtest.fake_input(self._display, getattr(X, event), detail, **place)

    def _at_once(self, speaks_against: Callable[[], str], act: Callable[[], None]) -> str:
        """Nothing can come between the look and the act: the server listens to nobody else."""
        self._display.grab_server()
        try:
            reason = speaks_against()
            if not reason:
                act()
                self._display.sync()
        finally:
            self._display.ungrab_server()
            self._display.sync()
        return reason

    def _together(self, codes: Sequence[int]) -> None:
        for code in codes:
            self._fake("KeyPress", code)
        for code in reversed(codes):
            self._fake("KeyRelease", code)

    def _stroke(self, key: str) -> tuple[int, bool]:
        """Code of a key's name or character, and whether Shift belongs to it."""
        from Xlib import XK

        name = {"\n": "Return", "\t": "Tab", "\b": "BackSpace", "\x1b": "Escape"}.get(key, key)
        symbol = XK.string_to_keysym(name)
        if not symbol and len(name) == 1:
            symbol = ord(name) if ord(name) < 0x100 else 0x1000000 | ord(name)
        for code, level in self._display.keysym_to_keycodes(symbol):
            if level in (0, 1):
                return int(code), level == 1
        raise ConfigError(
            f"the keyboard of this display has no key for {key!r}", remedy="paste it, or change the layout"
        )
