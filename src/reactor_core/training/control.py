"""Pausing, going on and stopping a run: from another thread, another task, or another process.

A run looks at what is wanted of it between two steps. Other processes say it in the run's folder: ``control.json``
holds the wish, ``status.json`` how the run stands. Both are small files that are replaced whole.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Protocol

import msgspec
import psutil

from reactor_core.errors import Halted, NotFound, TrainingError
from reactor_core.events.latch import LatchState
from reactor_core.utils.clock import SystemClock, to_iso
from reactor_core.utils.files import atomic_write

__all__ = ["REQUEST", "RunControl", "State", "Status", "Switch", "Wish", "ask_run", "read_status", "stand_still"]

_clock = SystemClock()

REQUEST = "a request"
"""What has stopped a run that somebody asked to stop."""

_CONTROL = "control.json"
_STATUS = "status.json"
_LOOK_SECONDS = 0.2
"""How often a paused run looks for a wish from another process or for a signal."""


class Wish(StrEnum):
    """What a run is asked to do."""

    RUN = "run"
    PAUSE = "pause"
    STOP = "stop"


class State(StrEnum):
    """How a run stands."""

    IDLE = "idle"
    """No run, or one that has ended."""
    STARTING = "starting"
    """Before the first step: data and model are loaded."""
    RUNNING = "running"
    PAUSED = "paused"


class Status(msgspec.Struct, frozen=True):
    """How a run stood when that changed last.

    Args:
        state: Running, paused, or idle once its process has ended it.
        step: Optimizer steps that were done.
        at: When, ISO 8601 in UTC.
        pid: Process that trains.
        born: When that process began, in seconds since 1970: ids of processes are used again.
    """

    state: State
    step: int
    at: str
    pid: int
    born: float


class _Request(msgspec.Struct, frozen=True):
    wish: Wish
    by: str
    at: str


class RunControl:
    """The wishes that reach one trainer, and how its run stands. Every method may be called from any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._wish = Wish.RUN
        self._state = State.IDLE
        self._folder: Path | None = None
        self._seen: tuple[int, int] | None = None
        self._waiters: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
        self._hasten: Callable[[str], object] | None = None

    @property
    def state(self) -> State:
        """How the run stands now."""
        return self._state

    def ask(self, wish: Wish) -> None:
        """Ask for something; the run does it between two steps, and stops within one, between two of its parts.

        Nothing happens where no run is going on.
        """
        with self._changed:
            if self._state is State.IDLE:
                return
            self._wish = wish
            self._changed.notify_all()
            hasten = self._hasten if wish is Wish.STOP else None
        if hasten is not None:
            hasten(REQUEST)

    @contextmanager
    def hastening(self, told: Callable[[str], object]) -> Iterator[None]:
        """Call ``told`` with a reason, on the asking thread, when a stop is asked for inside the block, or was before
        it (training thread)."""
        with self._changed:
            self._hasten = told
            asked = self._wish is Wish.STOP
        try:
            if asked:
                told(REQUEST)
            yield
        finally:
            with self._changed:
                self._hasten = None

    async def reached(self, *states: State) -> State:
        """Wait until the run is in one of these states."""
        loop = asyncio.get_running_loop()
        moved = asyncio.Event()
        waiter = (loop, moved)
        with self._changed:
            self._waiters.append(waiter)
        try:
            while self._state not in states:
                await moved.wait()
                moved.clear()
            return self._state
        finally:
            with self._changed:
                self._waiters.remove(waiter)

    def claim(self) -> None:
        """A run is about to start; from now on wishes count (training thread).

        Raises:
            TrainingError: The same trainer has a run going on.
        """
        with self._changed:
            if self._state is not State.IDLE:
                raise TrainingError("this trainer is training already", remedy="use one Trainer for each run")
            self._wish = Wish.RUN
            self._set(State.STARTING)

    def begin(self, folder: Path, step: int) -> None:
        """The run begins its steps; wishes that other processes left there do not concern it (training thread)."""
        (folder / _CONTROL).unlink(missing_ok=True)
        self._folder, self._seen = folder, None
        self.move(State.RUNNING, step)

    def end(self, step: int) -> None:
        """The run's steps have ended (training thread)."""
        self.move(State.IDLE, step)

    def release(self) -> None:
        """The run is over, whether it began or not (training thread)."""
        with self._changed:
            self._folder = None
            self._set(State.IDLE)

    def wish(self) -> Wish:
        """What is wanted now, by whoever asked last (training thread)."""
        self._read_file()
        with self._changed:
            return self._wish

    def wait(self) -> Wish:
        """What is wanted a moment later, or as soon as that changes in this process (training thread)."""
        with self._changed:
            if self._wish is Wish.PAUSE:
                self._changed.wait(_LOOK_SECONDS)
        return self.wish()

    def move(self, state: State, step: int) -> None:
        """Note how the run stands, and tell who waits for it (training thread)."""
        assert self._folder is not None, "a run that has begun"
        status = Status(state, step, to_iso(_clock.utc_now()), os.getpid(), psutil.Process().create_time())
        atomic_write(self._folder / _STATUS, msgspec.json.encode(status))
        with self._changed:
            self._set(state)

    def _set(self, state: State) -> None:
        self._state = state
        for loop, moved in self._waiters:
            with contextlib.suppress(RuntimeError):  # that loop is closed
                loop.call_soon_threadsafe(moved.set)

    def _read_file(self) -> None:
        assert self._folder is not None, "a run that has begun"
        path = self._folder / _CONTROL
        try:
            found = path.stat()
        except FileNotFoundError:
            return
        stamp = (found.st_ino, found.st_mtime_ns)
        if stamp == self._seen:
            return
        self._seen = stamp
        try:
            request = msgspec.json.decode(path.read_bytes(), type=_Request)
        except (FileNotFoundError, msgspec.MsgspecError):
            return  # gone again, or no wish that this version knows
        with self._changed:
            self._wish = request.wish


