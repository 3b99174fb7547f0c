"""Ctrl-C and SIGTERM as a wish to stop at the next step."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

__all__ = ["stop_signals"]


@contextmanager
def stop_signals() -> Iterator[Callable[[], str | None]]:
    """Catch SIGINT and SIGTERM inside the block.

    Yields:
        A function that gives the name of the signal that came, or None. A second Ctrl-C raises KeyboardInterrupt at
        once. Outside the main thread, where Python delivers no signals, it always gives None.
    """
    received: list[str] = []

    def note(number: int, _frame: FrameType | None) -> None:
        if received and number == signal.SIGINT:
            raise KeyboardInterrupt
        received.append(signal.Signals(number).name)

    before: dict[signal.Signals, Any] = {}
    if threading.current_thread() is threading.main_thread():
        before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: received[0] if received else None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
