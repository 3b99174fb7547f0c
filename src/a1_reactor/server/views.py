"""A job as the API shows it."""

from __future__ import annotations

from typing import Any

from a1_reactor.server.clip_job import ClipRequest
from a1_reactor.server.command_line import command_line
from reactor_core.jobs.job import Job, JobState

__all__ = ["show_job"]

_STATUS = {
    JobState.QUEUED: "queued",
    JobState.RUNNING: "running",
    JobState.PAUSED: "queued",
    JobState.SUCCEEDED: "done",
    JobState.FAILED: "error",
    JobState.CANCELED: "error",
}


def show_job(job: Job) -> dict[str, Any]:
    """Plain values; no path of this machine is among them."""
    told, request = job.as_dict(), ClipRequest.parse(job.spec)
    clips: list[str] = (job.result or {}).get("clip_ids", [])
    here = f"/v1/jobs/{job.job_id}"
    draft = None if job.ended else job.facts.get("draft")
    return {
        "id": job.job_id,
        "status": _STATUS[job.state],
        **{
            name: told[name]
            for name in (
                "state", "phase", "progress", "attempts", "max_attempts", "asked_to", "created", "started", "ended",
                "error",
            )
        },
        "error_type": None if job.failure is None else str(job.failure.error_type),
        "message": _message(job),
        "draft": draft,
        "preview_url": None if draft is None else f"/v1/clips/{draft}/preview/playlist.m3u8",
        "clip_ids": clips,
        "artifact_path": f"cache/{clips[-1]}/artifact.mp4" if clips else None,
        "artifact_url": f"{here}/artifact" if clips else None,
        "report_url": f"{here}/report" if clips else None,
        "events_url": f"{here}/events",
        "parent": request.parent,
        "takes": request.takes,
        "spec": request.spec.to_json(),
        "cli": command_line(request),
    }  # fmt: skip


def _message(job: Job) -> str | None:
    if job.failure is not None:
        return job.failure.message
    return {JobState.CANCELED: "canceled", JobState.PAUSED: "paused; POST to its resume to go on"}.get(job.state)
