"""What goes in and out, as the API's own description shows it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from a1_reactor.engine.takes import MAX_TAKES
from a1_reactor.types.spec import MAX_PROMPT_CHARS, MAX_SEED, MAX_SIDE, MIN_SIDE

__all__ = [
    "ClipId",
    "ClipListOut",
    "ClipOut",
    "HealthOut",
    "JobId",
    "JobIn",
    "JobListOut",
    "JobOut",
    "MaskIn",
    "PresetsOut",
    "PreviewOut",
    "ProvidersOut",
    "SegmentOut",
    "TemplateOut",
    "WindowIn",
]

JobId = Annotated[str, Field(pattern=r"^[0-9a-f-]{36}$", description="As a job's `id`.")]
ClipId = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$", description="As in a job's `clip_ids`.")]
Exact = Annotated[int | float | str, Field(description="A number, or text such as `24000/1001` or `0:01.5`.")]
Prompt = Annotated[str, Field(min_length=1, max_length=MAX_PROMPT_CHARS)]
Side = Annotated[int, Field(ge=MIN_SIDE, le=MAX_SIDE, description="Pixels, even.")]
Pair = Annotated[list[Exact], Field(min_length=2, max_length=2)]
State = Literal["queued", "running", "paused", "succeeded", "failed", "canceled"]


class WindowIn(BaseModel):
    """A window in frames; the end is outside."""

    model_config = ConfigDict(extra="forbid")

    start_frame: Annotated[int, Field(ge=0)]
    stop_frame: Annotated[int, Field(ge=1)]


class MaskIn(BaseModel):
    """Which part of the picture is replaced: a rectangle or a PNG; the rest keeps the parent's very samples."""

    model_config = ConfigDict(extra="forbid")

    rectangle: Annotated[list[int], Field(min_length=4, max_length=4)] | None = Field(
        None, description="Left, top, width and height in pixels."
    )
    feather: Annotated[int, Field(ge=0, le=4096)] = Field(0, description="Pixels over which the new picture fades in.")
    png: Annotated[str, Field(max_length=6 << 20)] | None = Field(
        None, description="A PNG of the clip's size in base64: white is replaced, black is kept."
    )


