from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.reactor_core.jobs.conftest import OWNER, Turned

from reactor_core.errors import ConfigError, JobConflict, LeaseLost, NotFound
from reactor_core.events import Journal
from reactor_core.jobs import table as table_module
from reactor_core.jobs.job import ErrorType, Failure, JobState, Owner
from reactor_core.jobs.table import JobTable


def test_the_jobs_are_in_the_file_of_the_journal(table, tmp_path):
    job, new = table.submit("k", {"n": 1}, asked_by="me")
    assert new
    with Journal(table.path) as journal:
        assert journal.head().seq == 0
    with JobTable(tmp_path / "workspace") as other:
        assert other.get(job.job_id) == job
        assert [event.data["state"] for event in other.events(job.job_id)] == ["queued"]


def test_an_idempotency_key_finds_the_same_job_however_it_stands(table):
    first, new = table.submit("k", {"n": 1}, idempotency_key="abc")
    held = table.claim(OWNER)
    assert held is not None
    table.succeed(held.job_id, held.token, {"done": 1})
    again, new = table.submit("k", {"n": 1}, idempotency_key="abc", asked_by="another")
    assert (again.job_id, again.state, new) == (first.job_id, JobState.SUCCEEDED, False)
    for kind, spec in (("k", {"n": 2}), ("other", {"n": 1})):
        with pytest.raises(JobConflict, match=first.job_id):
            table.submit(kind, spec, idempotency_key="abc")
    assert table.submit("k", {"n": 1})[0].job_id != first.job_id


@pytest.mark.parametrize("options", [{"idempotency_key": ""}, {"idempotency_key": "x" * 201}, {"max_attempts": 0}])
def test_options_that_cannot_be_used(table, options):
    with pytest.raises(ConfigError):
        table.submit("k", {}, **options)


def test_the_oldest_job_of_a_kind_is_taken_first(table, clock):
    made = []
    for kind in ("a", "b", "a"):
        made.append(table.submit(kind, {})[0].job_id)
        clock.turn(1)
    assert [table.claim(OWNER, kinds=["b"]).job_id, table.claim(OWNER).job_id] == [made[1], made[0]]
    assert table.claim(OWNER, kinds=["b"]) is None
    assert {job.job_id for job in table.held()} == set(made[:2])


def test_a_failed_attempt_waits(table, clock):
    table.submit("k", {})
    job = table.claim(OWNER)
    assert table.next_due() is None
    table.fail(job.job_id, job.token, Failure("E", "m", ErrorType.RETRYABLE))
    assert (table.claim(OWNER), table.next_due()) == (None, 1.0)
    clock.turn(1)
    assert table.next_due() == 0
    assert table.claim(OWNER).attempts == 2


def test_a_lease_runs_out_unless_its_owner_is_heard(table, clock):
    table.submit("k", {})
    job = table.claim(OWNER)
    clock.turn(table.lease_seconds - 1)
    job = table.beat(job.job_id, job.token)
    clock.turn(table.lease_seconds - 1)
    assert not table.silent(table.get(job.job_id))
    clock.turn(1)
    assert table.silent(table.get(job.job_id))
    other = Owner("here", 2, 2.0)
    assert table.take_over(job.job_id, job.token, other).owner == other
    assert not table.silent(table.get(job.job_id))


def test_messages_and_progress_are_numbered_and_old_progress_goes(table, monkeypatch):
    monkeypatch.setattr(table_module, "KEPT_PROGRESS", 10)
    table.submit("k", {})
    job = table.claim(OWNER)
    table.note(job.job_id, job.token, "begun")
    for step in range(200):
        table.advance(job.job_id, job.token, phase="p", progress=step / 200)
    events = table.events(job.job_id)
    assert [event.type for event in events[:3]] == ["state", "state", "log"]
    numbers = [event.seq for event in events]
    assert numbers == sorted(set(numbers))
    assert 10 <= len(events) <= 3 + 10 + 64
    last = events[-1].seq
    assert table.events(job.job_id, after=last - 1) == events[-1:]
    assert table.events(job.job_id, after=last) == []
    assert table.get(job.job_id).events == last


def test_jobs_are_listed_by_state_and_kind_page_by_page(table):
    made = [table.submit("ab"[n % 2], {"n": n})[0].job_id for n in range(5)]
    table.cancel(made[4])
    assert [job.job_id for job in table.jobs()] == made[::-1]
    assert [job.job_id for job in table.jobs(states=["queued"], kinds=["a"])] == [made[2], made[0]]
    page = table.jobs(limit=2)
    assert [job.job_id for job in table.jobs(limit=9, before=page[-1].job_id)] == made[2::-1]


def test_a_job_is_found_by_the_beginning_or_the_end_of_its_id(table):
    first, second = (table.submit("k", {"n": n})[0] for n in range(2))
    assert table.find(first.job_id) == first
    assert table.find(second.job_id[-12:]) == second
    for name in ("", "0", "nothing", "%"):
        with pytest.raises(NotFound):
            table.find(name)


def test_only_what_has_ended_can_be_deleted(table):
    job, _ = table.submit("k", {}, idempotency_key="abc")
    with pytest.raises(JobConflict):
        table.delete(job.job_id)
    table.cancel(job.job_id)
    table.delete(job.job_id)
    for ask in (table.get, table.events, table.cancel, table.resume, table.pause, table.delete):
        with pytest.raises(NotFound):
            ask(job.job_id)
    assert table.submit("k", {}, idempotency_key="abc")[1]


