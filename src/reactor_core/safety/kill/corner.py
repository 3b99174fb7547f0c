"""``@on_mouse_corner_trigger``: call a function of this program when the pointer is moved into the kill corner."""

from __future__ import annotations

import asyncio
import inspect
import logging
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from reactor_core.errors import ReactorError
from reactor_core.safety.kill.keys import Corner
from reactor_core.safety.kill.screen import ScreenWatch
from reactor_core.utils.settings import load_settings, process_environment

__all__ = ["on_mouse_corner_trigger"]

_log = logging.getLogger(__name__)

F = TypeVar("F", bound=Callable[[], Any])

_lock = threading.Lock()
_handlers: list[Callable[[], Any]] = []
_screen: ScreenWatch | None = None


def on_mouse_corner_trigger(function: F) -> F:
    """Call ``function()`` whenever the pointer is moved into the corner that KILL_SWITCH_CORNER names (top-left).

    Coroutine functions run on a loop of their own, others as they are, each on a thread of its own: a program whose
    main thread is busy is heard nevertheless. What they raise is logged. The watcher process looks at the corner by
    itself and needs no such function; use it for what your program has to do beyond that.

    Needs an X display. Where there is none (DISPLAY is not set, or cannot be opened) it says so in the log, and the
    function is never called.

    Returns:
        The function, unchanged.
    """
    with _lock:
        _handlers.append(function)
        _watch()
    return function


def _watch() -> None:
    global _screen
    if _screen is not None and _screen.alive:
        return
    settings = load_settings()
    display = process_environment().get("DISPLAY", "")
    if settings.kill_switch_corner == "none" or not settings.kill_switch_enabled:
        _log.warning("the mouse corner is not watched: the settings turn it off")
    elif not display:
        _log.warning("the mouse corner is not watched: there is no X display (DISPLAY is not set)")
    else:
        try:
            _screen = ScreenWatch(display, _arrived, corner=Corner(settings.kill_switch_corner))
        except ReactorError as error:
            _log.warning("the mouse corner is not watched: %s", error)


def _arrived(_method: str, _moment: float) -> None:
    with _lock:
        handlers = tuple(_handlers)
    for handler in handlers:
        threading.Thread(target=_call, args=(handler,), name="reactor-corner").start()


def _call(handler: Callable[[], Any]) -> None:
    try:
        given = handler()
        if inspect.iscoroutine(given):
            asyncio.run(given)
    except Exception:  # noqa: BLE001  the other handlers are called nevertheless
        _log.exception("a handler of the mouse corner failed")
