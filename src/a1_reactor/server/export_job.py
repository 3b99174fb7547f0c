"""The kind of job that writes a clip into a file for other programs: ``a1.export``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from a1_reactor.config import ReactorConfig
from a1_reactor.engine.exporting import FORMATS, export_clip
from a1_reactor.server.transit import Transit
from a1_reactor.storage.store import ClipStore
from reactor_core.errors import SpecError
from reactor_core.jobs.context import JobContext

__all__ = ["KIND", "MAX_WIDTH", "MIN_WIDTH", "ExportJob", "ExportRequest", "export_job", "exports_of"]

KIND = "a1.export"
"""Its name in the table of jobs."""
MIN_WIDTH, MAX_WIDTH = 16, 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRequest:
    """What one job is to write.

    Raises:
        SpecError: The parts do not go together.
    """

    clip: str
    """Id of the clip."""
    format: str
    """mp4, webm, gif or zip."""
    mute: bool = False
    """Leave out the sound of an imported clip."""
    width: int | None = None
    """Pixels of a GIF; None keeps the clip's."""

    def __post_init__(self) -> None:
        if self.format not in FORMATS:
            raise SpecError(f"format={self.format!r} is unknown", remedy=f"one of: {', '.join(FORMATS)}")
        if self.width is not None and self.format != "gif":
            raise SpecError("a width was given, and only GIFs are made smaller", remedy="leave it out")
        if self.width is not None and not MIN_WIDTH <= self.width <= MAX_WIDTH:
            raise SpecError(f"width={self.width} is outside {MIN_WIDTH}..{MAX_WIDTH}")

    @property
    def name(self) -> str:
        """Of the file."""
        return f"{self.clip}.{self.format}"

    def to_json(self) -> dict[str, Any]:
        """JSON that :meth:`parse` reads back."""
        return asdict(self)

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> ExportRequest:
        """Read a request from JSON.

        Raises:
            SpecError: A field is unknown, missing or cannot be used.
        """
        try:
            return cls(**document)
        except TypeError as error:
            raise SpecError(f"this is no export: {error}") from error


class ExportJob:
    """Writes the file; a second attempt writes it anew."""

    name = KIND
    max_attempts = 5

    def check(self, spec: Mapping[str, Any]) -> dict[str, Any]:
        """The request with every default written out.

        Raises:
            SpecError: It cannot be used.
        """
        return ExportRequest.parse(spec).to_json()

    def run(self, context: JobContext) -> dict[str, Any]:
        """Write the file; returns its name, size and hash, and what differs from the clip.

        Raises:
            NotFound: There is no such clip, or the file that it was imported from is gone.
            ArtifactCorrupt: A frame is not what was stored.
            StorageError: The file cannot be written.
        """
        request = ExportRequest.parse(context.job.spec)
        workspace = ReactorConfig.from_settings(context.settings).workspace

        def told(stage: str, done: int, total: int) -> None:
            context.progress(stage, min(done / max(1, total), 0.999))

        written = export_clip(
            ClipStore(workspace).open(request.clip),
            exports_of(workspace).place(context.job.job_id, request.name),
            workspace=workspace,
            mute=request.mute,
            gif_width=request.width,
            force=True,
            progress=told,
        )
        for note in written.notes:
            context.say(note)
        return {
            "file": request.name,
            "size": written.size,
            "sha256": written.sha256,
            "frames": written.frames,
            "notes": list(written.notes),
        }


def exports_of(workspace: Path) -> Transit:
    """Where a workspace of clips keeps what was exported."""
    return Transit(workspace / "exports")


export_job = ExportJob()
