from __future__ import annotations

import pytest

from reactor_core.errors import JobConflict, LeaseLost
from reactor_core.jobs import rules
from reactor_core.jobs.job import ErrorType, Failure, Job, JobState, Owner, Wish

OWNER = Owner("here", 7, 1.0)
SECOND = 1_000_000
LATER = Failure("ProviderError", "busy", ErrorType.RETRYABLE)
NEVER = Failure("SpecError", "odd", ErrorType.TERMINAL)


def queued(**more: object) -> Job:
    return Job(job_id="j", kind="k", spec={}, spec_hash="h", created_us=0, changed_us=0, **more)


def running(**more: object) -> Job:
    job, _ = rules.claim(queued(**more), OWNER, now_us=SECOND, lease_us=SECOND)
    return job


def test_who_takes_a_job_holds_it_under_a_new_token():
    job, told = rules.claim(queued(token=4), OWNER, now_us=SECOND, lease_us=2 * SECOND)
    assert (job.state, job.token, job.owner, job.attempts) == (JobState.RUNNING, 5, OWNER, 1)
    assert (job.lease_until_us, job.started_us) == (3 * SECOND, SECOND)
    assert told == (("state", {"state": "running", "phase": "", "progress": 0.0, "attempts": 1}),)


@pytest.mark.parametrize("job", [running(), queued(not_before_us=2 * SECOND), queued(state=JobState.PAUSED)])
def test_only_a_waiting_job_whose_time_has_come_is_given_away(job):
    with pytest.raises(JobConflict):
        rules.claim(job, OWNER, now_us=SECOND, lease_us=SECOND)


@pytest.mark.parametrize(
    "write",
    [
        lambda job, token: rules.beat(job, token, now_us=0, lease_us=1),
        lambda job, token: rules.take_over(job, token, OWNER, now_us=0, lease_us=1),
        lambda job, token: rules.advance(job, token, phase="x", progress=0.1),
        lambda job, token: rules.tell(job, token, {"step": 1}),
        lambda job, token: rules.note(job, token, "x"),
        lambda job, token: rules.succeed(job, token, now_us=0, result={}),
        lambda job, token: rules.fail(job, token, now_us=0, failure=NEVER),
        lambda job, token: rules.pause(job, token, now_us=0, reason="x"),
        lambda job, token: rules.put_down(job, token, now_us=0),
        lambda job, token: rules.lose(job, token, now_us=0, reason="x"),
    ],
)
def test_a_stale_token_changes_nothing(write):
    job = running()
    write(job, job.token)  # the right one may
    for stale in (job.token - 1, job.token + 1):
        with pytest.raises(LeaseLost):
            write(job, stale)
    ended, _ = rules.succeed(job, job.token, now_us=0, result={})
    for token in (job.token, ended.token):
        with pytest.raises(LeaseLost):
            write(ended, token)


def test_progress_never_goes_back_and_a_new_phase_is_told():
    job = running()
    job, told = rules.advance(job, job.token, phase="encode", progress=0.5)
    assert told == (("progress", {"phase": "encode", "progress": 0.5}),)
    job, told = rules.advance(job, job.token, phase="encode", progress=0.2)
    assert (job.progress, told) == (0.5, ())
    job, told = rules.advance(job, job.token, phase="encode", progress=0.2, facts={"step": 1})
    assert told == (("progress", {"phase": "encode", "progress": 0.5, "facts": {"step": 1}}),)
    job, told = rules.advance(job, job.token, phase="score", progress=7.0)
    assert (job.progress, job.facts, len(told)) == (1.0, {"step": 1}, 1)


def test_facts_are_added_to_those_that_are_known_and_told_once():
    job = running()
    job, told = rules.tell(job, job.token, {"step": 1, "loss": 2.5})
    assert told == (("progress", {"phase": "", "progress": 0.0, "facts": {"step": 1, "loss": 2.5}}),)
    job, _ = rules.tell(job, job.token, {"step": 2})
    assert job.facts == {"step": 2, "loss": 2.5}
    assert rules.tell(job, job.token, {"step": 2}) == (job, ())


def test_what_may_succeed_later_is_tried_again_after_growing_delays():
    job, now = queued(max_attempts=3), 0
    delays = []
    while job.state is JobState.QUEUED:
        now = max(now, job.not_before_us)
        job, _ = rules.claim(job, OWNER, now_us=now, lease_us=SECOND)
        job, _ = rules.fail(job, job.token, now_us=now, failure=LATER)
        delays.append((job.not_before_us - now) / SECOND)
    assert delays[:2] == [1.0, 2.0]
    assert (job.state, job.attempts, job.failure) == (JobState.FAILED, 3, LATER)
    again, _ = rules.resume(job, now_us=now)
    assert (again.state, again.attempts, again.failure) == (JobState.QUEUED, 0, None)


