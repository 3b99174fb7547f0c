"""A job as a value: what is to be done, how far it is, who has it."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import msgspec

from reactor_core.utils.clock import to_iso

__all__ = ["ENDED", "ErrorType", "Failure", "Job", "JobEvent", "JobState", "Owner", "Wish", "moment_of"]


class JobState(StrEnum):
    """Where a job is in its life."""

    QUEUED = "queued"
    """It waits for a worker, for the first time or again."""
    RUNNING = "running"
    """A worker has it."""
    PAUSED = "paused"
    """Nobody works on it until it is resumed."""
    SUCCEEDED = "succeeded"
    """It ended with a result."""
    FAILED = "failed"
    """It ended with an error."""
    CANCELED = "canceled"
    """Somebody ended it."""


ENDED = frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELED})
"""States that no worker takes a job out of."""


class Wish(StrEnum):
    """What somebody asked of a running job."""

    NONE = ""
    CANCEL = "cancel"
    PAUSE = "pause"


class ErrorType(StrEnum):
    """Whether the same job may succeed another time."""

    RETRYABLE = "retryable"
    TERMINAL = "terminal"


class Owner(msgspec.Struct, frozen=True):
    """The process that holds a job's lease.

    Attributes:
        host: Machine, start of the machine and process namespace: where the number means this process.
        pid: Its number.
        born: When it began; numbers are used again.
    """

    host: str
    pid: int
    born: float


class Failure(msgspec.Struct, frozen=True):
    """Why an attempt ended.

    Attributes:
        error: Name of the error's class.
        message: What happened, and what to do.
        error_type: Whether it may succeed another time.
    """

    error: str
    message: str
    error_type: ErrorType


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table. Times are microseconds since 1970, UTC.

    Attributes:
        job_id: UUIDv7.
        kind: What sort of work it is, such as ``a1.clip``.
        spec: What is to be done, as the kind understands it.
        spec_hash: SHA-256 of kind and spec.
        idempotency_key: A second submission with this key finds this job; None: there is no second one.
        asked_by: Who submitted it.
        state: Where it is.
        phase: What is being done, in the kind's words; empty before it runs.
        progress: Share that is done, 0 to 1; it never goes back, also where an attempt starts again.
        facts: What else there is to say of it, in the kind's words; a later attempt finds those of the one before.
        attempts: How often a worker took it since it was submitted or resumed, or came further than any before.
        max_attempts: How often one may.
        found_at: Its progress when a worker took it last.
        created_us: When it was submitted.
        changed_us: When the state changed last.
        started_us: When a worker took it first; None before.
        ended_us: When it ended; None before.
        not_before_us: Nobody takes it before this.
        wish: What was asked of it while it runs.
        wish_us: When; 0 if nothing was.
        token: Number of the lease; grows each time the job is given to somebody or taken away.
        owner: Who has it; None if nobody has.
        lease_until_us: When the owner loses it, unless it is heard before; 0 if nobody has it.
        failure: Why the last attempt ended; None if none failed.
        result: What came of it; None before it has succeeded.
        events: Number of its last event.
    """

    job_id: str
    kind: str
    spec: dict[str, Any]
    spec_hash: str
    idempotency_key: str | None = None
    asked_by: str = ""
    state: JobState = JobState.QUEUED
    phase: str = ""
    progress: float = 0.0
    facts: dict[str, Any] = {}
    attempts: int = 0
    max_attempts: int = 3
    found_at: float = 0.0
    created_us: int
    changed_us: int
    started_us: int | None = None
    ended_us: int | None = None
    not_before_us: int = 0
    wish: Wish = Wish.NONE
    wish_us: int = 0
    token: int = 0
    owner: Owner | None = None
    lease_until_us: int = 0
    failure: Failure | None = None
    result: dict[str, Any] | None = None
    events: int = 0

    @property
    def ended(self) -> bool:
        """Whether nothing more will come of it by itself."""
        return self.state in ENDED

    def as_dict(self) -> dict[str, Any]:
        """For people and programs that ask how it stands."""
        return {
            "job_id": self.job_id,
            "kind": self.kind,
            "state": str(self.state),
            "phase": self.phase,
            "progress": round(self.progress, 4),
            "facts": self.facts,
            "attempts": self.attempts,
            "max_attempts": self.max_attempts,
            "asked_by": self.asked_by,
            "asked_to": str(self.wish) or None,
            "created": moment_of(self.created_us),
            "changed": moment_of(self.changed_us),
            "started": None if self.started_us is None else moment_of(self.started_us),
            "ended": None if self.ended_us is None else moment_of(self.ended_us),
            "error": None if self.failure is None else msgspec.to_builtins(self.failure),
            "result": self.result,
            "spec": self.spec,
        }


class JobEvent(msgspec.Struct, frozen=True):
    """One line of a job's log.

    Attributes:
        seq: Its number in the job: 1, 2, 3 and so on.
        ts_us: When, in microseconds since 1970, UTC.
        type: ``state``, ``progress`` or ``log``.
        data: What it says.
    """

    seq: int
    ts_us: int
    type: str
    data: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """For people and programs that follow the job."""
        return {"seq": self.seq, "at": moment_of(self.ts_us), "type": self.type, **self.data}


def moment_of(microseconds: int) -> str:
    """ISO 8601 in UTC."""
    return to_iso(datetime.fromtimestamp(microseconds / 1e6, UTC))
