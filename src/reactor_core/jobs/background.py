"""Hands for a workspace that has none: a process of its own works on jobs until none is left, and ends.

At most one such process works on a workspace. Where there is a server or a ``reactor jobs work``, it is not needed.
"""

from __future__ import annotations

import argparse  # this package is the only caller, and this starts faster than what people get
import logging
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock, Timeout

from reactor_core.errors import StorageError
from reactor_core.jobs.job import JobState
from reactor_core.jobs.supervisor import Supervisor
from reactor_core.jobs.table import JobTable
from reactor_core.utils.files import storage_errors
from reactor_core.utils.settings import process_environment

__all__ = ["LOG", "begin", "main", "run"]

LOG = "background.log"
"""File of the workspace's folder ``jobs`` that has what the process says."""

_LOCK = ".background.lock"


def begin(workspace: Path, kinds: Sequence[str]) -> None:
    """Have the workspace's jobs of these kinds worked on, one at a time; returns as soon as the process has started.

    Raises:
        StorageError: The process could not be started, or its log cannot be written.
    """
    folder = workspace.absolute() / "jobs"
    words = [sys.executable, "-m", "reactor_core.jobs.background", "--workspace", str(workspace.absolute())]
    words += [word for kind in kinds for word in ("--kind", kind)]
    with storage_errors(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(os.open(folder / LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as stream:
            status = subprocess.call(  # noqa: S603  this interpreter and our own module
                words,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                env=process_environment(),
                start_new_session=True,
            )
    if status != 0:
        raise StorageError(f"no process could be started for the jobs: status {status}", remedy=f"see {folder / LOG}")


def run(workspace: Path, kinds: Sequence[str]) -> None:
    """Work until no job of these kinds waits or runs, or the process is told to end. For the main thread.

    Returns at once where another process does this. That one looks for jobs once more after it has given its place up,
    so a job that was submitted before this call is done by it.
    """
    folder = workspace / "jobs"
    with storage_errors(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with JobTable(workspace) as table:

        def nothing_left() -> bool:
            return not table.jobs(states=(JobState.QUEUED, JobState.RUNNING), kinds=kinds, limit=1)

        while not nothing_left():
            try:
                with FileLock(folder / _LOCK, timeout=0):
                    if Supervisor(table, kinds=kinds).run_until_signal(nothing_left):
                        return
            except Timeout:
                return


def main() -> int:
    """The command line; returns the exit status."""
    command = argparse.ArgumentParser("python -m reactor_core.jobs.background", description="Work until none is left.")
    command.add_argument("--workspace", type=Path, required=True)
    command.add_argument("--kind", action="append", required=True)
    given = command.parse_args()
    if os.fork() != 0:
        return 0  # who waits for this process need not wait for the jobs, nor ask how the other one ended
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    run(given.workspace, given.kind)
    return 0


if __name__ == "__main__":
    sys.exit(main())
