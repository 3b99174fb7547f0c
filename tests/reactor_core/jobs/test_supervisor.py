"""Real workers in processes of their own. One importing of Python each, so few tests, each with several jobs."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from tests.reactor_core.jobs.conftest import OWNER, until

from reactor_core.events.latch import Latch
from reactor_core.jobs.context import job_folder
from reactor_core.jobs.job import ErrorType, JobState
from reactor_core.jobs.processes import lives, this_process
from reactor_core.jobs.supervisor import Supervisor
from reactor_core.jobs.table import JobTable


@pytest.fixture
def jobs(tmp_path):
    with JobTable(tmp_path / "workspace", lease_seconds=5) as jobs:
        yield jobs


@pytest.fixture
def supervise(jobs, kinds):
    def supervise(**options) -> Supervisor:
        return Supervisor(jobs, environment=kinds, **options)

    return supervise


def ended(jobs, *ids):
    return until(lambda: all(jobs.get(job_id).ended for job_id in ids) and [jobs.get(job_id) for job_id in ids])


def test_each_job_has_a_process_of_its_own_and_those_that_die_without_a_word_are_noticed(jobs, supervise):
    work = [("test.count", {"to": 4}), ("test.breaks", {"how": "kill"}), ("test.breaks", {"how": "exit"})]
    ids = [jobs.submit(kind, spec, max_attempts=1)[0].job_id for kind, spec in work]
    other = jobs.submit("another.kind", {})[0].job_id
    with supervise(slots=3, kinds=["test.count", "test.breaks"]):
        done, killed, gone = ended(jobs, *ids)
    assert (done.result["total"], done.attempts) == (6, 1)
    assert done.result["pid"] != os.getpid()
    assert (killed.state, killed.failure.error_type) == (JobState.FAILED, ErrorType.RETRYABLE)
    assert "killed by SIGKILL" in killed.failure.message
    assert "with status 7: this is the end" in gone.failure.message
    assert gone.failure.error == "WorkerLost"
    assert jobs.get(other).state is JobState.QUEUED


@pytest.mark.slow
def test_a_worker_that_dies_is_followed_by_another_until_its_attempts_are_used_up(jobs, supervise):
    job_id = jobs.submit("test.breaks", {"how": "kill"}, max_attempts=2)[0].job_id
    with supervise():
        [killed] = ended(jobs, job_id)
    assert (killed.attempts, killed.state) == (2, JobState.FAILED)


@pytest.mark.slow
def test_a_deaf_job_is_killed_with_all_that_it_started(jobs, supervise, tmp_path):
    note = tmp_path / "pid"
    job_id = jobs.submit("test.deaf", {"note": str(note)})[0].job_id
    with supervise(grace_seconds=0.3):
        until(lambda: jobs.events(job_id)[-1].type == "log")
        jobs.cancel(job_id)
        [job] = ended(jobs, job_id)
    assert job.state is JobState.CANCELED
    until(lambda: not Path(f"/proc/{note.read_text()}/cmdline").exists())


@pytest.mark.slow
def test_one_that_stands_still_loses_its_lease_and_its_life(tmp_path, kinds):
    note = tmp_path / "pid"
    with JobTable(tmp_path / "workspace", lease_seconds=3) as jobs:
        job_id = jobs.submit("test.deaf", {"note": str(note), "stopped": True}, max_attempts=1)[0].job_id
        with Supervisor(jobs, environment=kinds):
            [job] = ended(jobs, job_id)
    assert (job.state, job.failure.error) == (JobState.FAILED, "WorkerLost")
    assert "silent for 3 s" in job.failure.message
    until(lambda: not Path(f"/proc/{note.read_text()}/cmdline").exists())


@pytest.mark.slow
def test_going_down_puts_jobs_down_and_the_next_supervisor_goes_on(jobs, supervise):
    job_id = jobs.submit("test.count", {"to": 30, "seconds": 0.05})[0].job_id
    folder = job_folder(jobs.workspace, job_id)
    with supervise():
        until(lambda: folder.is_dir() and len(list(folder.iterdir())) > 2)
    after = jobs.get(job_id)
    assert (after.state, after.attempts, after.owner) == (JobState.QUEUED, 0, None)
    with supervise():
        [job] = ended(jobs, job_id)
    assert job.result["total"] == 435
    assert job.result["in_last_attempt"] < 28


def test_a_worker_outlives_its_supervisor_and_a_dead_one_is_noticed(jobs, supervise):
    """The first half as after ``kill -9`` of the supervisor, the second as after that of everything."""
    job_id = jobs.submit("test.count", {"to": 20, "seconds": 0.05})[0].job_id
    first = supervise()
    first.tick()  # by hand, so that it can be forgotten
    worker = until(lambda: (owner := jobs.get(job_id).owner) != this_process() and owner)
    assert worker is not None
    second = supervise()
    for _ in range(3):
        second.tick()
        second._looked = 0
    assert jobs.get(job_id).owner == worker
    os.kill(worker.pid, signal.SIGKILL)
    until(lambda: lives(worker) is False)
    second.tick()
    after = jobs.get(job_id)
    assert (after.state, after.attempts) == (JobState.QUEUED, 1)
    assert "its process has ended" in after.failure.message
    first._children.popitem()[1].process.wait()


def test_nothing_is_started_while_the_kill_switch_is_tripped(jobs, supervise):
    job_id = jobs.submit("test.count", {"to": 1})[0].job_id
    Latch(jobs.workspace).trip(reason="too hot", by="test")
    supervisor = supervise()
    supervisor.tick()
    assert jobs.get(job_id).state is JobState.QUEUED
    assert not supervisor._children


def test_it_sleeps_until_the_next_job_is_due(jobs, supervise):
    supervisor = supervise(kinds=["nothing"])
    assert supervisor.tick() == 1.0
    jobs.submit("test.count", {"to": 1})
    assert supervisor.tick() == 0.01


def test_what_jobs_kept_goes_when_no_attempt_will_follow(jobs, supervise):
    ids = [jobs.submit("test.count", {"to": n})[0].job_id for n in range(2)]
    for name in (*ids, "no-such-job"):
        job_folder(jobs.workspace, name).mkdir(parents=True)
    jobs.cancel(ids[1])
    supervise()._sweep()
    assert [path.name for path in (jobs.workspace / "jobs").iterdir()] == ids[:1]


def test_a_worker_that_cannot_be_started_is_a_failed_attempt(jobs, supervise, monkeypatch):
    job_id = jobs.submit("test.count", {"to": 1})[0].job_id
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    supervise().tick()
    after = jobs.get(job_id)
    assert (after.state, after.failure.error) == (JobState.QUEUED, "FileNotFoundError")
    assert after.owner != OWNER


def test_who_runs_a_supervisor_learns_that_it_has_ended(jobs, monkeypatch):
    def broken(self):
        raise RuntimeError("a bug")

    monkeypatch.setattr(Supervisor, "tick", broken)
    with pytest.raises(RuntimeError, match="a bug"):
        Supervisor(jobs).run_until_signal()


def test_a_worker_that_cannot_be_started_for_a_job_that_is_lost_harms_nobody(jobs, supervise, monkeypatch):
    job_id = jobs.submit("test.count", {"to": 1})[0].job_id

    def lost(*_, **__):
        held = jobs.get(job_id)
        jobs.lose(job_id, held.token, reason="silent")
        raise OSError("no more processes")

    monkeypatch.setattr("reactor_core.jobs.supervisor.subprocess.Popen", lost)
    supervise().tick()
    assert jobs.get(job_id).failure.error == "WorkerLost"
