"""Blocking work on a socket that can be left at any moment."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

__all__ = ["Exchange", "Trace"]

T = TypeVar("T")
Trace = Callable[[str, Mapping[str, Any]], None]
"""What httpx's extension ``trace`` takes: told of each step of a request by name, with what came of it."""

_SLICE_S = 0.25
_FAREWELL_S = 1.0


class _Left(BaseException):
    """Nobody waits for this exchange any more."""


class Exchange(Generic[T]):
    """One request and its reply, made in a thread so that whoever waits can look up four times a second.

    A blocked read or write cannot be told to end; the socket under it can be shut down. While there is no socket yet,
    since a name is looked up or a connection made, the thread is left to itself, and it sends nothing when it comes so
    far.

    Args:
        work: Makes the exchange. It gets a function for httpx's extension ``trace``, by which the socket is learnt.
        discard: Frees a result that came when nobody waited any more.
    """

    def __init__(self, work: Callable[[Trace], T], discard: Callable[[T], None]) -> None:
        self._work = work
        self._discard = discard
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._left = False
        self._socket: socket.socket | None = None
        self._result: list[T] = []
        self._error: BaseException | None = None

    def wait(self, pulse: Callable[[], None]) -> T:
        """Begin, and wait for the end.

        Args:
            pulse: Called four times a second; what it raises ends the exchange, as an interruption does.

        Raises:
            Whatever the work or ``pulse`` raises.
        """
        thread = threading.Thread(target=self._run, name="exchange", daemon=True)
        thread.start()
        try:
            while not self._ended.wait(_SLICE_S):
                pulse()
        except BaseException:
            self._leave()
            thread.join(_FAREWELL_S)
            raise
        if self._error is not None:
            raise self._error
        return self._result[0]

    def _run(self) -> None:
        try:
            result = self._work(self._trace)
            with self._lock:
                if not self._left:
                    self._result.append(result)
                    return
            self._discard(result)
        except BaseException as error:  # noqa: BLE001  raised again by whoever waits
            self._error = error
        finally:
            self._ended.set()

    def _trace(self, event: str, info: Mapping[str, Any]) -> None:
        with self._lock:
            if self._left:
                raise _Left
            if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
                self._socket = info["return_value"].get_extra_info("socket")

    def _leave(self) -> None:
        with self._lock:
            self._left = True
            if self._socket is not None:
                with contextlib.suppress(OSError):  # closed by the other side
                    self._socket.shutdown(socket.SHUT_RDWR)
