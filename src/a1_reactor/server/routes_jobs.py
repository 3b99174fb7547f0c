"""Jobs: ask for a clip, see how far it is, stop it, fetch it."""

from __future__ import annotations

import asyncio
import re
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import FileResponse, JSONResponse
from starlette.responses import Response

from a1_reactor.config import ReactorConfig
from a1_reactor.providers.catalog import provider_names
from a1_reactor.server.clip_job import KIND, clip_job
from a1_reactor.server.job_stream import JobStream
from a1_reactor.server.requests import clip_request
from a1_reactor.server.schemas import JobId, JobIn, JobListOut, JobOut, State
from a1_reactor.server.services import Services, services_of
from a1_reactor.server.views import KINDS, show_job
from a1_reactor.storage.clip import Clip
from reactor_core.api.guard import principal_of
from reactor_core.api.problems import Problem
from reactor_core.errors import NotFound
from reactor_core.jobs.job import Job

__all__ = ["MAX_WAIT_SECONDS", "router", "waiting_of"]

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])

MAX_WAIT_SECONDS = 120.0
"""How long an answer waits at most for the end of a job, however long the client would."""
_WAIT = re.compile(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,6})\"?(?:$|[,;\s])", re.ASCII)
_EXPORTED = {".mp4": "video/mp4", ".webm": "video/webm", ".gif": "image/gif", ".zip": "application/zip"}
_Services = Annotated[Services, Depends(services_of)]


@router.post("", status_code=202, response_model=JobOut, responses={200: {"model": JobOut, "description": "Ended"}})
async def create_job(
    body: JobIn,
    request: Request,
    services: _Services,
    idempotency_key: Annotated[
        str | None,
        Header(description="A second request with this key finds the first one's job.", min_length=1, max_length=200),
    ] = None,
    prefer: Annotated[
        str | None, Header(description="`wait=30` answers when the job has ended, or after 30 s.", max_length=200)
    ] = None,
) -> Response:
    """Ask for a clip. The job is stored before the answer, and is worked on also if the server goes down meanwhile."""

    def submit() -> Job:
        config = ReactorConfig.from_settings(services.settings)
        wanted = clip_request(
            body, services.shelf, names=provider_names(config), allow=services.settings.provider_allow
        )
        job, _ = services.table.submit(
            KIND,
            wanted.to_json(),
            idempotency_key=idempotency_key,
            max_attempts=clip_job.max_attempts,
            asked_by=f"api ({principal_of(request.scope)})",
        )
        return job

    job = await asyncio.to_thread(submit)
    headers = {"Location": f"{router.prefix}/{job.job_id}"}
    seconds = waiting_of(prefer)
    if seconds is not None:
        headers["Preference-Applied"] = f"wait={seconds:g}"
        job = await services.wait_for_end(job, seconds)
    return JSONResponse(show_job(job), 200 if job.ended else 202, headers)


