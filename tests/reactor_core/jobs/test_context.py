from __future__ import annotations

import pytest
from tests.reactor_core.jobs.conftest import OWNER

from reactor_core.jobs.context import JobContext, JobStopped, Stop, StopReason, job_folder
from reactor_core.utils.settings import Settings


@pytest.fixture
def stop():
    return Stop()


@pytest.fixture
def context(table, clock, stop):
    table.submit("k", {})
    return JobContext(table, table.claim(OWNER), Settings(), stop, halted=lambda: None, clock=clock)


def told(table, context):
    return [event.data["progress"] for event in table.events(context.job.job_id) if event.type == "progress"]


def test_progress_is_written_now_and_then_but_each_phase_and_the_end_at_once(context, table, clock):
    for share in (0.1, 0.11, 0.12):
        context.progress("a", share)
    clock.turn(1)
    context.progress("a", 0.13)
    context.progress("b", 0.14)
    context.progress("b", 1.0)
    assert told(table, context) == [0.1, 0.13, 0.14, 1.0]


def test_facts_are_written_at_once_and_stay_for_the_next_attempt(context, table):
    context.progress("a", 0.1)
    context.tell(step=1)
    context.tell(step=2)
    context.tell(step=2)
    assert [event.data.get("facts") for event in table.events(context.job.job_id)[-2:]] == [{"step": 1}, {"step": 2}]
    table.lose(context.job.job_id, context.job.token, reason="dead")
    found = table.get(context.job.job_id)
    assert found.facts == found.as_dict()["facts"] == {"step": 2}


def test_a_message_goes_to_the_log(context, table):
    context.say("the clip was there already")
    assert table.events(context.job.job_id)[-1].data == {"message": "the clip was there already"}


def test_work_that_is_to_stop_learns_it_at_its_next_word(context, stop):
    context.check()
    stop.set(StopReason.WISH)
    for call in (
        context.check,
        lambda: context.progress("a", 0.5),
        lambda: context.say("x"),
        lambda: context.tell(x=1),
    ):
        with pytest.raises(JobStopped, match="wish"):
            call()


def test_stopping_is_no_exception_that_work_would_catch(context, stop):
    stop.set(StopReason.DOWN)
    with pytest.raises(JobStopped):
        try:
            context.check()
        except Exception as error:
            raise AssertionError("work went on") from error


def test_the_first_reason_stays_except_that_a_lost_lease_is_lost(stop):
    assert stop.reason is None
    assert not stop.wait(0)
    stop.set(StopReason.WISH)
    stop.set(StopReason.HALTED)
    assert stop.reason is StopReason.WISH
    stop.set(StopReason.LOST)
    assert (stop.reason, stop.wait(0)) == (StopReason.LOST, True)


def test_the_kill_switch_stops_work_without_waiting_for_the_heartbeat(context, stop, table, clock):
    halted = JobContext(table, context.job, Settings(), stop, halted=lambda: "too hot", clock=clock)
    with pytest.raises(JobStopped):
        halted.check()
    assert stop.reason is StopReason.HALTED


def test_who_has_lost_the_job_writes_nothing_and_stops(context, table, stop):
    table.lose(context.job.job_id, context.job.token, reason="silent")
    before = table.get(context.job.job_id)
    with pytest.raises(JobStopped, match="lost"):
        context.progress("a", 0.9)
    assert stop.reason is StopReason.LOST
    assert table.get(context.job.job_id) == before


def test_a_job_has_a_folder_of_its_own(context, table):
    assert context.folder == job_folder(table.workspace, context.job.job_id)
    assert context.folder.is_dir()
