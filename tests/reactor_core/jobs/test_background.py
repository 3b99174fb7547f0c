from __future__ import annotations

import time

import pytest
from filelock import FileLock
from tests.reactor_core.jobs.conftest import until

from reactor_core.jobs.background import LOG, begin, run
from reactor_core.jobs.job import JobState
from reactor_core.jobs.table import JobTable


@pytest.fixture
def jobs(tmp_path):
    with JobTable(tmp_path / "workspace") as jobs:
        yield jobs


@pytest.mark.usefixtures("kinds")
def test_a_process_does_the_jobs_of_its_kinds_and_ends(jobs):
    ids = [jobs.submit("test.count", {"to": 3})[0].job_id for _ in range(2)]
    other = jobs.submit("another.kind", {})[0].job_id
    begin(jobs.workspace, ["test.count"])
    until(lambda: all(jobs.get(job_id).ended for job_id in ids), seconds=120)
    assert [jobs.get(job_id).result["total"] for job_id in ids] == [3, 3]
    until(lambda: FileLock(jobs.workspace / "jobs" / ".background.lock", timeout=60).acquire())  # it has ended
    assert jobs.get(other).state is JobState.QUEUED
    assert "test.count" in (jobs.workspace / "jobs" / LOG).read_text()


def test_a_second_one_leaves_the_work_to_the_first(jobs):
    job_id = jobs.submit("test.count", {"to": 3})[0].job_id
    (jobs.workspace / "jobs").mkdir()
    with FileLock(jobs.workspace / "jobs" / ".background.lock"):
        run(jobs.workspace, ["test.count"])
    assert jobs.get(job_id).state is JobState.QUEUED


def test_where_nothing_waits_it_ends_at_once(jobs):
    jobs.cancel(jobs.submit("test.count", {"to": 3})[0].job_id)
    begun = time.process_time()
    run(jobs.workspace, ["test.count"])
    assert time.process_time() - begun < 1