class JobIn(BaseModel):
    """A clip to generate, or windows of a clip to regenerate.

    With `parent`, whatever is not given is as in the parent: prompt, look, length, rate, size and provider.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"prompt": "golden hour street, handheld", "seconds": 2, "style_preset": "cinematic"},
                {"template": {"name": "product_studio", "subject": "a brass kettle"}, "seconds": 2},
                {"prompt": "sharper textures", "parent": "0123456789abcdef", "windows": [[0.8, 1.6]], "takes": 4},
            ]
        },
    )

    prompt: Prompt | None = Field(None, description="What to show; needed without a parent.")
    prompt_dsl: Prompt | None = Field(
        None, description='In place of `prompt`: key:value words, such as `subject:"red fox" light:dusk`.'
    )
    template: Annotated[dict[str, Prompt], Field(max_length=50)] | None = Field(
        None, description="In place of `prompt`: the `name` of a template, and a text for each of its holes."
    )
    negative_prompt: Annotated[str, Field(max_length=MAX_PROMPT_CHARS)] | None = Field(
        None, description="What to avoid; null takes a list of usual faults, an empty text avoids nothing."
    )
    seed: Annotated[int, Field(ge=0, le=MAX_SEED)] = Field(0, description="Of the first take; the others follow it.")
    fps: Exact | None = Field(None, description="Frames per second; 24 if null and there is no parent.")
    seconds: Exact | None = Field(None, description="Length; 2 if null and there is no parent.")
    frames: Annotated[int, Field(ge=1)] | None = Field(None, description="Length in frames, in place of `seconds`.")
    width: Side | None = Field(None, description="768 if null and there is no parent.")
    height: Side | None = Field(None, description="768 if null and there is no parent.")
    style_preset: Annotated[str, Field(min_length=1, max_length=100)] | None = Field(
        None, description="As `GET /v1/presets` lists them; `none` for no look, also where the parent has one."
    )
    windows: Annotated[list[WindowIn | Pair], Field(max_length=64)] = Field(
        default_factory=list, description="What to regenerate, as `[start, end]` in seconds or in frames."
    )
    regen_windows: Annotated[list[Pair], Field(max_length=64)] | None = Field(
        None, description="Another name for `windows`."
    )
    mask: MaskIn | None = Field(None, description="Which part of the picture is replaced; null for all of it.")
    parent: ClipId | None = Field(None, description="The clip; null takes the newest of the same size and length.")
    takes: Annotated[int, Field(ge=1, le=MAX_TAKES)] = Field(1, description="How many answers for the windows.")
    provider: Annotated[str, Field(min_length=1, max_length=100)] | None = Field(
        None, description="As `GET /v1/providers` lists them; `mock` if null and there is no parent."
    )
    http_endpoint: Annotated[str, Field(max_length=2000)] | None = Field(
        None, description="Address of the provider `http`; its `host:port` must be on the operator's list."
    )
    options: dict[str, JsonValue] = Field(default_factory=dict, description="For the provider: steps, guidance.")
    metadata: dict[str, JsonValue] | None = Field(None, description="Travels with the clip and changes nothing.")
    force: bool = Field(False, description="Make it again even if it is there.")


class JobErrorOut(BaseModel):
    """Why a job failed."""

    error: str
    message: str
    error_type: Literal["retryable", "terminal"]


class JobOut(BaseModel):
    """A job."""

    id: str
    kind: Literal["clip", "import", "export"]
    state: State
    status: Literal["queued", "running", "done", "error"] = Field(description="The state in four words.")
    phase: str = Field(description="What is being done; empty before it runs.")
    progress: float = Field(ge=0, le=1, description="Share that is done; it never goes back.")
    attempts: int
    max_attempts: int
    asked_to: Literal["cancel", "pause"] | None = Field(description="What it will do next, if it runs.")
    created: str
    started: str | None
    ended: str | None
    error: JobErrorOut | None
    error_type: Literal["retryable", "terminal"] | None
    message: str | None = Field(description="In words, where something went wrong.")
    notes: list[str] = Field(description="What was done that was not asked for in so many words.")
    draft: str | None = Field(description="While it runs, the clip that it is making; its preview plays already.")
    preview_url: str | None = Field(description="Playlist of that clip; 404 until there is something to play.")
    clip_ids: list[str] = Field(description="What it made, in the order of the seeds.")
    artifact_path: str | None = Field(description="The last clip's mp4, or the exported file, inside the workspace.")
    artifact_url: str | None
    report_url: str | None
    events_url: str
    parent: str | None = Field(description="The clip that it regenerates a window of, or exports.")
    takes: int
    spec: dict[str, Any]
    cli: str | None = Field(description="The command line that makes the same; null if none does.")


class JobListOut(BaseModel):
    """One page of jobs, the newest first."""

    jobs: list[JobOut]
    next: str | None = Field(description="`before` of the next page; null at the end.")


class ClipOut(BaseModel):
    """A clip."""

    id: str
    created: str
    parent: str | None
    lineage: list[str] = Field(description="All ancestors, the first one first.")
    provider: dict[str, Any]
    prompt: str
    seed: int
    frames: int
    fps: str = Field(description="Exact, such as `24` or `24000/1001`.")
    fps_float: float
    seconds: float
    width: int
    height: int
    windows: list[dict[str, Any]] = Field(description="Regenerated windows: frames, and the seconds asked for.")
    asked: dict[str, Any] = Field(description="The spec as it was given.")
    resolved: dict[str, Any] = Field(description="The spec that the provider got.")
    verdict: dict[str, Any] | None
    branches: list[str]
    takes: list[str] = Field(description="Clips of the same parent and windows, this one among them.")
    links: dict[str, str]


class ClipListOut(BaseModel):
    """One page of clips, the newest first."""

    clips: list[ClipOut]
    next: str | None = Field(description="`before` of the next page; null at the end.")


class SegmentOut(BaseModel):
    """A part of a clip's video."""

    file: str = Field(description="Beside this list: `preview/{file}`.")
    end: float = Field(description="Where it ends, in seconds of the clip.")


class PreviewOut(BaseModel):
    """What of a clip can be played."""

    segments: list[SegmentOut]
    ended: bool = Field(description="Whether no more will come.")


class TemplateOut(BaseModel):
    """A prompt with holes."""

    text: str
    holes: list[str]


class PresetsOut(BaseModel):
    """Looks and prompts that have a name."""

    presets: dict[str, str] = Field(description="Name of a look, and the words that it adds.")
    templates: dict[str, TemplateOut]


class ProvidersOut(BaseModel):
    """Where frames can come from."""

    providers: list[dict[str, Any]]


class HealthOut(BaseModel):
    """How this process stands."""

    status: Literal["ok"]
    version: str
    uptime_seconds: float
    kill_switch: Literal["clear", "tripped"]
    queued: int
    running: int
    upload_bytes: int = Field(description="Largest video that may be sent for import.")
