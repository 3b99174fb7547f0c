"""Watching an X display for the corner and the hotkey, on a thread that does nothing else."""

from __future__ import annotations

import logging
import os
import select
import threading
import time
from collections.abc import Callable
from typing import Any

from reactor_core.safety.kill.keys import Corner, Hotkey
from reactor_core.safety.xdisplay import open_display

__all__ = ["LOOK_SECONDS", "ScreenWatch"]

_log = logging.getLogger(__name__)

LOOK_SECONDS = 0.02
"""How often the pointer is asked for."""

_LOCKS = (0, 2, 16, 18)
"""The hotkey works whatever Caps Lock (2) and Num Lock (16) are."""

Happened = Callable[[str, float], object]


class ScreenWatch:
    """Watches one display until it is closed or the display goes away.

    Args:
        display: Its name, such as ``:0``.
        happened: Called with ``mouse_corner`` or ``hotkey``, and the moment on the monotonic clock.
        corner: The corner; None for none.
        hotkey: The keys; None for none.

    Raises:
        EnvironmentMissing: The display cannot be opened.
        MissingExtra: The library for X is not installed.
    """

    def __init__(
        self, display: str, happened: Happened, *, corner: Corner | None = None, hotkey: Hotkey | None = None
    ) -> None:
        self._display: Any = open_display(display, purpose="watching the corner and the hotkey")
        self.name = display
        self._happened = happened
        self._corner = corner
        self._root = self._display.screen().root
        self.watched = tuple(
            what
            for what, wanted in (
                (f"mouse corner {corner.name if corner else ''}", corner is not None),
                ("hotkey", hotkey is not None and self._grab(hotkey)),
            )
            if wanted
        )
        self._came()  # where the pointer rests now; whatever it does from here on counts
        self._end, self._ending = os.pipe()
        self._thread = threading.Thread(target=self._run, name=f"reactor-screen {display}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Watch no more."""
        os.write(self._ending, b".")
        if self._thread is not threading.current_thread():
            self._thread.join()

    @property
    def alive(self) -> bool:
        """Whether it still watches."""
        return self._thread.is_alive()

    def _grab(self, hotkey: Hotkey) -> bool:
        """Ask for the keys; False if another program has them."""
        from Xlib import XK, X, error

        code = self._display.keysym_to_keycode(XK.string_to_keysym(hotkey.key))
        refused = error.CatchError(error.BadAccess)
        for locks in _LOCKS:
            self._root.grab_key(code, hotkey.modifiers | locks, True, X.GrabModeAsync, X.GrabModeAsync, onerror=refused)
        self._display.sync()
        if not code or refused.get_error() is not None:
            _log.warning("the hotkey is not watched on %s: another program has it, or there is no such key", self.name)
            return False
        return True

    def _came(self) -> bool:
        """Whether the pointer has come into the corner since this was asked last."""
        if self._corner is None:
            return False
        screen, at = self._display.screen(), self._root.query_pointer()
        size = {"width": screen.width_in_pixels, "height": screen.height_in_pixels}
        return bool(at.same_screen) and self._corner.arrives(at.root_x, at.root_y, **size)

    def _run(self) -> None:
        from Xlib import X, error

        try:
            while True:
                ready, _, _ = select.select([self._display, self._end], [], [], LOOK_SECONDS)
                if self._end in ready:
                    break
                while self._display.pending_events():
                    if self._display.next_event().type == X.KeyPress:
                        self._happened("hotkey", time.monotonic())
                if self._came():
                    self._happened("mouse_corner", time.monotonic())
            self._display.close()
        except (error.ConnectionClosedError, OSError) as problem:
            _log.warning("display %s is not watched any more: %s", self.name, problem)
        finally:
            os.close(self._end)
            os.close(self._ending)
