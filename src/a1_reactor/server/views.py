"""A job as the API shows it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from a1_reactor.server import clip_job, export_job, import_job
from a1_reactor.server.clip_job import ClipRequest
from a1_reactor.server.command_line import command_line, export_line
from a1_reactor.server.export_job import ExportRequest
from a1_reactor.server.import_job import ImportRequest
from reactor_core.jobs.job import Job, JobState

__all__ = ["KINDS", "show_job"]

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
    told, result = job.as_dict(), job.result or {}
    clips: list[str] = result.get("clip_ids", [])
    here = f"/v1/jobs/{job.job_id}"
    draft = None if job.ended else job.facts.get("draft")
    artifact = f"cache/{clips[-1]}/artifact.mp4" if clips else None
    if "file" in result:
        artifact = f"exports/{job.job_id}/{result['file']}"
    return {
        "id": job.job_id,
        "kind": job.kind.removeprefix("a1."),
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
        "notes": result.get("notes", []),
        "draft": draft,
        "preview_url": None if draft is None else f"/v1/clips/{draft}/preview/playlist.m3u8",
        "clip_ids": clips,
        "artifact_path": artifact,
        "artifact_url": f"{here}/artifact" if artifact else None,
        "report_url": f"{here}/report" if clips else None,
        "events_url": f"{here}/events",
        **_ABOUT[job.kind](job.spec),
    }  # fmt: skip


def _message(job: Job) -> str | None:
    if job.failure is not None:
        return job.failure.message
    return {JobState.CANCELED: "canceled", JobState.PAUSED: "paused; POST to its resume to go on"}.get(job.state)


def _clip(spec: Mapping[str, Any]) -> dict[str, Any]:
    request = ClipRequest.parse(spec)
    return {
        "parent": request.parent,
        "takes": request.takes,
        "spec": request.spec.to_json(),
        "cli": command_line(request),
    }


def _import(spec: Mapping[str, Any]) -> dict[str, Any]:
    request = ImportRequest.parse(spec)
    shown = {name: value for name, value in request.to_json().items() if name != "upload"}
    return {"parent": None, "takes": 1, "spec": shown, "cli": None}  # where the file lies elsewhere is not known


def _export(spec: Mapping[str, Any]) -> dict[str, Any]:
    request = ExportRequest.parse(spec)
    return {"parent": request.clip, "takes": 1, "spec": request.to_json(), "cli": export_line(request)}


_ABOUT: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = MappingProxyType(
    {clip_job.KIND: _clip, import_job.KIND: _import, export_job.KIND: _export}
)
KINDS = tuple(_ABOUT)
"""Kinds of jobs that are shown and worked on here."""
