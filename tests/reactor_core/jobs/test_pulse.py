from __future__ import annotations

import os
import subprocess
import sys

import pytest
from tests.reactor_core.jobs.conftest import OWNER, until

from reactor_core.jobs.context import Stop, StopReason
from reactor_core.jobs.job import JobState
from reactor_core.jobs.pulse import Pulse, put_down, take_down
from reactor_core.jobs.table import JobTable


class Ends:
    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


@pytest.fixture
def ends():
    return Ends()


@pytest.fixture
def job(table):
    table.submit("k", {})
    return table.claim(OWNER)


@pytest.fixture
def make(table, clock, job, ends):
    def make(stop: Stop, halted=lambda: None) -> Pulse:
        return Pulse(table, job, stop, halted=halted, grace_seconds=10, end=ends, clock=clock)

    return make


def test_it_keeps_the_lease_with_five_beats(make, table, clock, job):
    pulse, beats = make(Stop()), set()
    for _ in range(60):
        pulse.look()
        beats.add(table.get(job.job_id).lease_until_us)
        clock.turn(table.lease_seconds / 20)
        assert not table.silent(table.get(job.job_id))
    assert len(beats) == 15


def test_it_hears_a_wish_and_ends_a_process_that_does_not(make, table, clock, job, ends):
    stop = Stop()
    pulse = make(stop)
    pulse.look()
    assert stop.reason is None
    table.cancel(job.job_id)
    pulse.look()
    assert stop.reason is StopReason.WISH
    clock.turn(9)
    pulse.look()
    assert ends.count == 0
    clock.turn(1)
    pulse.look()
    assert (ends.count, table.get(job.job_id).state) == (1, JobState.CANCELED)


def test_the_kill_switch_gives_less_time_and_the_job_can_go_on(make, table, clock, job, ends):
    stop = Stop()
    pulse = make(stop, halted=lambda: "too hot")
    pulse.look()
    clock.turn(5)
    pulse.look()
    after = table.get(job.job_id)
    assert (ends.count, after.state) == (1, JobState.PAUSED)
    assert table.events(job.job_id)[-1].data["reason"] == "the kill switch is tripped: too hot"


@pytest.mark.parametrize("how", ["lost", "deleted"])
def test_one_that_has_lost_its_job_stops_and_writes_nothing(make, table, clock, job, ends, how):
    stop = Stop()
    table.lose(job.job_id, job.token, reason="silent")
    if how == "deleted":
        table.cancel(job.job_id)
        table.delete(job.job_id)
    else:
        table.claim(OWNER)
    pulse = make(stop)
    pulse.look()
    assert stop.reason is StopReason.LOST
    clock.turn(10)
    pulse.look()
    assert ends.count == 1
    if how == "lost":
        assert table.get(job.job_id).state is JobState.QUEUED


def test_as_a_thread_it_hears_at_once(tmp_path, ends):
    with JobTable(tmp_path) as table, JobTable(tmp_path) as own:
        table.submit("k", {})
        job = table.claim(OWNER)
        stop = Stop()
        with Pulse(own, job, stop, halted=lambda: None, end=ends):
            until(lambda: own.get(job.job_id).lease_until_us > job.lease_until_us)
            table.pause(job.job_id)
            assert stop.wait(5)
        put_down(table, job, StopReason.WISH, None)
        assert table.get(job.job_id).state is JobState.PAUSED


@pytest.mark.parametrize("leads", [True, False])
def test_taking_down_ends_the_process_and_the_group_that_it_leads(leads):
    code = "from reactor_core.jobs.pulse import take_down; take_down()"
    done = subprocess.run([sys.executable, "-c", code], start_new_session=leads, check=False)
    assert done.returncode == -9
    assert os.getpgrp()  # this one is still there
    assert callable(take_down)
