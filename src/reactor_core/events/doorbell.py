"""How the processes of one workspace wake each other: a file that is touched, and a kernel that says so.

Ringing writes one byte over itself (a microsecond, nothing to wait for, however many listen). On Linux listeners get
it through inotify and cost nothing while it is quiet; elsewhere, or where the kernel has no watch left, they look
every 20 ms. The bell is a plain file, so a workspace stays safe to copy, and nothing is left behind by who was killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import logging
import os
import select
import sys
import threading
from collections.abc import Callable
from pathlib import Path

__all__ = ["BELL_NAME", "POLL_SECONDS", "Doorbell", "Ear", "drain", "wait_readable"]

_log = logging.getLogger(__name__)

BELL_NAME = "bell"
"""File name inside a workspace."""

POLL_SECONDS = 0.02
"""How often a listener looks where the kernel does not wake it."""

_PWRITE = hasattr(os, "pwrite")
_IN_MODIFY = 0x2
_READ = 65_536


class Doorbell:
    """The bell of one workspace. Every method may be called from any thread.

    Args:
        folder: The workspace; the bell's file is made at the first use.
        name: The file. Who waits for rare things has a bell of its own, and is not woken by each commit.
    """

    def __init__(self, folder: Path, *, name: str = BELL_NAME) -> None:
        self.path = Path(folder) / name
        self._lock = threading.Lock()
        self._descriptor: int | None = None
        self._closed = False

    def ring(self) -> None:
        """Wake everybody who listens, in every process. Never raises: who was not woken looks by itself."""
        with contextlib.suppress(OSError), self._lock:
            if self._descriptor is None:
                if self._closed:
                    return
                self._descriptor = self._open()
            if _PWRITE:
                os.pwrite(self._descriptor, b"\n", 0)
            else:
                os.lseek(self._descriptor, 0, os.SEEK_SET)
                os.write(self._descriptor, b"\n")

    def listen(self, loop: asyncio.AbstractEventLoop, callback: Callable[[], object]) -> Ear:
        """Call ``callback`` on the loop's thread after each ring; several quick ones can be one call.

        Must be called on the loop's thread, and so must :meth:`Ear.close` of what it returns.
        """
        return Ear(self, loop, callback)

    def watch(self) -> int | None:
        """A descriptor that becomes readable when the bell rings, for ``select``; None where the kernel has none.

        Empty it with :func:`drain`; close it with ``os.close``.
        """
        if not sys.platform.startswith("linux"):
            return None
        try:
            os.close(self._open())
            return _inotify(self.path)
        except OSError as error:
            _log.info("%s: the kernel gives no watch (%s); looking every %.0f ms", self.path, error, POLL_SECONDS * 1e3)
            return None

    def close(self) -> None:
        """Ring no more."""
        with self._lock:
            self._closed = True
            if self._descriptor is not None:
                os.close(self._descriptor)
                self._descriptor = None

    def __del__(self) -> None:
        self.close()

    def _open(self) -> int:
        return os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o600)


class Ear:
    """A listener on a loop; made by :meth:`Doorbell.listen`."""

    def __init__(self, bell: Doorbell, loop: asyncio.AbstractEventLoop, callback: Callable[[], object]) -> None:
        self._loop = loop
        self._callback = callback
        self._timer: asyncio.TimerHandle | None = None
        self._watched = bell.watch()
        if self._watched is None:
            self._look()
        else:
            loop.add_reader(self._watched, self._heard)

    @property
    def woken(self) -> bool:
        """Whether the kernel wakes it; False if it looks every 20 ms."""
        return self._watched is not None

    def close(self) -> None:
        """Listen no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._watched is not None:
            self._loop.remove_reader(self._watched)
            os.close(self._watched)
            self._watched = None

    def _heard(self) -> None:
        assert self._watched is not None, "its reader is removed with it"
        drain(self._watched)
        self._callback()

    def _look(self) -> None:
        self._timer = self._loop.call_later(POLL_SECONDS, self._look)
        self._callback()


def drain(descriptor: int) -> None:
    """Take all rings from a descriptor of :meth:`Doorbell.watch`."""
    with contextlib.suppress(BlockingIOError):
        while len(os.read(descriptor, _READ)) == _READ:
            pass


def wait_readable(descriptor: int, seconds: float) -> None:
    """Block until a descriptor can be read, or so long."""
    select.select([descriptor], [], [], seconds)


def _inotify(path: Path) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = int(libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
    if descriptor < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    if libc.inotify_add_watch(descriptor, os.fsencode(path), _IN_MODIFY) < 0:
        number = ctypes.get_errno()
        os.close(descriptor)
        raise OSError(number, os.strerror(number))
    return descriptor
