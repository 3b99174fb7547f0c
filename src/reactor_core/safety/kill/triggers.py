"""What a person's hand can do without any program's help: the corner of the screen, and a key."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from reactor_core.errors import ReactorError
from reactor_core.safety.kill.keys import Corner, Hotkey
from reactor_core.safety.kill.screen import ScreenWatch
from reactor_core.utils.settings import Settings

__all__ = ["Triggers"]

_log = logging.getLogger(__name__)

Pull = Callable[[str, str, float], object]

_SAYS = {"mouse_corner": "the pointer was moved into the {} corner", "hotkey": "{} was pressed"}


class Triggers:
    """Watches the displays of the stations for the corner and the hotkey of the settings.

    Args:
        settings: Name corner and keys.

    Raises:
        ConfigError: They cannot be understood.
    """

    def __init__(self, settings: Settings) -> None:
        self._names = {"mouse_corner": settings.kill_switch_corner, "hotkey": settings.kill_switch_hotkey}
        self._hotkey = Hotkey.read(settings.kill_switch_hotkey)
        Corner(settings.kill_switch_corner)
        self._screens: dict[str, ScreenWatch] = {}
        self._lock = threading.Lock()
        self._closed = False

    @property
    def watched(self) -> tuple[str, ...]:
        """What is watched now, for people."""
        with self._lock:
            screens = [screen for screen in self._screens.values() if screen.alive]
        return tuple(f"{what} on {screen.name}" for screen in screens for what in screen.watched)

    def watch(self, display: str, pull: Pull) -> None:
        """Watch a display from now on: ``pull(method, reason, moment)``. One that is watched already stays so.

        It is opened on a thread, since a display may take its time. One that cannot be is warned about.
        """
        threading.Thread(target=self._open, args=(display, pull), name="reactor-screen", daemon=True).start()

    def close(self) -> None:
        """Watch no more."""
        with self._lock:
            self._closed = True  # a display that is just being opened is not watched either
            for screen in self._screens.values():
                if screen.alive:
                    screen.close()
            self._screens.clear()

    def _open(self, display: str, pull: Pull) -> None:
        def happened(method: str, moment: float) -> None:
            pull(method, _SAYS[method].format(self._names[method]), moment)

        name = self._names["mouse_corner"]
        corner = None if name == "none" else Corner(name)
        with self._lock:
            known = self._screens.get(display)
            nothing = corner is None and self._hotkey is None
            if self._closed or nothing or (known is not None and known.alive):
                return
            try:
                self._screens[display] = ScreenWatch(display, happened, corner=corner, hotkey=self._hotkey)
            except ReactorError as error:
                _log.warning("corner and hotkey are not watched: %s", error)
