"""Starts a process for each job, watches over all that run, and takes jobs from those that are dead.

The supervisor may be killed at any time: its workers go on, and the next supervisor finds them in the table. Several
may run on one workspace; the table gives each job to one of them.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from reactor_core.errors import JournalError, LeaseLost, NotFound
from reactor_core.events.doorbell import drain, wait_readable
from reactor_core.events.latch import Latch
from reactor_core.jobs.context import job_folder
from reactor_core.jobs.job import ErrorType, Failure, Job, JobState
from reactor_core.jobs.processes import end_group, lives, this_process
from reactor_core.jobs.pulse import GRACE_SECONDS
from reactor_core.jobs.table import JobTable
from reactor_core.utils.settings import process_environment

__all__ = ["Supervisor"]

_log = logging.getLogger(__name__)

_BUSY_SECONDS = 0.1
"""How often it looks while workers run."""
_IDLE_SECONDS = 1.0
"""How often it looks otherwise, and at the workers of others."""
_START_SECONDS = 120.0
"""How long a new worker may take until it beats for itself."""
_TAIL_BYTES = 2000


@dataclass(slots=True)
class _Child:
    process: subprocess.Popen[bytes]
    job: Job
    log: Path
    started: float


class Supervisor:
    """Works off the jobs of a workspace, in processes of their own, on a thread of this one.

    Args:
        table: Of the workspace; it is not closed here.
        slots: How many jobs run at once.
        kinds: Only of these kinds; None for all.
        environment: Of the workers, over this process's own.
        grace_seconds: How long a job may go on after it is told to stop.
    """

    def __init__(
        self,
        table: JobTable,
        *,
        slots: int = 1,
        kinds: Iterable[str] | None = None,
        environment: Mapping[str, str] | None = None,
        grace_seconds: float = GRACE_SECONDS,
    ) -> None:
        assert slots > 0, "a supervisor without slots does nothing"
        self._table = table
        self._slots = slots
        self._kinds = None if kinds is None else tuple(kinds)
        workspace = {"REACTOR_WORKSPACE": str(table.workspace.absolute())}
        self._environment = {**process_environment(), **workspace, **(environment or {})}
        self._grace = grace_seconds
        self._latch = Latch(table.workspace)
        self._me = this_process()
        self._children: dict[str, _Child] = {}
        self._looked = float("-inf")
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None
        self.fault: Exception | None = None
        """Why nobody looks after the jobs any more, if something unforeseen ended the thread. Its workers go on."""

    def start(self) -> None:
        """Begin, on a thread."""
        self._sweep()
        self._thread = threading.Thread(target=self._run, name="reactor-jobs", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Have the workers put their jobs down, and end. The jobs wait for the next supervisor."""
        self._ending.set()
        self._table.bell.ring()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def run_until_signal(self, done: Callable[[], bool] = lambda: False) -> bool:
        """Work in the foreground until the process is told to end, or ``done`` gives True, which is asked every second.
        For the main thread.

        Returns:
            Whether it was told to end.

        Raises:
            Exception: Something unforeseen ended the supervisor's thread.
        """
        ended = threading.Event()
        before = {number: signal.signal(number, lambda *_: ended.set()) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            with self:
                while self.fault is None and not ended.wait(_IDLE_SECONDS) and not done():
                    pass
            if self.fault is not None:
                raise self.fault
            return ended.is_set()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def tick(self) -> float:
        """Do what is to be done now; returns the seconds until it should look again."""
        self._reap()
        now = time.monotonic()
        if now - self._looked >= min(_IDLE_SECONDS, self._table.lease_seconds / 4):
            self._looked = now
            self._keep_leases(now)
            self._look_after_others()
        due = None
        if not self._ending.is_set() and not self._latch.state().tripped:
            while len(self._children) < self._slots and (job := self._table.claim(self._me, kinds=self._kinds)):
                self._start_worker(job)
            due = self._table.next_due() if len(self._children) < self._slots else None
        busy = _BUSY_SECONDS if self._children else _IDLE_SECONDS
        return busy if due is None else min(busy, max(due, 0.01))

    def _run(self) -> None:
        ears = self._table.bell.watch()
        try:
            while not self._ending.is_set():
                try:
                    seconds = self.tick()
                except JournalError as error:
                    _log.error("the jobs cannot be looked after: %s", error)
                    seconds = _IDLE_SECONDS
                if ears is None or self._children:  # a busy worker rings often: no need to hear each ring
                    self._ending.wait(seconds)
                else:
                    wait_readable(ears, seconds)
                    drain(ears)
            self._end_children()
        except Exception as error:  # noqa: BLE001  a fault of this code: whoever runs the supervisor is told of it
            self.fault = error
            _log.exception("nobody looks after the jobs any more")
        finally:
            if ears is not None:
                os.close(ears)

    def _start_worker(self, job: Job) -> None:
        folder = self._table.workspace / "jobs"
        words = [
            sys.executable, "-m", "reactor_core.jobs.worker", job.job_id,
            "--workspace", str(self._table.workspace.absolute()), "--token", str(job.token),
            "--lease", str(self._table.lease_seconds), "--grace", str(self._grace),
        ]  # fmt: skip
        log = folder / f"{job.job_id}.log"
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            with open(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as stream:
                process = subprocess.Popen(  # noqa: S603  this interpreter and our own module
                    words,
                    stdin=subprocess.DEVNULL,
                    stdout=stream,
                    stderr=stream,
                    env=self._environment,
                    start_new_session=True,
                )
        except OSError as error:
            failure = Failure(type(error).__name__, f"the worker could not be started: {error}", ErrorType.RETRYABLE)
            with contextlib.suppress(LeaseLost, NotFound):  # so slow a failure that somebody else has it
                self._table.fail(job.job_id, job.token, failure)
            return
        self._children[job.job_id] = _Child(process, job, log, time.monotonic())
        _log.info("job %s (%s), attempt %d: process %d", job.job_id, job.kind, job.attempts, process.pid)

    def _reap(self) -> None:
        for job_id, child in list(self._children.items()):
            if not _has_ended(child.process):
                continue
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(child.process.pid, signal.SIGKILL)  # what it left behind
            status = child.process.wait()
            del self._children[job_id]
            with contextlib.suppress(LeaseLost, NotFound):  # the usual case: it wrote down how it ended
                self._table.lose(job_id, child.job.token, reason=_ending_of(status, child.log))
                _log.error("job %s: the worker ended without a word, %s", job_id, _status(status))

    def _keep_leases(self, now: float) -> None:
        """Beat for workers that have not taken their lease over yet."""
        for job_id, child in self._children.items():
            with contextlib.suppress(LeaseLost, NotFound):
                starting = now - child.started < _START_SECONDS
                if starting and self._table.get(job_id).owner == self._me:
                    self._table.beat(job_id, child.job.token)

    def _look_after_others(self) -> None:
        """Take jobs from workers, of whoever, that are dead or silent."""
        for job in self._table.held():
            owner = job.owner
            assert owner is not None, "a running job has an owner"
            dead = lives(owner) is False
            child = self._children.get(job.job_id)
            if child is not None and child.job.token == job.token and not self._table.silent(job):
                continue  # its end is seen by _reap, which knows the status
            if not dead and not self._table.silent(job):
                continue
            if child is not None:  # which may not have taken the lease over yet
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(child.process.pid, signal.SIGKILL)
                child.process.wait()
                del self._children[job.job_id]
            else:
                end_group(owner)
            why = "its process has ended" if dead else f"it was silent for {self._table.lease_seconds:g} s"
            with contextlib.suppress(LeaseLost, NotFound):
                self._table.lose(job.job_id, job.token, reason=f"the worker of attempt {job.attempts} is lost: {why}")
                _log.error("job %s: worker %d is lost: %s", job.job_id, owner.pid, why)

    def _end_children(self) -> None:
        for child in self._children.values():
            child.process.terminate()
        deadline = time.monotonic() + self._grace
        while self._children and time.monotonic() < deadline:
            self._reap()
            time.sleep(0.02)
        for job_id, child in self._children.items():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(child.process.pid, signal.SIGKILL)
            child.process.wait()
            with contextlib.suppress(LeaseLost, NotFound):
                self._table.put_down(job_id, child.job.token)
        self._children.clear()

    def _sweep(self) -> None:
        """Remove what jobs kept for a next attempt that will not come."""
        folder = self._table.workspace / "jobs"
        for path in list(folder.iterdir()) if folder.is_dir() else []:
            if not path.is_dir():
                continue
            try:
                job = self._table.get(path.name)
            except NotFound:
                shutil.rmtree(path, ignore_errors=True)
                continue
            if job.state in (JobState.SUCCEEDED, JobState.CANCELED):
                shutil.rmtree(job_folder(self._table.workspace, job.job_id), ignore_errors=True)


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether it has, without asking for its status where that can be helped: until then its number is its own."""
    if process.returncode is not None:
        return True
    if not hasattr(os, "waitid"):
        return process.poll() is not None
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _status(status: int) -> str:
    return f"killed by {signal.Signals(-status).name}" if status < 0 else f"with status {status}"


def _ending_of(status: int, log: Path) -> str:
    """How a worker ended that wrote nothing down, with the last of what it said where it failed by itself."""
    text = f"the worker ended without a word, {_status(status)}"
    if status == -signal.SIGKILL:
        return f"{text} (the system kills what takes too much memory; see {log})"
    with contextlib.suppress(OSError):
        tail = log.read_bytes()[-_TAIL_BYTES:].decode("utf-8", "replace").strip()
        return f"{text}: {tail.splitlines()[-1] if tail else 'it said nothing'} (see {log})"
    return text