@router.get("", response_model=JobListOut)
def list_jobs(
    services: _Services,
    state: Annotated[list[State] | None, Query(description="In one of these states.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[JobId | None, Query(description="`next` of the page before.")] = None,
) -> dict[str, Any]:
    """Jobs that make, import and export clips, the newest first."""
    jobs = services.table.jobs(states=state, kinds=KINDS, before=before, limit=limit + 1)
    return {
        "jobs": [show_job(job) for job in jobs[:limit]],
        "next": jobs[limit - 1].job_id if len(jobs) > limit else None,
    }


@router.get("/{job_id}", response_model=JobOut)
def get_job(job_id: JobId, services: _Services) -> dict[str, Any]:
    """How a job stands."""
    return show_job(_job(services, job_id))


@router.delete("/{job_id}", status_code=204, response_class=Response)
def delete_job(job_id: JobId, services: _Services) -> Response:
    """Forget a job that has ended. The clips that it made stay; a file that it exported goes."""
    services.table.delete(_job(services, job_id).job_id)
    services.exports.remove(job_id)
    return Response(status_code=204)


@router.post("/{job_id}/cancel", status_code=202, response_model=JobOut)
def cancel_job(job_id: JobId, services: _Services) -> dict[str, Any]:
    """End a job: at once if it waits, else at its next frame. What it has made whole stays."""
    return show_job(services.table.cancel(_job(services, job_id).job_id))


@router.post("/{job_id}/pause", status_code=202, response_model=JobOut)
def pause_job(job_id: JobId, services: _Services) -> dict[str, Any]:
    """Let a job stand still; answers of its provider that are whole are kept."""
    return show_job(services.table.pause(_job(services, job_id).job_id))


@router.post("/{job_id}/resume", status_code=202, response_model=JobOut)
def resume_job(job_id: JobId, services: _Services) -> dict[str, Any]:
    """Let a paused job go on, or try one again that failed and may succeed."""
    return show_job(services.table.resume(_job(services, job_id).job_id))


@router.get(
    "/{job_id}/events",
    response_class=Response,
    responses={
        200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}},
        204: {"description": "The job has ended and the reader has all of it; browsers do not come back then"},
    },
)
async def stream_job(
    job_id: JobId,
    request: Request,
    services: _Services,
    last_event_id: Annotated[str, Header(description="The last id that the reader got.", max_length=20)] = "",
) -> Response:
    """States, progress and messages of a job from its beginning, or from where the reader was, until it has ended.

    Each event has `seq` as its id, and one of the names `state`, `progress` and `log`. Old progress is thrown away.
    """
    if last_event_id and not re.fullmatch(r"\d{1,15}", last_event_id, re.ASCII):
        errors = [{"parameter": "header last-event-id", "detail": "a number is needed"}]
        raise Problem("invalid", "header last-event-id: a number is needed", errors=errors)
    job = await asyncio.to_thread(_job, services, job_id)
    after = int(last_event_id or 0)
    if job.ended and after >= job.events:
        return Response(status_code=204)
    client = request.client.host if request.client else "unknown"
    return JobStream(services, job, after, leave=services.enter_stream(client))


@router.get(
    "/{job_id}/artifact",
    response_class=FileResponse,
    responses={200: {"content": {kind: {"schema": {}} for kind in _EXPORTED.values()}}},
)
def get_artifact(job_id: JobId, services: _Services) -> FileResponse:
    """The mp4 of the last clip that a job made, or the file that it exported. Ranges are served."""
    job = _job(services, job_id)
    if (name := (job.result or {}).get("file")) is not None:
        path = services.exports.find(job.job_id, name)
        return FileResponse(path, media_type=_EXPORTED[path.suffix], filename=name)
    clip = _clip(services, job_id)
    return FileResponse(clip.artifact, media_type="video/mp4", filename=f"{clip.key}.mp4")


@router.get("/{job_id}/report")
def get_report(job_id: JobId, services: _Services) -> dict[str, Any]:
    """The report of the last clip that a job made."""
    return _clip(services, job_id).report()


@router.get(
    "/{job_id}/frames/{number}.png",
    response_class=FileResponse,
    responses={200: {"content": {"image/png": {"schema": {}}}}},
)
def get_frame(job_id: JobId, number: int, services: _Services) -> FileResponse:
    """One frame of the last clip that a job made."""
    return frame_of(_clip(services, job_id), number)


def frame_of(clip: Clip, number: int) -> FileResponse:
    """A frame's file as an answer.

    Raises:
        Problem: The clip has no such frame.
    """
    if not 0 <= number < clip.frame_count:
        raise Problem("not-found", f"clip {clip.key} has frames 0 to {clip.frame_count - 1}")
    headers = {"ETag": f'"{clip.manifest.frames[number].pixels}"', "Cache-Control": "private, no-cache"}
    return FileResponse(clip.frame_path(number), media_type="image/png", headers=headers)


def waiting_of(prefer: str | None) -> float | None:
    """Seconds that a ``Prefer`` header (RFC 7240) asks to wait, bounded; None if it asks for none."""
    match = _WAIT.search(prefer or "")
    return None if match is None else min(float(match[1]), MAX_WAIT_SECONDS)


def _job(services: Services, job_id: str) -> Job:
    """A job of clips; others of the workspace are not shown here."""
    job = services.table.get(job_id)
    if job.kind not in KINDS:
        raise NotFound(f"no job of clips is called {job_id!r}")
    return job


def _clip(services: Services, job_id: str) -> Clip:
    job = _job(services, job_id)
    clips = (job.result or {}).get("clip_ids")
    if not clips:
        raise Problem("conflict", f"job {job_id} is {job.state} and has made no clip")
    return services.shelf.open(clips[-1])