class Switch(Protocol):
    """A kill switch, as far as training has to know it."""

    def state(self) -> LatchState:
        """How it stands."""
        ...


def stand_still(latch: Switch) -> None:
    """Raise Halted if the workspace's kill switch is tripped. Takes microseconds: asked before and within each step."""
    state = latch.state()
    if state.tripped:
        raise Halted(
            f"the kill switch is tripped: {state.reason}",
            remedy="after `reactor kill reset` the same command goes on from the last checkpoint",
        )


def read_status(folder: Path) -> Status | None:
    """How the run in a folder stands; None if it never began a step. A run whose process was killed is idle."""
    try:
        status = msgspec.json.decode((folder / _STATUS).read_bytes(), type=Status)
    except FileNotFoundError:
        return None
    return status if _lives(status) else msgspec.structs.replace(status, state=State.IDLE)


def ask_run(folder: Path, wish: Wish, *, by: str, seconds: float = 60.0) -> Status:
    """Ask a run of another process for something, and wait until it has done it.

    Args:
        folder: The run's folder.
        wish: What.
        by: Who asks.
        seconds: How long to wait: the step that is going on ends first.

    Returns:
        How the run stands then.

    Raises:
        NotFound: Nothing is running there.
        TrainingError: The run did not do it in time; it still may.
    """
    status = read_status(folder)
    if status is None or status.state is State.IDLE:
        raise NotFound(f"no run is going on in {folder}", remedy="reactor runs list")
    wanted = {Wish.RUN: State.RUNNING, Wish.PAUSE: State.PAUSED, Wish.STOP: State.IDLE}[wish]
    atomic_write(folder / _CONTROL, msgspec.json.encode(_Request(wish, by, to_iso(_clock.utc_now()))))
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        status = read_status(folder) or status
        if status.state in (wanted, State.IDLE):
            return status
        time.sleep(0.05)
    raise TrainingError(
        f"the run in {folder} has not reached {wanted} within {seconds:.0f} s", remedy="its step may take longer"
    )


def _lives(status: Status) -> bool:
    """Whether the process that wrote it is there."""
    try:
        return psutil.Process(status.pid).create_time() == status.born
    except psutil.NoSuchProcess:
        return False
