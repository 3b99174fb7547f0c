"""Programs that run under the gate, and waiting for them."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from reactor_core.errors import Halted, ReactorError
from reactor_core.safety.starting import end_group

__all__ = ["Completed", "Process", "begun", "on_thread", "outlast", "take_back"]

_log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Completed:
    """A program that has ended.

    Args:
        exit_code: Its status; negative for the signal that ended it.
        stdout: What it wrote; empty where it was not captured.
        stderr: Likewise.
        seconds: How long it ran.
        timed_out: Whether it was ended because its time was over.
    """

    exit_code: int
    stdout: bytes
    stderr: bytes
    seconds: float
    timed_out: bool = False


class Process:
    """A program that runs under the gate: it ends with the gate, with the kill switch, or by itself."""

    def __init__(self, process: subprocess.Popen[bytes], ended: Callable[[subprocess.Popen[bytes]], object]) -> None:
        self._process = process
        self._ended = ended
        self._lock = threading.Lock()
        self._told = False
        self._error: ReactorError | None = None
        self.pid = process.pid
        self.stdin, self.stdout, self.stderr = process.stdin, process.stdout, process.stderr

    def wait_sync(self, timeout: float | None = None) -> int:
        """Wait for its end and return its status.

        Raises:
            Halted: The kill switch ended it.
            TimeoutError: It goes on after that many seconds.
            JournalError: What came of it could not be written down.
        """
        try:
            code = self._process.wait(timeout)
        except subprocess.TimeoutExpired as error:
            raise TimeoutError(f"process {self.pid} goes on after {timeout} s") from error
        self._tell()
        return code

    async def wait(self) -> int:
        """:meth:`wait_sync` without blocking the caller's loop."""
        return await on_thread(self.wait_sync)

    def communicate(self, given: bytes | None, timeout: float | None) -> tuple[bytes, bytes, bool]:
        """Write, read until the end, wait; a program whose time is over is killed with its group."""
        late = False
        try:
            out, err = self._process.communicate(given, timeout)
        except subprocess.TimeoutExpired:
            late = True
            end_group(self._process)
            out, err = self._process.communicate()
        except BaseException:  # a cancelled caller leaves nothing running
            end_group(self._process)
            raise
        self._tell()
        return out or b"", err or b"", late

    def kill(self) -> None:
        """End it and its group at once."""
        end_group(self._process)
        self._tell()

    def poll(self) -> int | None:
        """Its status, or None while it runs."""
        return self._process.poll()

    def _tell(self) -> None:
        """Write down how it ended, once; whoever waits goes on after that, and hears the same error."""
        with self._lock:
            if not self._told:
                self._told = True
                try:
                    self._ended(self._process)
                except ReactorError as error:
                    self._error = error
        if self._error is not None:
            raise self._error


def outlast(process: Process) -> None:
    """Wait for a program that nobody else may wait for, so that its end is written down."""
    try:
        process.wait_sync()
    except Halted:
        return  # who waits for it hears that too
    except ReactorError as error:
        _log.error("what came of process %d is not in the journal: %s", process.pid, error)


def take_back(terminal: int) -> None:
    """Be the foreground of a terminal again. For the main thread."""
    before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    try:
        os.tcsetpgrp(terminal, os.getpgrp())
    finally:
        signal.signal(signal.SIGTTOU, before)


async def on_thread(call: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """Call on a thread of its own: a waiting program must not take a place in the loop's small pool."""
    return await begun(call, *args, **kwargs)


def begun(call: Callable[..., T], *args: Any, **kwargs: Any) -> asyncio.Future[T]:
    """The answer of a call that goes on by itself on a thread of its own, whatever becomes of who waits for it."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def settle(tell: Callable[[], None]) -> None:
        if not answer.done():
            tell()

    def work() -> None:
        try:
            tell = partial(answer.set_result, call(*args, **kwargs))
        except BaseException as error:  # noqa: BLE001  handed to who waits
            tell = partial(answer.set_exception, error)
        with suppress(RuntimeError):  # the loop was closed meanwhile: nobody waits
            loop.call_soon_threadsafe(settle, tell)

    threading.Thread(target=work, name="reactor-permit", daemon=True).start()
    return answer
