"""Ctrl-C and SIGTERM as a wish to stop at the next step."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

__all__ = ["stop_signals"]

_CAUGHT = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stop_signals(told: Callable[[str], object] | None = None) -> Iterator[Callable[[], str | None]]:
    """Catch SIGINT and SIGTERM inside the block.

    Args:
        told: Called with the signal's name on a thread of its own as soon as it comes. Python runs handlers in the main
            thread between two instructions, so one matrix product can delay them for seconds; the bytes that the
            interpreter's C handler writes (:func:`signal.set_wakeup_fd`) come at once.

    Yields:
        A function that gives the name of the signal that came, or None. A second Ctrl-C raises KeyboardInterrupt at
        once. Outside the main thread, where Python delivers no signals, it always gives None.
    """
    received: list[str] = []

    def note(number: int, _frame: FrameType | None) -> None:
        if received and number == signal.SIGINT:
            raise KeyboardInterrupt
        received.append(signal.Signals(number).name)

    if threading.current_thread() is not threading.main_thread():
        yield lambda: None
        return
    before: dict[signal.Signals, Any] = {number: signal.signal(number, note) for number in _CAUGHT}
    try:
        with contextlib.nullcontext() if told is None else _told_at_once(told):
            yield lambda: received[0] if received else None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _told_at_once(told: Callable[[str], object]) -> Iterator[None]:
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    before = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)

    def listen() -> None:
        while numbers := reader.recv(64):
            if before != -1:  # an event loop's, which is blocked by this run and wants to know later
                with contextlib.suppress(OSError):
                    os.write(before, numbers)
            for number in numbers:
                if number in _CAUGHT:
                    told(signal.Signals(number).name)

    thread = threading.Thread(target=listen, name="reactor-signals", daemon=True)
    thread.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        writer.close()  # ends the thread
        thread.join()
        reader.close()
