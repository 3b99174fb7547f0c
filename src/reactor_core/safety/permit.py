"""What the gate hands out for an action that may run: one use, of exactly what was judged."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from reactor_core.errors import ApprovalInvalid, ConfigError, Halted
from reactor_core.safety.engine import Decision
from reactor_core.safety.execution import Prepared
from reactor_core.safety.running import Completed, Process, on_thread, outlast, take_back
from reactor_core.safety.starting import Starter

if TYPE_CHECKING:
    from reactor_core.safety.kill import Station

__all__ = ["Permit"]

T = TypeVar("T")
Settle = Callable[..., object]


class Permit:
    """Leave to run one action once. Made by :class:`SafetyGate`.

    Attributes:
        decision: What the gate decided.
        decision_id: Its name in the audit trail.
        action: The action as it was judged.
    """

    def __init__(
        self,
        decision: Decision,
        decision_id: str,
        *,
        prepared: Prepared | None,
        starter: Starter,
        station: Station,
        settle: Settle,
        shown: str,
    ) -> None:
        self.decision = decision
        self.decision_id = decision_id
        self.action = decision.action
        self._prepared = prepared
        self._starter = starter
        self._station = station
        self._settle = settle
        self._shown = shown
        self._lock = threading.Lock()
        self._used = False
        self.running: Process | None = None

    @property
    def argv(self) -> tuple[str, ...]:
        """Its words, if it is a program."""
        return self._program.argv

    @property
    def env(self) -> Mapping[str, str]:
        """All of its environment, if it is a program."""
        return self._program.env

    @property
    def cwd(self) -> str:
        """Its folder, if it is a program."""
        return self._program.cwd

    @property
    def used(self) -> bool:
        """Whether it was used, or is over."""
        return self._used

    def run_sync(self, *, given: bytes | None = None, timeout: float | None = None, capture: bool = True) -> Completed:
        """Run the program and wait for its end.

        Args:
            given: What it reads from its standard input; None: nothing.
            timeout: Seconds after which it and its group are killed.
            capture: Keep what it writes; otherwise it writes where this process does.

        Raises:
            ApprovalInvalid: The permit is used up, or something changed since it was judged; nothing has run.
            ConfigError: The action is not a program, or the system refuses to run it.
            Halted: The kill switch is tripped, or ended it.
            JournalError: What came of it could not be written down.
        """
        begin = time.monotonic()
        pipe = subprocess.PIPE if capture else None
        source = subprocess.DEVNULL if given is None else subprocess.PIPE
        process = self._start(stdin=source, stdout=pipe, stderr=pipe)
        out, err, late = process.communicate(given, timeout)
        code = process.poll()
        assert code is not None, "it has ended"
        return Completed(code, out, err, time.monotonic() - begin, late)

    async def run(
        self,
        *,
        given: bytes | None = None,
        timeout: float | None = None,  # noqa: ASYNC109  it kills the program, not the caller's task
        capture: bool = True,
    ) -> Completed:
        """:meth:`run_sync` without blocking the caller's loop. Cancelling it kills the program."""
        work = asyncio.ensure_future(on_thread(self.run_sync, given=given, timeout=timeout, capture=capture))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            self.stop()
            await asyncio.wait([work])
            if not work.cancelled():
                work.exception()
            raise

    def spawn_sync(
        self, *, stdin: int | None = subprocess.DEVNULL, stdout: int | None = None, stderr: int | None = None
    ) -> Process:
        """Start the program and go on. What comes of it is written down when it ends, whether or not anybody waits.

        Errors are those of :meth:`run_sync`.
        """
        process = self._start(stdin=stdin, stdout=stdout, stderr=stderr)
        threading.Thread(target=outlast, args=(process,), name="reactor-permit", daemon=True).start()
        return process

    async def spawn(
        self, *, stdin: int | None = subprocess.DEVNULL, stdout: int | None = None, stderr: int | None = None
    ) -> Process:
        """:meth:`spawn_sync` without blocking the caller's loop."""
        return await on_thread(self.spawn_sync, stdin=stdin, stdout=stdout, stderr=stderr)

    def run_on_terminal(self) -> int:
        """Run the program on the terminal of this process, which it has to itself meanwhile; returns its status.

        Without a terminal it has the standard streams of this process. Errors are those of :meth:`run_sync`.
        """
        stdin = sys.stdin.fileno()
        terminal = stdin if os.isatty(stdin) and os.tcgetpgrp(stdin) == os.getpgrp() else None
        process = self._start(stdin=None, stdout=None, stderr=None, terminal_fd=terminal)
        try:
            return process.wait_sync()
        finally:
            if terminal is not None:
                take_back(terminal)

    def perform_sync(self, call: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Call a function that does the action, as one step: a halt comes before it or after it, not in between.

        Raises:
            ApprovalInvalid: The permit is used up.
            Halted: The kill switch is tripped; the function was not called.
        """
        self._use()
        begin = time.monotonic()
        try:
            with self._station.step(self._shown):
                result = call(*args, **kwargs)
        except Halted as error:
            self._settle("halted", detail=str(error))
            raise
        except BaseException as error:
            self._settle("failed", detail=type(error).__name__, seconds=time.monotonic() - begin)
            raise
        self._settle("completed", seconds=time.monotonic() - begin)
        return result

    async def perform(self, call: Callable[..., Awaitable[T]], *args: Any, **kwargs: Any) -> T:
        """:meth:`perform_sync` for a coroutine function."""
        self._use()
        begin = time.monotonic()
        step = self._station.step(self._shown)
        try:
            await on_thread(step.__enter__)
        except Halted as error:
            await on_thread(self._settle, "halted", detail=str(error))
            raise
        outcome, detail = "completed", None
        try:
            return await call(*args, **kwargs)
        except BaseException as error:
            outcome, detail = "failed", type(error).__name__
            raise
        finally:
            step.__exit__(None, None, None)
            self._settle(outcome, detail=detail, seconds=time.monotonic() - begin)

    def stop(self) -> None:
        """Kill what runs by it, if anything does."""
        process = self.running
        if process is not None and process.poll() is None:
            process.kill()

    def leave(self, error: BaseException | None) -> None:
        """The caller is done with it; an action that he did with his own hands is written down as such."""
        if self._end():
            if error is None:
                self._settle("completed", detail="by the caller")
            else:
                self._settle("failed", detail=f"by the caller: {type(error).__name__}")

    def abandon(self) -> None:
        """Take it back before anybody used it."""
        if self._end():
            self._settle("abandoned")

    def _end(self) -> bool:
        with self._lock:
            unused, self._used = not self._used, True
        if unused and self._prepared is not None:
            self._prepared.close()
        return unused

    @property
    def _program(self) -> Prepared:
        if self._prepared is None:
            raise ConfigError(
                f"an action of kind {self.decision.kind} is not a program", remedy="use permit.perform(function)"
            )
        return self._prepared

    def _use(self) -> None:
        with self._lock:
            if self._used:
                raise ApprovalInvalid("this permit is used up", remedy="ask the gate again")
            self._used = True

    def _start(
        self, *, stdin: int | None, stdout: int | None, stderr: int | None, terminal_fd: int | None = None
    ) -> Process:
        prepared = self._program
        self._use()
        begin = time.monotonic()

        def ended(process: subprocess.Popen[bytes]) -> None:
            halted = self._station.stopped(process.pid)
            self._station.dismiss(process.pid)
            seconds = time.monotonic() - begin
            outcome = "halted" if halted else "completed" if process.returncode == 0 else "failed"
            self._settle(outcome, exit_code=process.returncode, seconds=seconds)
            if halted:
                raise Halted(f"the kill switch ended process {process.pid}", remedy="reactor kill status")

        try:
            popen = self._starter.start(
                prepared,
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                terminal_fd=terminal_fd,
                marks=self._station.marks,
                watch=lambda pid: self._station.enlist(pid, category=0, action=self._shown),
            )
        except Exception as error:
            self._settle("halted" if isinstance(error, Halted) else "refused", detail=str(error))
            raise
        finally:
            prepared.close()
        self.running = Process(popen, ended)
        return self.running
