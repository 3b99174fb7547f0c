"""The heartbeat of a worker: keeps the lease, hears what is wished, and ends a worker that does not listen."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from reactor_core.errors import JournalError, LeaseLost, NotFound, ReactorError
from reactor_core.events.doorbell import drain, wait_readable
from reactor_core.jobs.context import Stop, StopReason
from reactor_core.jobs.job import Job, Wish
from reactor_core.jobs.table import JobTable
from reactor_core.utils.clock import Clock, SystemClock

__all__ = ["GRACE_SECONDS", "Pulse", "put_down", "take_down"]

_log = logging.getLogger(__name__)

GRACE_SECONDS = 10.0
"""How long a job may go on after it was told to stop, before its process is killed."""
HALT_GRACE_SECONDS = 5.0
"""The same, after the kill switch was tripped."""
BEATS_PER_LEASE = 5
_LOOK_SECONDS = 0.5
"""How often the kill switch is looked at, and the row where the bell has no kernel watch."""


class Pulse:
    """A thread that beats while the block runs.

    Args:
        table: A connection of its own: the worker's may be busy.
        job: What the worker holds.
        stop: Where it says that the job is to stop.
        halted: Why the kill switch is tripped; None while it is not.
        grace_seconds: How long the job may go on after that.
        end: Ends this process and all that it started.
        clock: Monotonic time.
    """

    def __init__(
        self,
        table: JobTable,
        job: Job,
        stop: Stop,
        *,
        halted: Callable[[], str | None],
        grace_seconds: float = GRACE_SECONDS,
        end: Callable[[], None] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._table = table
        self._job = job
        self._stop = stop
        self._halted = halted
        self._grace = grace_seconds
        self._end = end or take_down
        self._clock = clock or SystemClock()
        self._done = threading.Event()
        self._next_beat = 0.0
        self._deadline: float | None = None
        self._thread = threading.Thread(target=self._run, name="reactor-job-pulse", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._table.bell.ring()
        self._thread.join()

    def look(self) -> None:
        """Beat if it is time, see what is wished, and end the process if it was told to stop for long enough."""
        now = self._clock.monotonic()
        try:
            if now >= self._next_beat:
                job = self._table.beat(self._job.job_id, self._job.token)
                self._next_beat = now + self._table.lease_seconds / BEATS_PER_LEASE
            else:
                job = self._table.get(self._job.job_id)
            if job.token != self._job.token:
                self._stop.set(StopReason.LOST)
            elif job.wish is not Wish.NONE:
                self._stop.set(StopReason.WISH)
        except (LeaseLost, NotFound):
            self._stop.set(StopReason.LOST)
        except JournalError as error:  # nobody else can take the job either while the file cannot be written
            _log.warning("the lease of job %s could not be renewed: %s", self._job.job_id, error)
        if self._halted() is not None:
            self._stop.set(StopReason.HALTED)
        if self._stop.reason is None:
            return
        if self._deadline is None:
            halted = self._stop.reason is StopReason.HALTED
            self._deadline = now + (min(HALT_GRACE_SECONDS, self._grace) if halted else self._grace)
        elif now >= self._deadline:
            _log.error("job %s did not stop within %.0f s; its process is ended", self._job.job_id, self._grace)
            try:
                put_down(self._table, self._job, self._stop.reason, self._halted())
            except ReactorError as error:
                _log.error("job %s: %s", self._job.job_id, error)
            self._end()

    def _run(self) -> None:
        ears = self._table.bell.watch()
        try:
            while not self._done.is_set():
                self.look()
                if ears is None:
                    self._done.wait(_LOOK_SECONDS)
                else:
                    wait_readable(ears, _LOOK_SECONDS)
                    drain(ears)
        finally:
            if ears is not None:
                os.close(ears)


def put_down(table: JobTable, job: Job, reason: StopReason, halted: str | None, *, wait_seconds: float = 0.0) -> None:
    """Write down that the worker has stopped, as it was asked to.

    Args:
        table: Of the workspace.
        job: What the worker held.
        reason: Why it has stopped.
        halted: Why the kill switch is tripped.
        wait_seconds: How long nobody is to take the job, if somebody else is to go on with it.

    Raises:
        LeaseLost: Somebody else has the job.
        JournalError: It could not be written.
    """
    if reason is StopReason.LOST:
        return
    if reason is StopReason.HALTED:
        table.pause_held(job.job_id, job.token, reason=f"the kill switch is tripped: {halted or 'no reason given'}")
    elif reason is StopReason.ASIDE:
        table.pause_held(job.job_id, job.token, reason="the work itself was stopped, not its job")
    else:
        table.put_down(job.job_id, job.token, wait_seconds=wait_seconds)


def take_down() -> None:
    """End this process at once, and its group if it leads one."""
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)
