"""Clips: what is there, its frames, film and report, and what people said of it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import FileResponse, HTMLResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from a1_reactor.report.facts import gather
from a1_reactor.report.page import render_report
from a1_reactor.report.style import POLICY
from a1_reactor.server.pictures import filmstrip
from a1_reactor.server.preview import read_playlist, read_preview
from a1_reactor.server.routes_jobs import frame_of
from a1_reactor.server.schemas import ClipId, ClipListOut, ClipOut, PreviewOut
from a1_reactor.server.services import Services, services_of
from reactor_core.api.problems import Problem

__all__ = ["PreferIn", "VerdictIn", "router"]

router = APIRouter(prefix="/v1/clips", tags=["clips"])

_Services = Annotated[Services, Depends(services_of)]
_PREVIEW = {".m3u8": "application/vnd.apple.mpegurl", ".mp4": "video/mp4", ".m4s": "video/iso.segment"}
_FILM = {"media_type": "video/mp4"}


class VerdictIn(BaseModel):
    """What somebody says of a take."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"verdict": "keep"}]})

    verdict: Literal["keep", "reject"]
    chooser: Annotated[str, Field(min_length=1, max_length=100)] = Field("ui", description="Whose choice it is.")
    branch: Annotated[str, Field(min_length=1, max_length=80)] = Field(
        "main", description="The branch that a kept take goes onto."
    )


class PreferIn(BaseModel):
    """Which other take is the worse one."""

    model_config = ConfigDict(extra="forbid")

    over: ClipId
    chooser: Annotated[str, Field(min_length=1, max_length=100)] = Field("ui", description="Whose choice it is.")


@router.get("", response_model=ClipListOut)
def list_clips(
    services: _Services,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[ClipId | None, Query(description="`next` of the page before.")] = None,
) -> dict[str, Any]:
    """Clips of the workspace, the newest first."""
    clips, following = services.shelf.newest(before=before, limit=limit)
    return {"clips": clips, "next": following}


@router.get("/{clip_id}", response_model=ClipOut)
def get_clip(clip_id: ClipId, services: _Services) -> dict[str, Any]:
    """What a clip is, where it comes from and what was said of it."""
    return services.shelf.show(clip_id)


@router.get("/{clip_id}/report")
def get_report(clip_id: ClipId, services: _Services) -> dict[str, Any]:
    """What was measured, and the proof that frames outside of windows are unchanged."""
    return services.shelf.open(clip_id).report()


@router.get("/{clip_id}/report.html", response_class=HTMLResponse)
def get_report_page(clip_id: ClipId, services: _Services) -> HTMLResponse:
    """The report as a page that needs nothing else: a verdict in words, filmstrips and curves."""
    store = services.shelf.store
    page = render_report(gather(store, services.shelf.open(clip_id)))
    return HTMLResponse(page, headers={"Content-Security-Policy": POLICY})


@router.get(
    "/{clip_id}/artifact", response_class=FileResponse, responses={200: {"content": {"video/mp4": {"schema": {}}}}}
)
def get_artifact(clip_id: ClipId, services: _Services) -> FileResponse:
    """The mp4. Ranges are served."""
    clip = services.shelf.open(clip_id)
    return FileResponse(clip.artifact, media_type="video/mp4", filename=f"{clip.key}.mp4")


@router.get(
    "/{clip_id}/frames/{number}.png",
    response_class=FileResponse,
    responses={200: {"content": {"image/png": {"schema": {}}}}},
)
def get_frame(clip_id: ClipId, number: int, services: _Services) -> FileResponse:
    """One frame as it is stored."""
    return frame_of(services.shelf.open(clip_id), number)


@router.get(
    "/{clip_id}/filmstrip.png",
    response_class=Response,
    responses={200: {"content": {"image/png": {"schema": {}}}}, 304: {"description": "The reader has it"}},
)
def get_filmstrip(
    clip_id: ClipId,
    request: Request,
    services: _Services,
    count: Annotated[int, Query(ge=1, le=200, description="Pictures, evenly spaced.")] = 24,
    height: Annotated[int, Query(ge=16, le=256, description="Of each picture, in pixels.")] = 72,
) -> Response:
    """Frames side by side in one row. `X-Frames` lists their numbers."""
    clip = services.shelf.open(clip_id)
    tag = f'"{clip.key}-{clip.manifest.frames[0].pixels[:8]}-{count}-{height}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    picture, numbers = filmstrip(clip, count=count, height=height)
    headers["X-Frames"] = ",".join(map(str, numbers))
    return Response(picture, headers=headers, media_type="image/png")


@router.get("/{clip_id}/preview", response_model=PreviewOut)
def list_preview(clip_id: ClipId, services: _Services) -> dict[str, Any]:
    """What of a clip plays already, also while it is being made: the files of its playlist, in order.

    Players for which a playlist is foreign append `init.mp4` and then these files to one buffer.
    """
    store = services.shelf.store
    listed = read_preview(store, clip_id, "playlist.m3u8")
    if listed is not None:
        return read_playlist(listed.decode())
    if not (store.building / clip_id).is_dir():
        raise Problem("not-found", f"clip {clip_id} is not there and not being made")
    return {"segments": [], "ended": False}


@router.get(
    "/{clip_id}/preview/{name}",
    response_class=Response,
    responses={200: {"content": {kind: {"schema": {}} for kind in _PREVIEW.values()}}},
)
def get_preview(
    clip_id: ClipId, name: Annotated[str, Path(pattern=r"^[0-9a-z-]{1,40}\.(m3u8|mp4|m4s)$")], services: _Services
) -> Response:
    """The clip as a playlist (`playlist.m3u8`) with its segments, also while it is being made."""
    data = read_preview(services.shelf.store, clip_id, name)
    if data is None:
        raise Problem("not-found", f"clip {clip_id} has no preview file {name!r} yet")
    kind = _PREVIEW[f".{name.rpartition('.')[2]}"]
    return Response(data, media_type=kind, headers={"Cache-Control": "private, no-cache"})


@router.post("/{clip_id}/verdict", status_code=201)
def choose(clip_id: ClipId, body: VerdictIn, services: _Services) -> dict[str, Any]:
    """Keep or reject a take. The choice is an event of the journal, from which preferences are learned."""
    return services.shelf.choose(clip_id, body.verdict, actor=body.chooser, branch=body.branch)


@router.post("/{clip_id}/prefer", status_code=201)
def prefer(clip_id: ClipId, body: PreferIn, services: _Services) -> dict[str, Any]:
    """Say that a take is better than another one of the same window, without keeping or rejecting either."""
    return services.shelf.prefer(clip_id, body.over, actor=body.chooser)


@router.post("/verdict/undo", status_code=201)
def undo(
    services: _Services,
    chooser: Annotated[str, Query(min_length=1, max_length=100, description="Whose newest choice.")] = "ui",
) -> dict[str, Any]:
    """Take back somebody's newest choice."""
    return services.shelf.undo(actor=chooser)
