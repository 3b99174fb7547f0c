"""The jobs of a workspace, as rows of its database: in the file of the journal, and as durable as the events.

Every change reads a row, applies one of the :mod:`~reactor_core.jobs.rules` and writes the row and the job's log in
one transaction, so two processes cannot both be given a job, and one that has lost it writes nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw
import msgspec

from reactor_core.errors import ConfigError, JobConflict, NotFound
from reactor_core.events.doorbell import Doorbell
from reactor_core.events.schema import JOURNAL_NAME, connect, journal_errors, migrate
from reactor_core.jobs import rules
from reactor_core.jobs.job import Failure, Job, JobEvent, JobState, Owner, Wish
from reactor_core.jobs.rows import COLUMNS, SELECT, fields_of, read_row, row_of
from reactor_core.utils.canonical import content_hash
from reactor_core.utils.clock import Clock, SystemClock
from reactor_core.utils.ids import new_id

__all__ = ["BELL", "KEPT_PROGRESS", "LEASE_SECONDS", "JobTable"]

LEASE_SECONDS = 15.0
"""How long a worker may be silent before its job is given to another one."""
KEPT_PROGRESS = 500
"""Progress events of a job that are kept, the newest; states and messages all are."""
BELL = "jobs.bell"
"""File name of the bell that rings after each change; see :class:`~reactor_core.events.doorbell.Doorbell`."""

_MAX_KEY = 200


class JobTable:
    """The jobs of one workspace. Every method may be called from any thread, and by any number of processes.

    Each raises JournalError, or StorageFull, where the database cannot be read or written.

    Args:
        workspace: Folder of ``reactor.db``; made if absent.
        clock: Time of leases and records; leases of several processes are compared, so it is the wall clock.
        lease_seconds: How long an owner may be silent.
    """

    def __init__(self, workspace: Path, *, clock: Clock | None = None, lease_seconds: float = LEASE_SECONDS) -> None:
        self.workspace = Path(workspace)
        self.path = self.workspace / JOURNAL_NAME
        self.bell = Doorbell(self.workspace, name=BELL)
        self.lease_seconds = lease_seconds
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._db = connect(self.path)
        try:
            migrate(self._db, self.path)
        except BaseException:
            self._db.close()
            raise

    def submit(
        self,
        kind: str,
        spec: Mapping[str, Any],
        *,
        idempotency_key: str | None = None,
        max_attempts: int = 3,
        asked_by: str = "",
    ) -> tuple[Job, bool]:
        """Add a job, or find the one that an earlier submission with the same key added.

        Args:
            kind: What sort of work it is; that it exists is not checked here.
            spec: JSON values.
            idempotency_key: At most 200 characters; None adds a job in any case.
            max_attempts: How often it may be tried.
            asked_by: Who submits it.

        Returns:
            The job, and whether it is new.

        Raises:
            ConfigError: The key is empty or too long, or ``max_attempts`` is below 1.
            JobConflict: The key belongs to a job of another kind or spec.
        """
        if idempotency_key is not None and not 1 <= len(idempotency_key) <= _MAX_KEY:
            raise ConfigError(f"an idempotency key has 1 to {_MAX_KEY} characters, not {len(idempotency_key)}")
        if max_attempts < 1:
            raise ConfigError(f"max_attempts={max_attempts} is too small", remedy="use 1 or more")
        hash_ = content_hash({"kind": kind, "spec": dict(spec)})
        with self._change() as db:
            if idempotency_key is not None:
                row = db.execute(f"{SELECT} WHERE idempotency_key = ?", (idempotency_key,)).fetchone()
                if row is not None:
                    known = read_row(row)
                    if known.spec_hash != hash_:
                        raise JobConflict(
                            f"the idempotency key {idempotency_key!r} belongs to job {known.job_id}, which asks for "
                            "something else",
                            remedy="send a new key with a new request",
                        )
                    return known, False
            now = self._now_us()
            job = Job(
                job_id=new_id(),
                kind=kind,
                spec=dict(spec),
                spec_hash=hash_,
                idempotency_key=idempotency_key,
                asked_by=asked_by,
                max_attempts=max_attempts,
                created_us=now,
                changed_us=now,
                not_before_us=now,
            )
            job = self._log(db, job, (("state", {"state": "queued", "phase": "", "progress": 0.0, "attempts": 0}),))
            db.execute(
                f"INSERT INTO jobs (fields, {', '.join(COLUMNS)}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",  # noqa: S608
                row_of(job),
            )
        return job, True

    def get(self, job_id: str) -> Job:
        """One job, by its id.

        Raises:
            NotFound: There is none.
        """
        with self._lock, journal_errors(self.path):
            return self._find(self._db, job_id)

    def find(self, beginning: str) -> Job:
        """One job, by the beginning or the end of its id.

        Ids that were made at the same time begin alike, so people use their ends.

        Raises:
            NotFound: There is none, or there are several.
        """
        with self._lock, journal_errors(self.path):
            rows = self._db.execute(
                f"{SELECT} WHERE substr(job_id, 1, length(?1)) = ?1 OR substr(job_id, -length(?1)) = ?1 LIMIT 2",
                (beginning,),
            ).fetchall()
        if beginning and len(rows) == 1:
            return read_row(rows[0])
        what = "several jobs are" if beginning and rows else "no job is"
        raise NotFound(f"{what} called {beginning!r:.80}", remedy="reactor jobs list")

    def jobs(
        self,
        *,
        states: Iterable[JobState | str] | None = None,
        kinds: Iterable[str] | None = None,
        before: str | None = None,
        limit: int = 100,
    ) -> list[Job]:
        """The newest jobs first.

        Args:
            states: In one of these; None for all.
            kinds: Of one of these; None for all.
            before: Older than the job with this id.
            limit: At most so many.
        """
        where, values = ["1"], list[Any]()
        for name, wanted in (("state", states), ("kind", kinds)):
            if wanted is not None:
                chosen = [str(each) for each in wanted]
                where.append(f"{name} IN ({', '.join('?' * len(chosen))})")
                values += chosen
        if before is not None:
            where.append("job_id < ?")
            values.append(before)
        with self._lock, journal_errors(self.path):
            rows = self._db.execute(
                f"{SELECT} WHERE {' AND '.join(where)} ORDER BY job_id DESC LIMIT ?", (*values, limit)
            ).fetchall()
        return [read_row(row) for row in rows]

    def claim(self, owner: Owner, *, kinds: Iterable[str] | None = None) -> Job | None:
        """Take the oldest job that waits and may be tried now; None if there is none.

        Args:
            owner: Who takes it.
            kinds: Of one of these; None for any.
        """
        chosen = None if kinds is None else list(kinds)
        of_kind = "" if chosen is None else f" AND kind IN ({', '.join('?' * len(chosen))})"
        # Only a job that was taken is rung for: who looks in vain would wake himself to look again, and so on for ever.
        with self._change(ring=False) as db:
            now = self._now_us()
            row = db.execute(
                f"{SELECT} WHERE state = 'queued' AND not_before_us <= ?{of_kind} ORDER BY created_us, job_id LIMIT 1",
                (now, *(chosen or ())),
            ).fetchone()
            if row is None:
                return None
            taken = self._store(db, rules.claim(read_row(row), owner, now_us=now, lease_us=self._lease_us))
        self.bell.ring()
        return taken

    def next_due(self) -> float | None:
        """Seconds until the first of the waiting jobs may be taken, 0 if it may be now; None if none waits."""
        with self._lock, journal_errors(self.path):
            due = self._db.execute("SELECT min(not_before_us) FROM jobs WHERE state = 'queued'").get
        return None if due is None else max(0.0, (due - self._now_us()) / 1e6)

    def held(self) -> list[Job]:
        """Every job that somebody works on."""
        return self.jobs(states=[JobState.RUNNING], limit=10_000)

    def count(self, state: JobState | str) -> int:
        """How many jobs are in a state."""
        with self._lock, journal_errors(self.path):
            return int(self._db.execute("SELECT count(*) FROM jobs WHERE state = ?", (str(state),)).get)

    def silent(self, job: Job) -> bool:
        """Whether the lease of a running job has run out."""
        return self._now_us() >= job.lease_until_us

    # What the owner of a job may do, by the token of his lease; each raises LeaseLost where he is that no more.

    def take_over(self, job_id: str, token: int, owner: Owner) -> Job:
        """Hand the lease on to another process."""
        return self._apply(
            job_id, lambda job, now: rules.take_over(job, token, owner, now_us=now, lease_us=self._lease_us)
        )

    def beat(self, job_id: str, token: int) -> Job:
        """Say that the owner lives; the answer carries what is wished."""
        return self._apply(
            job_id, lambda job, now: rules.beat(job, token, now_us=now, lease_us=self._lease_us), ring=False
        )

    def advance(
        self, job_id: str, token: int, *, phase: str, progress: float, facts: Mapping[str, Any] | None = None
    ) -> Job:
        """Say how far it is, and what else there is to say: JSON values by name."""
        return self._apply(
            job_id, lambda job, _: rules.advance(job, token, phase=phase, progress=progress, facts=facts)
        )

    def tell(self, job_id: str, token: int, facts: Mapping[str, Any]) -> Job:
        """Say what else there is to say, JSON values by name."""
        return self._apply(job_id, lambda job, _: rules.tell(job, token, facts))

    def note(self, job_id: str, token: int, message: str) -> Job:
        """Add a message to its log."""
        return self._apply(job_id, lambda job, _: rules.note(job, token, message))

    def succeed(self, job_id: str, token: int, result: Mapping[str, Any]) -> Job:
        """End it with a result, JSON values."""
        return self._apply(job_id, lambda job, now: rules.succeed(job, token, now_us=now, result=dict(result)))

    def fail(self, job_id: str, token: int, failure: Failure) -> Job:
        """End an attempt; see :func:`reactor_core.jobs.rules.fail`."""
        return self._apply(job_id, lambda job, now: rules.fail(job, token, now_us=now, failure=failure))

    def pause_held(self, job_id: str, token: int, *, reason: str) -> Job:
        """Put it down until somebody resumes it."""
        return self._apply(job_id, lambda job, now: rules.pause(job, token, now_us=now, reason=reason))

    def put_down(self, job_id: str, token: int, *, wait_seconds: float = 0.0) -> Job:
        """End the work as it is wished, or leave it to somebody else, after so many seconds, if nothing is."""
        wait_us = int(wait_seconds * 1e6)
        return self._apply(job_id, lambda job, now: rules.put_down(job, token, now_us=now, wait_us=wait_us))

    def lose(self, job_id: str, token: int, *, reason: str) -> Job:
        """Take it from an owner who is dead."""
        return self._apply(job_id, lambda job, now: rules.lose(job, token, now_us=now, reason=reason))

    # What anybody may ask; each raises NotFound, and JobConflict where the state does not allow it.

    def cancel(self, job_id: str) -> Job:
        """End it: at once if nobody works on it, else as soon as its worker has put it down."""
        return self._apply(job_id, lambda job, now: rules.ask(job, Wish.CANCEL, now_us=now))

    def pause(self, job_id: str) -> Job:
        """Let it stand still, as :meth:`cancel`."""
        return self._apply(job_id, lambda job, now: rules.ask(job, Wish.PAUSE, now_us=now))

    def resume(self, job_id: str) -> Job:
        """Let it go on, or try it again."""
        return self._apply(job_id, lambda job, now: rules.resume(job, now_us=now))

    def delete(self, job_id: str) -> None:
        """Forget a job that has ended, with its log and its key."""
        with self._change() as db:
            job = self._find(db, job_id)
            if not job.ended:
                raise JobConflict(f"job {job_id} is {job.state}", remedy="cancel it first")
            db.execute("DELETE FROM job_events WHERE job_id = ?", (job_id,))
            db.execute("DELETE FROM jobs WHERE job_id = ?", (job_id,))

    def events(self, job_id: str, *, after: int = 0, limit: int = 1000) -> list[JobEvent]:
        """A job's log behind a number, in order. Old progress is thrown away, so numbers may be missing.

        Raises:
            NotFound: There is no such job.
        """
        with self._lock, journal_errors(self.path):
            rows: list[tuple[Any, ...]] = self._db.execute(
                "SELECT seq, ts_us, type, data FROM job_events WHERE job_id = ? AND seq > ? ORDER BY seq LIMIT ?",
                (job_id, after, limit),
            ).fetchall()
            if not rows:
                self._find(self._db, job_id)
        return [JobEvent(seq, ts_us, kind, msgspec.json.decode(data)) for seq, ts_us, kind, data in rows]

    def close(self) -> None:
        """Close the file. Calling it again does nothing."""
        with self._lock:
            self._db.close()
        self.bell.close()

    def __enter__(self) -> JobTable:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def _lease_us(self) -> int:
        return int(self.lease_seconds * 1e6)

    def _now_us(self) -> int:
        return int(self._clock.utc_now().timestamp() * 1e6)

    @contextmanager
    def _change(self, *, ring: bool = True) -> Iterator[apsw.Connection]:
        """A transaction that may write, and the bell behind it."""
        with self._lock, journal_errors(self.path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            finally:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
        if ring:
            self.bell.ring()

    def _apply(self, job_id: str, rule: Callable[[Job, int], rules.Change], *, ring: bool = True) -> Job:
        with self._change(ring=ring) as db:
            return self._store(db, rule(self._find(db, job_id), self._now_us()))

    def _find(self, db: apsw.Connection, job_id: str) -> Job:
        row = db.execute(f"{SELECT} WHERE job_id = ?", (job_id,)).fetchone()
        if row is None:
            raise NotFound(f"no job is called {job_id!r:.80}", remedy="reactor jobs list")
        return read_row(row)

    def _store(self, db: apsw.Connection, change: rules.Change) -> Job:
        job = self._log(db, *change)
        db.execute(
            "UPDATE jobs SET fields = ?, state = ?, not_before_us = ?, lease_until_us = ?, token = ?, events = ? "
            "WHERE job_id = ?",
            (fields_of(job), job.state, job.not_before_us, job.lease_until_us, job.token, job.events, job.job_id),
        )
        return job

    def _log(self, db: apsw.Connection, job: Job, told: Iterable[tuple[str, dict[str, Any]]]) -> Job:
        for kind, data in told:
            job = msgspec.structs.replace(job, events=job.events + 1)
            db.execute(
                "INSERT INTO job_events VALUES (?,?,?,?,?)",
                (job.job_id, job.events, self._now_us(), kind, msgspec.json.encode(data).decode()),
            )
            if kind == "progress" and job.events % 64 == 0:  # now and then is often enough
                db.execute(
                    "DELETE FROM job_events WHERE job_id = ?1 AND type = 'progress' AND seq <= ?2",
                    (job.job_id, job.events - KEPT_PROGRESS),
                )
        return job
