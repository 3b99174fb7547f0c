"""How a job changes: each rule takes a job and gives the changed one and what its log says. No clock, no database.

Whoever works on a job shows the token of his lease with each change. The token grows whenever the job is given to
somebody or taken away, so one who was thought dead and is not can change nothing any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from reactor_core.errors import JobConflict, LeaseLost
from reactor_core.jobs.job import ENDED, ErrorType, Failure, Job, JobState, Owner, Wish

__all__ = [
    "BACKOFF_SECONDS",
    "Change",
    "advance",
    "ask",
    "beat",
    "claim",
    "fail",
    "lose",
    "note",
    "pause",
    "put_down",
    "resume",
    "retry_delay",
    "succeed",
    "take_over",
    "tell",
]

Change = tuple[Job, tuple[tuple[str, dict[str, Any]], ...]]
"""The changed job, and type and data of the events that its log gets."""

BACKOFF_SECONDS = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 60.0)
"""How long a job waits after its first, second ... failed attempt; the last one holds from then on."""


def retry_delay(attempts: int) -> float:
    """Seconds until a job is tried again after so many attempts."""
    return BACKOFF_SECONDS[min(max(attempts, 1), len(BACKOFF_SECONDS)) - 1]


def claim(job: Job, owner: Owner, *, now_us: int, lease_us: int) -> Change:
    """Give a waiting job to an owner."""
    if job.state is not JobState.QUEUED or now_us < job.not_before_us:
        raise JobConflict(f"job {job.job_id} is {job.state} and cannot be taken")
    return _moved(
        job,
        JobState.RUNNING,
        now_us,
        owner=owner,
        lease_until_us=now_us + lease_us,
        attempts=job.attempts + 1,
        found_at=job.progress,
        started_us=job.started_us or now_us,
    )


def take_over(job: Job, token: int, owner: Owner, *, now_us: int, lease_us: int) -> Change:
    """Hand a lease on to another process of the same owner: from who started the worker to the worker."""
    _held(job, token)
    return msgspec.structs.replace(job, owner=owner, lease_until_us=now_us + lease_us), ()


def beat(job: Job, token: int, *, now_us: int, lease_us: int) -> Change:
    """The owner lives."""
    _held(job, token)
    return msgspec.structs.replace(job, lease_until_us=max(job.lease_until_us, now_us + lease_us)), ()


def advance(job: Job, token: int, *, phase: str, progress: float, facts: Mapping[str, Any] | None = None) -> Change:
    """The owner has come further, and may have more to say.

    Progress that would go back stays where it was, and so do facts of other names.
    """
    _held(job, token)
    reached, known = min(max(job.progress, progress), 1.0), {**job.facts, **(facts or {})}
    if (phase, reached, known) == (job.phase, job.progress, job.facts):
        return job, ()
    told: dict[str, Any] = {"phase": phase, "progress": round(reached, 4)}
    if known != job.facts:
        told["facts"] = known
    return msgspec.structs.replace(job, phase=phase, progress=reached, facts=known), (("progress", told),)


def tell(job: Job, token: int, facts: Mapping[str, Any]) -> Change:
    """The owner has something to say beside phase and progress; facts of other names stay as they are."""
    return advance(job, token, phase=job.phase, progress=job.progress, facts=facts)


def note(job: Job, token: int, message: str) -> Change:
    """The owner has something to say."""
    _held(job, token)
    return job, (("log", {"message": message}),)


def succeed(job: Job, token: int, *, now_us: int, result: dict[str, Any]) -> Change:
    """It is done. A wish that came too late is forgotten."""
    _held(job, token)
    return _moved(job, JobState.SUCCEEDED, now_us, progress=1.0, result=result, failure=None)


def fail(job: Job, token: int, *, now_us: int, failure: Failure) -> Change:
    """An attempt failed: it is tried again later, if that may help and attempts are left.

    One that came further than every attempt before it is counted as the first: long work may be hit often, and only
    what fails again and again at the same place will not succeed.
    """
    _held(job, token)
    if job.wish is Wish.CANCEL:
        return _moved(job, JobState.CANCELED, now_us)
    attempts = 1 if job.progress > job.found_at else job.attempts
    if failure.error_type is ErrorType.TERMINAL or attempts >= job.max_attempts:
        return _moved(job, JobState.FAILED, now_us, failure=failure, attempts=attempts)
    delay_us = int(retry_delay(attempts) * 1e6)
    state = JobState.PAUSED if job.wish is Wish.PAUSE else JobState.QUEUED
    return _moved(job, state, now_us, failure=failure, attempts=attempts, not_before_us=now_us + delay_us)


def pause(job: Job, token: int, *, now_us: int, reason: str) -> Change:
    """The owner has put it down in a state from which it goes on; one that is to be canceled ends instead."""
    _held(job, token)
    if job.wish is Wish.CANCEL:
        return _moved(job, JobState.CANCELED, now_us)
    moved, ((kind, data),) = _moved(job, JobState.PAUSED, now_us, attempts=max(0, job.attempts - 1))
    return moved, ((kind, {**data, "reason": reason}),)


def put_down(job: Job, token: int, *, now_us: int, wait_us: int = 0) -> Change:
    """The owner stops in a state from which the job goes on: as it is wished, or else for somebody else to go on.

    It was no attempt.

    Args:
        job: The job.
        token: Of the owner's lease.
        now_us: The time.
        wait_us: How long nobody takes it.
    """
    _held(job, token)
    if job.wish is Wish.CANCEL:
        return _moved(job, JobState.CANCELED, now_us)
    if job.wish is Wish.PAUSE:
        return pause(job, token, now_us=now_us, reason="asked")
    return _moved(job, JobState.QUEUED, now_us, attempts=job.attempts - 1, not_before_us=now_us + wait_us)


def lose(job: Job, token: int, *, now_us: int, reason: str) -> Change:
    """The owner is dead or was silent for too long. Make sure of the former first."""
    _held(job, token)
    if job.wish is Wish.PAUSE:
        return pause(job, token, now_us=now_us, reason="asked")
    return fail(job, token, now_us=now_us, failure=Failure("WorkerLost", reason, ErrorType.RETRYABLE))


def ask(job: Job, wish: Wish, *, now_us: int) -> Change:
    """Somebody wants it to end or to stand still. One that nobody has obeys at once; asking again changes nothing.

    Raises:
        JobConflict: It has ended otherwise, or is to be paused while it is canceled.
    """
    goal = JobState.CANCELED if wish is Wish.CANCEL else JobState.PAUSED
    if job.state is goal or job.wish is wish:
        return job, ()
    if job.state in ENDED:
        raise JobConflict(f"job {job.job_id} is {job.state} already")
    if job.state is not JobState.RUNNING:
        return _moved(job, goal, now_us)
    if job.wish is Wish.CANCEL:
        raise JobConflict(f"job {job.job_id} is being canceled")
    return msgspec.structs.replace(job, wish=wish, wish_us=now_us), (("state", _told(job, asked_to=str(wish))),)


def resume(job: Job, *, now_us: int) -> Change:
    """Let a paused job go on, or try a failed one again that may succeed. One that goes on anyway is left alone.

    Raises:
        JobConflict: It cannot.
    """
    if job.state is JobState.RUNNING and job.wish is Wish.PAUSE:
        return msgspec.structs.replace(job, wish=Wish.NONE, wish_us=0), (("state", _told(job)),)
    if job.state in (JobState.QUEUED, JobState.RUNNING) and job.wish is Wish.NONE:
        return job, ()
    again = job.state is JobState.FAILED and job.failure and job.failure.error_type is ErrorType.RETRYABLE
    if job.state is not JobState.PAUSED and not again:
        why = "being canceled" if job.wish is Wish.CANCEL else job.state
        raise JobConflict(f"job {job.job_id} is {why} and cannot go on", remedy="submit it anew")
    return _moved(job, JobState.QUEUED, now_us, attempts=0, not_before_us=now_us, failure=None)


def _held(job: Job, token: int) -> None:
    if job.state is not JobState.RUNNING or job.token != token:
        raise LeaseLost(f"job {job.job_id} is {job.state} and no longer held with token {token}")


def _moved(job: Job, state: JobState, now_us: int, **changes: Any) -> Change:
    """A change of state ends the lease, or begins one, and answers every wish."""
    if state is not JobState.RUNNING:
        changes |= {"owner": None, "lease_until_us": 0}
    ended = now_us if state in ENDED else None
    moved = msgspec.structs.replace(
        job,
        **{"wish": Wish.NONE, "wish_us": 0, **changes},
        state=state,
        changed_us=now_us,
        ended_us=ended,
        token=job.token + 1,
    )
    return moved, (("state", _told(moved)),)


def _told(job: Job, **more: Any) -> dict[str, Any]:
    told: dict[str, Any] = {
        "state": str(job.state),
        "phase": job.phase,
        "progress": round(job.progress, 4),
        "attempts": job.attempts,
        **more,
    }
    if job.failure is not None and job.state is not JobState.RUNNING:
        told["error"] = msgspec.to_builtins(job.failure)
    return told
