"""``python -m reactor_core.jobs.worker``: does one job and ends. A supervisor starts it and hands its lease over."""

from __future__ import annotations

import argparse  # a supervisor is the only caller, and this starts faster than what people get
import logging
import shutil
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from reactor_core.errors import ArtifactCorrupt, DownloadError, Halted, JournalError, LeaseLost, ReactorError
from reactor_core.events.latch import Latch
from reactor_core.jobs.context import JobContext, JobStopped, Stop, StopReason, job_folder
from reactor_core.jobs.job import ErrorType, Failure, Job
from reactor_core.jobs.kinds import find_kind
from reactor_core.jobs.processes import this_process
from reactor_core.jobs.pulse import GRACE_SECONDS, Pulse, put_down
from reactor_core.jobs.table import JobTable
from reactor_core.utils.failpoints import reach
from reactor_core.utils.settings import Settings, load_settings, spin_briefly

__all__ = ["failure_of", "main", "work"]

_log = logging.getLogger(__name__)


def work(table: JobTable, job: Job, settings: Settings, *, stop: Stop, grace_seconds: float = GRACE_SECONDS) -> None:
    """Do a job whose lease this process has, and write down what came of it.

    Args:
        table: Of the workspace.
        job: As it was taken.
        settings: For the kind.
        stop: Set it from elsewhere to have the job put down.
        grace_seconds: How long it may go on after that.
    """
    latch = Latch(table.workspace)

    def halted() -> str | None:
        state = latch.state()
        return (state.reason or "no reason given") if state.tripped else None

    context = JobContext(table, job, settings, stop, halted=halted)
    with JobTable(table.workspace, lease_seconds=table.lease_seconds) as own:
        with Pulse(own, job, stop, halted=halted, grace_seconds=grace_seconds):
            try:
                _do(context, table, job, stop, halted)
            except LeaseLost as error:
                _log.warning("what was done is not written down: %s", error)


def _do(context: JobContext, table: JobTable, job: Job, stop: Stop, halted: Callable[[], str | None]) -> None:
    try:
        context.check()
        result = find_kind(job.kind).run(context)
    except JobStopped as stopped:
        assert stop.reason is not None
        put_down(table, job, stop.reason, halted(), wait_seconds=stopped.wait_seconds)
    except Halted as error:
        put_down(table, job, StopReason.HALTED, error.message)
    except ReactorError as error:
        _log.error("%s: %s", type(error).__name__, error)
        table.fail(job.job_id, job.token, failure_of(error))
    except Exception as error:  # noqa: BLE001  a fault of the kind's code: it ends this attempt, and is written down
        _log.exception("job %s failed", job.job_id)
        table.fail(job.job_id, job.token, failure_of(error))
    else:
        reach("job.done")
        table.succeed(job.job_id, job.token, result)
        reach("job.noted")
        shutil.rmtree(job_folder(table.workspace, job.job_id), ignore_errors=True)


def failure_of(error: Exception) -> Failure:
    """What an error says about trying again.

    A fault of the disk, of the network or of a provider may be over later. One of the job itself, or of the code, comes
    again.
    """
    passing = isinstance(error, OSError | MemoryError | JournalError | DownloadError) and not isinstance(
        error, ArtifactCorrupt
    )
    again = bool(getattr(error, "retryable", passing))
    text = "".join(traceback.format_exception_only(error)).strip()
    message = str(error) if isinstance(error, ReactorError) else text
    return Failure(type(error).__name__, message, ErrorType.RETRYABLE if again else ErrorType.TERMINAL)


def run(
    job_id: str, *, workspace: Path, token: int, lease: float, grace: float = GRACE_SECONDS, stop: Stop | None = None
) -> int:
    """Do one job.

    Args:
        job_id: Its id.
        workspace: Folder of the table.
        token: Of the lease that is handed over.
        lease: Seconds for which a worker may be silent.
        grace: Seconds that the job may go on after it is told to stop.
        stop: Set it from elsewhere to have the job put down.
    """
    with JobTable(workspace, lease_seconds=lease) as table:
        try:
            job = table.take_over(job_id, token, this_process())
        except LeaseLost as error:
            _log.warning("%s", error)
            return 0
        work(table, job, load_settings(), stop=stop or Stop(), grace_seconds=grace)
    return 0


def main() -> int:
    """The command line; returns the exit status."""
    command = argparse.ArgumentParser("python -m reactor_core.jobs.worker", description="Do one job of a workspace.")
    command.add_argument("job_id")
    command.add_argument("--workspace", type=Path, required=True)
    command.add_argument("--token", type=int, required=True)
    command.add_argument("--lease", type=float, required=True)
    command.add_argument("--grace", type=float, default=GRACE_SECONDS)
    given = command.parse_args()
    spin_briefly()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    stop = Stop()

    def end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  a signal handler's signature
        stop.set(StopReason.DOWN)

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who started this one
    return run(**vars(given), stop=stop)


if __name__ == "__main__":
    sys.exit(main())
