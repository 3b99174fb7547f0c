"""``reactor jobs``: what waits, what runs, and changing one's mind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, Parameter

from reactor_core.utils.command import print_json

if TYPE_CHECKING:
    from reactor_core.jobs.job import Job
    from reactor_core.jobs.table import JobTable

__all__ = ["jobs"]

jobs = App(name="jobs", help="Jobs of the workspace: clips that are being made, and what else plugins can do.")

Json = Annotated[bool, Parameter(name="--json", negative=())]
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
    json
        Print one JSON object.
    """
    with _table() as table:
        found = table.jobs(states=state or None, kinds=None if kind is None else [kind], limit=max(1, limit))
    if json:
        print_json({"jobs": [job.as_dict() for job in reversed(found)]})
        return
    for job in reversed(found):
        print(_line(job))


@jobs.command
def show(job: str, *, json: Json = False) -> None:
    """Show a job and its log.

    Parameters
    ----------
    job
        Its id, or the beginning or the end of it.
    json
        Print one JSON object.
    """
    with _table() as table:
        found = table.find(job)
        events = table.events(found.job_id)
    if json:
        print_json({**found.as_dict(), "events": [event.as_dict() for event in events]})
        return
    print(_line(found))
    if found.failure is not None:
        print(f"{found.failure.error} ({found.failure.error_type}): {found.failure.message}")
    for event in events:
        told = event.as_dict()
        words = " ".join(f"{name}={value}" for name, value in event.data.items() if not isinstance(value, dict))
        print(f"{event.seq}\t{told['at']}\t{event.type}\t{words}")


@jobs.command
def cancel(job: str, *, json: Json = False) -> None:
    """End a job: at once if it waits, else as soon as its worker has put it down.

    Parameters
    ----------
    job
        Its id, or the beginning or the end of it.
    json
        Print the job as one JSON object.
    """
    _ask("cancel", job, json)


@jobs.command
def pause(job: str, *, json: Json = False) -> None:
    """Let a job stand still; it goes on from there.

    Parameters
    ----------
    job
        Its id, or the beginning or the end of it.
    json
        Print the job as one JSON object.
    """
    _ask("pause", job, json)


@jobs.command
def resume(job: str, *, json: Json = False) -> None:
    """Let a paused job go on, or try one again that failed and may succeed.

    Parameters
    ----------
    job
        Its id, or the beginning or the end of it.
    json
        Print the job as one JSON object.
    """
    _ask("resume", job, json)


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


def _ask(what: Literal["cancel", "pause", "resume"], name: str, json: bool) -> None:
    with _table() as table:
        job_id = table.find(name).job_id
        job: Job = {"cancel": table.cancel, "pause": table.pause, "resume": table.resume}[what](job_id)
    if json:
        print_json(job.as_dict())
    else:
        print(_line(job))


def _line(job: Job) -> str:
    told: dict[str, Any] = job.as_dict()
    wish = f", asked to {job.wish}" if job.wish else ""
    return f"{job.job_id}\t{job.kind}\t{job.state}{wish}\t{job.progress:.0%} {job.phase}\t{told['created']}"
