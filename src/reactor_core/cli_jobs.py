"""``reactor jobs``: what waits, what runs, and changing one's mind."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from reactor_core.utils.command import print_json

if TYPE_CHECKING:
    from reactor_core.jobs.job import Job
    from reactor_core.jobs.table import JobTable

__all__ = ["jobs"]

jobs = App(
    name="jobs", help="Jobs of the workspace: runs that train, clips that are being made, and what else plugins can do."
)

Json = Annotated[bool, Parameter(name="--json", negative=(), help="Print one JSON object.")]
OneJob = Annotated[bool, Parameter(name="--json", negative=(), help="Print the job as one JSON object.")]
JobName = Annotated[str, Parameter(help="Its id, or the beginning or the end of it.")]
Flag = Annotated[bool, Parameter(negative=())]
State = Literal["queued", "running", "paused", "succeeded", "failed", "canceled"]
States = Annotated[tuple[State, ...], Parameter(negative=())]
Kinds = Annotated[tuple[str, ...], Parameter(negative=())]


@jobs.command(name="list")
def list_jobs(*, state: States = (), kind: str | None = None, limit: int = 20, json: Json = False) -> None:
    """List jobs, the newest last.

    Parameters
    ----------
    state
        Only those in this state. May be given several times.
    kind
        Only those of this kind, such as a1.clip.
    limit
        At most so many, the newest.
    """
    with _table() as table:
        found = table.jobs(states=state or None, kinds=None if kind is None else [kind], limit=max(1, limit))
    if json:
        print_json({"jobs": [job.as_dict() for job in reversed(found)]})
        return
    for job in reversed(found):
        print(_line(job))
    if not found:
        print("no such job; begin one: reactor train FILE --background", file=sys.stderr)


@jobs.command
def show(job: JobName, *, json: Json = False) -> None:
    """Show a job, what it says of itself, and its log."""
    with _table() as table:
        found = table.find(job)
        events = table.events(found.job_id)
    if json:
        print_json({**found.as_dict(), "events": [event.as_dict() for event in events]})
        return
    print(_line(found))
    if found.failure is not None:
        print(f"{found.failure.error} ({found.failure.error_type}): {found.failure.message}")
    for name, value in found.facts.items():
        print(f"{name}\t{value}")
    for event in events:
        told = event.as_dict()
        words = " ".join(f"{name}={value}" for name, value in event.data.items() if not isinstance(value, dict))
        print(f"{event.seq}\t{told['at']}\t{event.type}\t{words}")


@jobs.command
def submit(kind: str, spec: Path, *, idempotency_key: str | None = None, json: OneJob = False) -> None:
    """Add a job, which waits until somebody works on it.

    Parameters
    ----------
    kind
        What sort of work it is, such as train.
    spec
        File with one JSON object that says what is to be done, as the kind understands it; - reads the standard input.
    idempotency_key
        A second submission with the same key finds the job of the first.
    """
    from reactor_core.jobs.asking import read_spec, submit_job

    with _table() as table:
        added = submit_job(table, kind, read_spec(spec), idempotency_key=idempotency_key)
    _show(added, json)


@jobs.command
def cancel(job: JobName, *, json: OneJob = False) -> None:
    """End a job: at once if it waits, else as soon as its worker has put it down."""
    with _table() as table:
        asked = table.cancel(table.find(job).job_id)
    _show(asked, json)


@jobs.command
def pause(job: JobName, *, json: OneJob = False) -> None:
    """Let a job stand still; it goes on from there."""
    with _table() as table:
        asked = table.pause(table.find(job).job_id)
    _show(asked, json)


@jobs.command
def resume(job: JobName, *, background: Flag = False, json: OneJob = False) -> None:
    """Let a paused job go on, or try one again that failed and may succeed.

    Parameters
    ----------
    background
        Start a process that works on it, as reactor train --background does. Without, it waits for who works already.
    """
    from reactor_core.jobs.background import begin

    with _table() as table:
        asked = table.resume(table.find(job).job_id)
        if background:
            begin(table.workspace, [asked.kind])
    _show(asked, json)


@jobs.command
def work(*, slots: int = 1, kind: Kinds = ()) -> None:
    """Work on jobs until the command is ended; those under way are put down then, and go on with the next worker.

    Parameters
    ----------
    slots
        How many jobs at once.
    kind
        Only jobs of this kind. May be given several times.
    """
    import logging

    from reactor_core.errors import ConfigError
    from reactor_core.jobs.supervisor import Supervisor

    if slots < 1:
        raise ConfigError(f"slots={slots} is too small", remedy="use 1 or more")
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    with _table() as table:
        Supervisor(table, slots=slots, kinds=kind or None).run_until_signal()


def _table() -> JobTable:
    from reactor_core.jobs.table import JobTable
    from reactor_core.utils.settings import load_settings

    return JobTable(load_settings().workspace)


def _show(job: Job, json: bool) -> None:
    if json:
        print_json(job.as_dict())
    else:
        print(_line(job))


def _line(job: Job) -> str:
    told = job.as_dict()
    wish = f", asked to {job.wish}" if job.wish else ""
    figures = " ".join(f"{name}={value:g}" for name, value in job.facts.items() if isinstance(value, int | float))
    reached = f"{job.progress:.0%} {job.phase} {figures}".rstrip()
    return f"{job.job_id}\t{job.kind}\t{job.state}{wish}\t{reached}\t{told['created']}"
