"""The kind of job that makes a clip of a video that somebody sent: ``a1.import``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from a1_reactor.config import ReactorConfig
from a1_reactor.engine.engine import ReactorEngine
from a1_reactor.engine.importing import import_clip
from a1_reactor.engine.stages import overall_share
from a1_reactor.providers.mock import MockProvider
from a1_reactor.server.transit import Transit
from a1_reactor.storage.sources import SourceStore
from a1_reactor.types import parse_rational
from reactor_core.errors import NotFound, SpecError
from reactor_core.jobs.context import JobContext

__all__ = ["KIND", "ImportJob", "ImportRequest", "import_job", "uploads_of"]

KIND = "a1.import"
"""Its name in the table of jobs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRequest:
    """What one job is to import.

    Raises:
        SpecError: The rate is none.
    """

    upload: str
    """Id of the file that was sent."""
    name: str
    """What it is called."""
    sha256: str
    """Of its bytes."""
    prompt: str | None = None
    """What it shows; None takes its name."""
    fps: str | None = None
    """Rate of the clip; None keeps that of the file, or the usual rate that is closest."""
    reduce_depth: bool = False
    """Take more than 8 bits per sample, rounded to 8."""

    def __post_init__(self) -> None:
        if self.fps is not None:
            parse_rational(self.fps, name="fps")

    def to_json(self) -> dict[str, Any]:
        """JSON that :meth:`parse` reads back."""
        return asdict(self)

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> ImportRequest:
        """Read a request from JSON.

        Raises:
            SpecError: A field is unknown, missing or cannot be used.
        """
        try:
            return cls(**document)
        except TypeError as error:
            raise SpecError(f"this is no import: {error}") from error


class ImportJob:
    """Runs the import. A clip that is there already is found, so a second attempt goes on."""

    name = KIND
    max_attempts = 5

    def check(self, spec: Mapping[str, Any]) -> dict[str, Any]:
        """The request with every default written out.

        Raises:
            SpecError: It cannot be used.
        """
        return ImportRequest.parse(spec).to_json()

    def run(self, context: JobContext) -> dict[str, Any]:
        """Make the clip; returns its id. The file that was sent goes: its copy is kept with the clip.

        Raises:
            SpecError: The file holds no video that can become a clip.
            NotFound: The file is not there any more.
            StorageError: The clip cannot be written.
            Halted: The kill switch is tripped.
        """
        request = ImportRequest.parse(context.job.spec)
        config = ReactorConfig.from_settings(context.settings)
        uploads = uploads_of(config.workspace)

        def told(stage: str, done: int, total: int) -> None:
            context.progress(stage, min(overall_share(stage, done, total), 0.999))

        # The engine needs some provider; an import asks none.
        engine = ReactorEngine(config, MockProvider(), progress=told, making=lambda key: context.tell(draft=key))
        engine.store.sweep()
        context.check()
        path = _sent(uploads, config.workspace, request)
        try:
            result = import_clip(
                engine,
                path,
                prompt=request.prompt,
                fps=None if request.fps is None else parse_rational(request.fps, name="fps"),
                reduce_depth=request.reduce_depth,
            )
        except SpecError as error:  # it will never become a clip
            uploads.remove(request.upload)
            # Where it lay on this machine is nobody's concern.
            raise SpecError(error.message.replace(str(path), request.name), remedy=error.remedy) from error
        for note in result.notes:
            context.say(note)
        uploads.remove(request.upload)
        return {"clip_ids": [result.clip.key], "reused": [result.reused], "notes": list(result.notes)}


def uploads_of(workspace: Path) -> Transit:
    """Where a workspace of clips keeps what was sent."""
    return Transit(workspace / "uploads")


def _sent(uploads: Transit, workspace: Path, request: ImportRequest) -> Path:
    """The file, or the copy of it that is kept with a clip: an attempt that died late had removed it already."""
    try:
        return uploads.find(request.upload, request.name)
    except NotFound:
        return SourceStore(workspace).open(request.sha256).path


import_job = ImportJob()
