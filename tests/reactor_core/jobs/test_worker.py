from __future__ import annotations

import threading

import pytest
from tests.reactor_core.jobs.conftest import OWNER, until

from reactor_core.errors import ArtifactCorrupt, ConfigError, JournalError, ProviderError, StorageFull
from reactor_core.events.latch import Latch
from reactor_core.jobs.context import Stop, StopReason, job_folder
from reactor_core.jobs.job import ErrorType, JobState
from reactor_core.jobs.table import JobTable
from reactor_core.jobs.worker import failure_of, run, work
from reactor_core.utils.settings import Settings

pytestmark = pytest.mark.usefixtures("kinds")


@pytest.fixture
def jobs(tmp_path):
    with JobTable(tmp_path / "workspace") as jobs:
        yield jobs


def take(jobs, kind, **spec):
    jobs.submit(kind, spec)
    return jobs.claim(OWNER)


def do(jobs, job, *, stop=None):
    work(jobs, job, Settings(), stop=stop or Stop())
    return jobs.get(job.job_id)


def test_a_job_is_done_and_its_folder_goes(jobs):
    job = take(jobs, "test.count", to=5)
    after = do(jobs, job)
    assert (after.state, after.result["total"], after.progress) == (JobState.SUCCEEDED, 10, 1.0)
    assert not job_folder(jobs.workspace, job.job_id).exists()
    assert [event.data.get("phase") for event in jobs.events(job.job_id) if event.type == "progress"] == ["count"]


@pytest.mark.parametrize(
    ("how", "state", "error"),
    [
        ("bug", JobState.FAILED, "RuntimeError"),
        ("odd", JobState.FAILED, "ProviderError"),
        ("busy", JobState.QUEUED, "ProviderError"),
    ],
)
def test_an_error_is_written_down_with_what_it_says_about_trying_again(jobs, how, state, error):
    after = do(jobs, take(jobs, "test.breaks", how=how))
    assert (after.state, after.failure.error) == (state, error)


def test_a_kind_that_is_not_installed_fails_the_job(jobs):
    after = do(jobs, take(jobs, "test.unheard", n=1))
    assert (after.state, after.failure.error) == (JobState.FAILED, "NotFound")


def test_work_that_finds_the_kill_switch_tripped_by_itself_can_go_on(jobs):
    after = do(jobs, take(jobs, "test.breaks", how="halted"))
    assert (after.state, after.attempts) == (JobState.PAUSED, 0)


def test_nothing_begins_while_the_kill_switch_is_tripped(jobs):
    Latch(jobs.workspace).trip(reason="too hot", by="test")
    job = take(jobs, "test.count", to=5)
    after = do(jobs, job)
    assert after.state is JobState.PAUSED
    assert "too hot" in jobs.events(job.job_id)[-1].data["reason"]


@pytest.mark.parametrize(
    ("ask", "state"),
    [
        (lambda jobs, job, stop: jobs.cancel(job.job_id), JobState.CANCELED),
        (lambda jobs, job, stop: jobs.pause(job.job_id), JobState.PAUSED),
        (lambda jobs, job, stop: stop.set(StopReason.DOWN), JobState.QUEUED),
    ],
)
def test_it_stops_when_asked_and_the_next_attempt_goes_on_from_there(jobs, ask, state):
    job, stop = take(jobs, "test.count", to=40, seconds=0.02), Stop()
    folder = job_folder(jobs.workspace, job.job_id)
    asking = threading.Thread(
        target=lambda: (until(lambda: folder.is_dir() and len(list(folder.iterdir())) > 3), ask(jobs, job, stop))
    )
    asking.start()
    after = do(jobs, job, stop=stop)
    asking.join()
    assert (after.state, after.attempts) == (state, 0 if state is not JobState.CANCELED else 1)
    if state is not JobState.CANCELED:
        jobs.resume(job.job_id)
        again = do(jobs, jobs.claim(OWNER))
        assert (again.state, again.result["total"]) == (JobState.SUCCEEDED, 780)
        assert again.result["in_last_attempt"] < 37


def test_who_comes_too_late_does_nothing(jobs):
    job = take(jobs, "test.count", to=5)
    jobs.lose(job.job_id, job.token, reason="silent")
    before = jobs.get(job.job_id)
    assert run(job.job_id, workspace=jobs.workspace, token=job.token, lease=15) == 0
    assert jobs.get(job.job_id) == before


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (ProviderError("x", retryable=True), True),
        (ProviderError("x"), False),
        (StorageFull("x"), True),
        (ArtifactCorrupt("x"), False),
        (JournalError("x"), True),
        (ConfigError("x"), False),
        (OSError("x"), True),
        (KeyError("x"), False),
    ],
)
def test_faults_that_may_pass_are_tried_again(error, again):
    found = failure_of(error)
    assert found.error_type is (ErrorType.RETRYABLE if again else ErrorType.TERMINAL)
    assert "x" in found.message
