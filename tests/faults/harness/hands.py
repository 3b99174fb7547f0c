"""What a process that works on jobs does; it is killed, or stopped for a while, at any moment."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from tests.faults.harness.history import Log, Record

from reactor_core.jobs import rules
from reactor_core.jobs.context import Stop
from reactor_core.jobs.job import Owner
from reactor_core.jobs.processes import this_process
from reactor_core.jobs.supervisor import Supervisor
from reactor_core.jobs.table import JobTable
from reactor_core.jobs.worker import work
from reactor_core.utils.settings import Settings

PRELOAD = ("tests.faults.harness.hands", "tests.reactor_core.jobs.work", "a1_reactor.server.clip_job")


def hand(
    log: str, *, workspace: str, installed: str, lease: float, ghost: bool, clips: str = "", cache: str = ""
) -> None:
    """Take jobs and do them until all have ended.

    Args:
        log: Gets a line for each job that was taken.
        workspace: Of the table.
        installed: Folder of the plugin with the kinds.
        lease: Seconds for which a hand may be silent.
        clips: Folder of the clips, where jobs make some.
        cache: Folder of the models, where jobs train one.
        ghost: It goes by the name of another machine, so nobody can see whether it lives, or kill it.
    """
    sys.path.insert(0, installed)
    rules.BACKOFF_SECONDS = (0.01,)
    told = Log(Path(log))
    settings = Settings(workspace=Path(workspace), a1_workspace=Path(clips), cache_dir=Path(cache))
    with JobTable(Path(workspace), lease_seconds=lease) as table:
        me = this_process()
        if ghost:
            me = Owner("another machine", me.pid, me.born)
        eyes = Supervisor(table)
        while table.count("queued") + table.count("running"):
            eyes._look_after_others()
            job = table.claim(me)
            if job is None:
                time.sleep(0.01)
                continue
            told.write(Record("took", job.job_id, job.kind, 0, job.attempts, job.token))
            work(table, job, settings, stop=Stop(), grace_seconds=0.2)