def test_a_change_that_is_refused_leaves_nothing(table):
    table.submit("k", {})
    job = table.claim(OWNER)
    with pytest.raises(TypeError):
        table.succeed(job.job_id, job.token, {"not": {1, 2}.__iter__()})
    assert table.get(job.job_id) == job
    assert len(table.events(job.job_id)) == job.events


def test_many_who_take_at_once_take_each_job_once(table):
    made = {table.submit("k", {"n": n})[0].job_id for n in range(40)}
    taken: list[str] = []

    def take(number: int) -> None:
        with JobTable(table.workspace, clock=table._clock) as own:
            while (job := own.claim(Owner("here", number, 0.0))) is not None:
                taken.append(job.job_id)

    threads = [threading.Thread(target=take, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(taken), set(taken)) == (40, made)


class Laws(RuleBasedStateMachine):
    """Workers that come, work, fall silent and come back, and people who ask for things, in any order.

    Every worker remembers the lease that it was given, and uses it for as long as it likes.
    """

    folder: Path
    made = 0

    def __init__(self) -> None:
        super().__init__()
        Laws.made += 1
        self.clock = Turned()
        self.table = JobTable(self.folder / str(Laws.made), clock=self.clock)
        self.leases: list[tuple[str, int]] = []
        self.owners: dict[str, int] = {}  # who holds each job, by the last token that was given
        self.keys: dict[str, str] = {}
        self.reached: dict[str, float] = {}
        self.workers = 0

    @rule(key=st.sampled_from("xyz"))
    def submit(self, key: str) -> None:
        job, new = self.table.submit("k", {"key": key}, idempotency_key=key, max_attempts=2)
        assert new == (key not in self.keys)
        assert self.keys.setdefault(key, job.job_id) == job.job_id

    @rule()
    def claim(self) -> None:
        self.workers += 1
        job = self.table.claim(Owner("here", self.workers, 0.0))
        if job is not None:
            assert job.job_id not in self.owners, "somebody has it"
            self.owners[job.job_id] = job.token
            self.leases.append((job.job_id, job.token))

    @precondition(lambda self: self.leases)
    @rule(data=st.data(), how=st.sampled_from(["beat", "advance", "succeed", "fail", "break", "down", "halt"]))
    def work(self, data: st.DataObject, how: str) -> None:
        job_id, token = data.draw(st.sampled_from(self.leases))
        before = self.table.get(job_id)
        calls = {
            "beat": lambda: self.table.beat(job_id, token),
            "advance": lambda: self.table.advance(
                job_id, token, phase="p", progress=data.draw(st.floats(0, 1, allow_nan=False))
            ),
            "succeed": lambda: self.table.succeed(job_id, token, {}),
            "fail": lambda: self.table.fail(job_id, token, Failure("E", "m", ErrorType.RETRYABLE)),
            "break": lambda: self.table.fail(job_id, token, Failure("E", "m", ErrorType.TERMINAL)),
            "down": lambda: self.table.put_down(job_id, token),
            "halt": lambda: self.table.pause_held(job_id, token, reason="halted"),
        }
        if self.owners.get(job_id) == token:
            calls[how]()
            if how not in ("beat", "advance"):
                del self.owners[job_id]
        else:
            with pytest.raises(LeaseLost):
                calls[how]()
            assert self.table.get(job_id) == before, "a stale lease wrote something"

    @precondition(lambda self: self.owners)
    @rule()
    def take_from_the_silent(self) -> None:
        for job in self.table.held():
            assert self.owners[job.job_id] == job.token
            if self.table.silent(job):
                self.table.lose(job.job_id, job.token, reason="silent")
                del self.owners[job.job_id]

    @precondition(lambda self: self.keys)
    @rule(data=st.data(), what=st.sampled_from(["cancel", "pause", "resume"]))
    def ask(self, data: st.DataObject, what: str) -> None:
        job_id = data.draw(st.sampled_from(sorted(self.keys.values())))
        before = self.table.get(job_id)
        try:
            after = getattr(self.table, what)(job_id)
        except JobConflict:
            assert self.table.get(job_id) == before
        else:
            assert after.state is not JobState.RUNNING or before.state is JobState.RUNNING

    @rule(seconds=st.sampled_from([0.5, 2.0, 20.0]))
    def wait(self, seconds: float) -> None:
        self.clock.turn(seconds)

    @invariant()
    def holds(self) -> None:
        jobs = {job.job_id: job for job in self.table.jobs()}
        assert set(jobs) == set(self.keys.values())
        assert {job_id for job_id, job in jobs.items() if job.state is JobState.RUNNING} == set(self.owners)
        for job_id, job in jobs.items():
            assert (job.owner is None) == (job.state is not JobState.RUNNING)
            assert job.attempts <= job.max_attempts
            assert job.progress >= self.reached.get(job_id, 0.0), "progress went back"
            self.reached[job_id] = job.progress
            assert job.ended == (job.ended_us is not None)

    def teardown(self) -> None:
        self.table.close()


def test_the_laws_hold_in_any_order(tmp_path):
    Laws.folder = tmp_path
    run = settings(
        max_examples=25, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    run_state_machine_as_test(Laws, settings=run)


def test_who_looks_for_work_in_vain_wakes_nobody(table):
    """A supervisor that woke itself by looking would look for ever, and its server would never rest."""

    def rang() -> bool:
        later = table.bell.path.stat().st_mtime > 0
        os.utime(table.bell.path, (0, 0))
        return later

    table.submit("k", {})
    assert rang()
    assert table.claim(OWNER, kinds=["another"]) is None
    assert not rang()
    assert table.claim(OWNER) is not None
    assert rang()
