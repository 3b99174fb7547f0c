"""Files in and out: somebody's own video becomes a clip, and a clip becomes a file for other programs."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from a1_reactor.server import export_job, import_job
from a1_reactor.server.export_job import MAX_WIDTH, MIN_WIDTH, ExportRequest
from a1_reactor.server.import_job import ImportRequest
from a1_reactor.server.schemas import ClipId, JobOut, Prompt
from a1_reactor.server.services import Services, services_of
from a1_reactor.server.transit import file_name
from a1_reactor.server.views import show_job
from reactor_core.api.guard import principal_of
from reactor_core.api.problems import Problem
from reactor_core.jobs.job import Job
from reactor_core.jobs.kinds import JobKind
from reactor_core.utils.files import storage_errors
from reactor_core.utils.ids import new_id

__all__ = ["IMPORTS", "ExportIn", "router"]

IMPORTS = "/v1/imports"
"""Where videos are sent to."""
_PIECE_BYTES = 1 << 20

router = APIRouter(tags=["files"])

_Services = Annotated[Services, Depends(services_of)]
_Key = Annotated[
    str | None,
    Header(description="A second request with this key finds the first one's job.", min_length=1, max_length=200),
]


class ExportIn(BaseModel):
    """A file that a clip is to be written into."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"format": "gif", "width": 320}]})

    format: Literal["mp4", "webm", "gif", "zip"] = Field(description="`zip` holds the frames as PNG files.")
    mute: bool = Field(False, description="Leave out the sound of an imported clip.")
    width: Annotated[int, Field(ge=MIN_WIDTH, le=MAX_WIDTH)] | None = Field(
        None, description="Pixels of a GIF; null keeps the clip's."
    )


@router.post(
    IMPORTS,
    status_code=202,
    response_model=JobOut,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def import_video(
    request: Request,
    services: _Services,
    name: Annotated[str, Query(max_length=1000, description="What the file is called; it becomes the prompt.")] = "",
    prompt: Annotated[Prompt | None, Query(description="What it shows, in place of its name.")] = None,
    fps: Annotated[str | None, Query(max_length=40, description="Rate of the clip; absent keeps the file's.")] = None,
    reduce_depth: Annotated[bool, Query(description="Take 10 and more bits per sample, rounded to 8.")] = False,
) -> dict[str, Any]:
    """Send a video as the body, and get the job that makes a clip of it.

    The file is looked at by the job, not here: what is no video, or none that can become a clip, fails there.
    """
    key, shown = new_id(), file_name(name, default="video")
    if fps is not None:  # before gigabytes are sent for nothing
        ImportRequest(upload=key, name=shown, sha256="", fps=fps)
    await asyncio.to_thread(services.sweep_files)
    path = await asyncio.to_thread(services.uploads.place, key, shown)
    try:
        sha256 = await _receive(request, path)
        wanted = ImportRequest(upload=key, name=shown, sha256=sha256, prompt=prompt, fps=fps, reduce_depth=reduce_depth)
        job = await asyncio.to_thread(_submit, services, request, import_job.import_job, wanted.to_json(), None)
    except BaseException:  # a client that leaves in the middle among them
        await asyncio.shield(asyncio.to_thread(services.uploads.remove, key))
        raise
    return show_job(job)


@router.post("/v1/clips/{clip_id}/exports", status_code=202, response_model=JobOut)
def export_clip(
    clip_id: ClipId, body: ExportIn, request: Request, services: _Services, idempotency_key: _Key = None
) -> dict[str, Any]:
    """Write a clip into a file. The job's `artifact_url` gives it when the job has ended, for a day."""
    wanted = ExportRequest(clip=services.shelf.open(clip_id).key, format=body.format, mute=body.mute, width=body.width)
    services.sweep_files()
    return show_job(_submit(services, request, export_job.export_job, wanted.to_json(), idempotency_key))


async def _receive(request: Request, path: Path) -> str:
    """Write a body into a file as it comes, and return its SHA-256; memory does not grow with it.

    Raises:
        Problem: It is empty.
        StorageFull, StorageError: It cannot be written.
    """
    hashed, size, waiting = hashlib.sha256(), 0, bytearray()

    def write(data: bytes) -> None:
        with storage_errors(path), path.open("ab") as file:
            file.write(data)
        hashed.update(data)

    async for piece in request.stream():
        size += len(piece)
        waiting += piece
        if len(waiting) >= _PIECE_BYTES:
            await asyncio.to_thread(write, bytes(waiting))
            waiting.clear()
    if size == 0:
        raise Problem("invalid", "the body is empty; send the video's bytes as the body")
    await asyncio.to_thread(write, bytes(waiting))
    return hashed.hexdigest()


def _submit(services: Services, request: Request, kind: JobKind, spec: dict[str, Any], key: str | None) -> Job:
    job, _ = services.table.submit(
        kind.name,
        spec,
        idempotency_key=key,
        max_attempts=kind.max_attempts,
        asked_by=f"api ({principal_of(request.scope)})",
    )
    return job
