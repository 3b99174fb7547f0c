"""What a job may use while it runs, and how it learns that it is to stop."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, NoReturn

from reactor_core.errors import LeaseLost
from reactor_core.jobs.job import Job
from reactor_core.jobs.table import JobTable
from reactor_core.utils.clock import Clock, SystemClock
from reactor_core.utils.files import storage_errors
from reactor_core.utils.settings import Settings

__all__ = ["JobContext", "JobStopped", "Stop", "StopReason", "job_folder"]

TELL_SECONDS = 0.2
"""How often progress is written at most; a new phase is written at once."""


class StopReason(StrEnum):
    """Why a worker stops."""

    WISH = "wish"
    """Somebody asked for it."""
    DOWN = "down"
    """Its process is told to end."""
    HALTED = "halted"
    """The kill switch is tripped."""
    LOST = "lost"
    """Somebody else has the job."""
    ASIDE = "aside"
    """Somebody stopped the work itself, past the table: it is to stand still until it is resumed."""


class JobStopped(BaseException):
    """The job is to stop here, in a state from which it goes on.

    No Exception, as asyncio's CancelledError is none: work that catches its own errors is not to go on by mistake.

    Args:
        reason: Why.
        wait_seconds: How long nobody is to take the job, where somebody else is to go on with it.
    """

    def __init__(self, reason: StopReason, *, wait_seconds: float = 0.0) -> None:
        super().__init__(str(reason))
        self.wait_seconds = wait_seconds


class Stop:
    """A flag with a reason; the first reason that is given stays, except that a lost lease replaces any other."""

    def __init__(self) -> None:
        self._set = threading.Event()
        self._lock = threading.Lock()
        self.reason: StopReason | None = None

    def set(self, reason: StopReason) -> None:
        """Ask for it."""
        with self._lock:
            if self.reason is None or reason is StopReason.LOST:
                self.reason = reason
        self._set.set()

    def wait(self, seconds: float) -> bool:
        """Block so long, or until it is asked for; whether it is."""
        return self._set.wait(seconds)


class JobContext:
    """Given to :meth:`~reactor_core.jobs.kinds.JobKind.run`. Every method may be called from any thread.

    Args:
        table: Of the workspace.
        job: As it was when the worker took it.
        settings: What the environment says.
        stop: Where it is said that the job is to stop.
        halted: Why the kill switch is tripped; None while it is not.
        clock: Of the throttle.
    """

    def __init__(
        self,
        table: JobTable,
        job: Job,
        settings: Settings,
        stop: Stop,
        *,
        halted: Callable[[], str | None],
        clock: Clock | None = None,
    ) -> None:
        self.job = job
        self.settings = settings
        self._table = table
        self._stop = stop
        self._halted = halted
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._told: tuple[str, float] = ("", float("-inf"))

    @property
    def folder(self) -> Path:
        """A folder of this job's own, which the next attempt finds as it was left; it goes when the job succeeds."""
        path = job_folder(self._table.workspace, self.job.job_id)
        with storage_errors(path):
            path.mkdir(parents=True, exist_ok=True)
        return path

    def check(self) -> None:
        """Go on only if nothing speaks against it.

        Raises:
            JobStopped: The job is to stop.
        """
        if self._stop.reason is None and self._halted() is not None:
            self._stop.set(StopReason.HALTED)
        if self._stop.reason is not None:
            raise JobStopped(self._stop.reason)

    def stopping(self, seconds: float = 0.0) -> StopReason | None:
        """Why the job is to stop, waiting at most so long for a reason; None if it is to go on."""
        self._stop.wait(seconds)
        return self._stop.reason

    def leave(self, reason: StopReason, *, wait_seconds: float = 0.0) -> NoReturn:
        """Stop of one's own accord, in a state from which the job goes on.

        Args:
            reason: Taken unless another one was given before.
            wait_seconds: How long nobody is to take the job, where somebody else is to go on with it.

        Raises:
            JobStopped: Always.
        """
        self._stop.set(reason)
        raise JobStopped(self._stop.reason or reason, wait_seconds=wait_seconds)

    def progress(self, phase: str, share: float, facts: Mapping[str, Any] | None = None) -> None:
        """Say what is being done, which share of the whole job is done, 0 to 1, and what else there is to say of it,
        JSON values by name; :meth:`check` before. A phase is written at once, all else now and then.

        Raises:
            JobStopped: The job is to stop.
        """
        self.check()
        with self._lock:
            now = self._clock.monotonic()
            if phase == self._told[0] and now - self._told[1] < TELL_SECONDS and share < 1:
                return
            self._told = phase, now
        job_id, token = self.job.job_id, self.job.token
        self._write(lambda: self._table.advance(job_id, token, phase=phase, progress=share, facts=facts))

    def tell(self, **facts: Any) -> None:
        """Say what else there is to say of the job, JSON values by name; written at once, where it is new.

        Raises:
            JobStopped: The job is to stop.
        """
        self.check()
        self._write(lambda: self._table.tell(self.job.job_id, self.job.token, facts))

    def say(self, message: str) -> None:
        """Add a line to the job's log.

        Raises:
            JobStopped: The job is to stop.
        """
        self.check()
        self._write(lambda: self._table.note(self.job.job_id, self.job.token, message))

    def _write(self, write: Callable[[], object]) -> None:
        try:
            write()
        except LeaseLost:
            self._stop.set(StopReason.LOST)
            raise JobStopped(StopReason.LOST) from None


def job_folder(workspace: Path, job_id: str) -> Path:
    """Where a job keeps what its next attempt needs."""
    return Path(workspace) / "jobs" / job_id