def test_an_attempt_that_came_further_is_the_first_one_again():
    job = queued(max_attempts=2)
    for share, attempts, state in ((0.2, 1, "queued"), (0.4, 1, "queued"), (0.4, 2, "failed")):
        job, _ = rules.claim(job, OWNER, now_us=job.not_before_us, lease_us=SECOND)
        job, _ = rules.advance(job, job.token, phase="train", progress=share)
        job, _ = rules.lose(job, job.token, now_us=0, reason="killed")
        assert (job.attempts, job.state) == (attempts, state)


def test_a_job_that_is_put_down_may_wait():
    job, _ = rules.put_down(running(), 1, now_us=SECOND, wait_us=5 * SECOND)
    assert (job.state, job.attempts, job.not_before_us) == (JobState.QUEUED, 0, 6 * SECOND)


def test_delays_stop_growing():
    assert [rules.retry_delay(n) for n in (1, 2, 7, 8, 1000)] == [1.0, 2.0, 60.0, 60.0, 60.0]


def test_what_cannot_succeed_ends_at_once_and_does_not_go_on():
    job = running()
    job, told = rules.fail(job, job.token, now_us=5, failure=NEVER)
    assert (job.state, job.ended_us) == (JobState.FAILED, 5)
    assert told[0][1]["error"]["error"] == "SpecError"
    with pytest.raises(JobConflict):
        rules.resume(job, now_us=6)


@pytest.mark.parametrize(("wish", "goal"), [(Wish.CANCEL, JobState.CANCELED), (Wish.PAUSE, JobState.PAUSED)])
def test_a_wish_is_granted_at_once_where_nobody_works(wish, goal):
    job, _ = rules.ask(queued(), wish, now_us=1)
    assert job.state is goal
    assert rules.ask(job, wish, now_us=2) == (job, ())


@pytest.mark.parametrize(("wish", "goal"), [(Wish.CANCEL, JobState.CANCELED), (Wish.PAUSE, JobState.PAUSED)])
def test_a_wish_reaches_who_works_and_holds_however_he_ends(wish, goal):
    job, told = rules.ask(running(), wish, now_us=1)
    assert (job.state, job.wish, told[0][1]["asked_to"]) == (JobState.RUNNING, wish, str(wish))
    ways = [
        rules.put_down(job, job.token, now_us=2),
        rules.lose(job, job.token, now_us=2, reason="dead"),
        rules.fail(job, job.token, now_us=2, failure=LATER),
        rules.pause(job, job.token, now_us=2, reason="halted"),
    ]
    assert [(after.state, after.wish, after.owner) for after, _ in ways] == [(goal, Wish.NONE, None)] * 4


def test_a_wish_that_comes_too_late_is_forgotten():
    job, _ = rules.ask(running(), Wish.CANCEL, now_us=1)
    job, _ = rules.succeed(job, job.token, now_us=2, result={"n": 1})
    assert (job.state, job.wish, job.result, job.progress) == (JobState.SUCCEEDED, Wish.NONE, {"n": 1}, 1.0)
    for wish in (Wish.CANCEL, Wish.PAUSE):
        with pytest.raises(JobConflict):
            rules.ask(job, wish, now_us=3)


def test_a_job_that_is_canceled_is_neither_paused_nor_resumed():
    job, _ = rules.ask(running(), Wish.CANCEL, now_us=1)
    with pytest.raises(JobConflict):
        rules.ask(job, Wish.PAUSE, now_us=2)
    with pytest.raises(JobConflict):
        rules.resume(job, now_us=2)


def test_a_pause_can_be_taken_back_while_it_has_not_come():
    job, _ = rules.ask(running(), Wish.PAUSE, now_us=1)
    job, _ = rules.resume(job, now_us=2)
    assert (job.state, job.wish) == (JobState.RUNNING, Wish.NONE)
    after, _ = rules.put_down(job, job.token, now_us=3)  # he had begun to put it down
    assert after.state is JobState.QUEUED


def test_standing_still_is_no_attempt():
    job = running()
    for change in (
        rules.pause(job, job.token, now_us=2, reason="halted"),
        rules.put_down(job, job.token, now_us=2),
    ):
        assert change[0].attempts == 0
    lost, _ = rules.lose(job, job.token, now_us=2, reason="dead")
    assert (lost.state, lost.attempts, lost.failure.message) == (JobState.QUEUED, 1, "dead")
