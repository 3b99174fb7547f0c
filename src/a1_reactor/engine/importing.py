"""A clip from somebody's own video file: a generator that generates nothing and hands over decoded frames."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from a1_reactor.engine.engine import ClipResult, ReactorEngine
from a1_reactor.media.frames import Frame
from a1_reactor.media.import_video import VideoFile, open_video, video_frames
from a1_reactor.providers.base import BaseClip, Capabilities
from a1_reactor.providers.price import FREE
from a1_reactor.storage.sources import Source, SourceStore
from a1_reactor.types import JobSpec, Window
from reactor_core.errors import ProviderError

__all__ = ["IMPORT", "ImportedVideo", "import_clip"]

IMPORT = "import"
"""Name of the provider of imported frames."""


@dataclass(frozen=True, slots=True)
class ImportedVideo:
    """The frames of one file, as a provider."""

    source: Source
    file: VideoFile

    name = IMPORT
    version = "1"

    @property
    def capabilities(self) -> Capabilities:
        """One clip of one length; words and seed change nothing."""
        return Capabilities(context_frames=0, seed=False, any_frame=True, price=FREE)

    def identity(self) -> Mapping[str, str]:
        """The file's hash and the rate that it is read at; with 8 bits or more, it is read in one way only."""
        return {
            "name": self.name,
            "version": self.version,
            "file_sha256": self.source.sha256,
            "fps": str(self.file.timing.fps),
        }

    def generate_frames(self, job: JobSpec) -> Iterator[Frame]:
        """The file's frames, upright, at a constant rate.

        Raises:
            SpecError: The file is damaged.
        """
        assert (job.fps, job.frames) == (self.file.timing.fps, self.file.timing.frames), "the spec is made of the file"
        return video_frames(self.file)

    def regen_frames(
        self,
        job: JobSpec,  # noqa: ARG002
        base: BaseClip,  # noqa: ARG002
        windows: Sequence[Window],  # noqa: ARG002
    ) -> Iterator[tuple[int, Frame]]:
        """A file has no other frames.

        Raises:
            ProviderError: Always.
        """
        raise _unchanging()

    def frames_at(
        self,
        job: JobSpec,
        base: BaseClip | None,
        windows: Sequence[Window],  # noqa: ARG002
        indices: Sequence[int],
    ) -> Iterator[tuple[int, Frame]]:
        """Some of the file's frames; those between them are decoded as well, since they stand on each other.

        Raises:
            SpecError: The file is damaged.
            ProviderError: There is a base.
        """
        if base is not None:
            raise _unchanging()
        wanted = set(indices)
        return ((index, frame) for index, frame in enumerate(self.generate_frames(job)) if index in wanted)


def _unchanging() -> ProviderError:
    return ProviderError("an imported file makes no new frames", remedy="regenerate with another provider")


def import_clip(
    engine: ReactorEngine,
    path: Path,
    *,
    prompt: str | None = None,
    fps: Fraction | None = None,
    reduce_depth: bool = False,
    force: bool = False,
) -> ClipResult:
    """Make a clip of a video file; the file is copied into the workspace and its sound goes into exports.

    Args:
        engine: Its provider is not asked.
        path: mp4, mov, mkv, webm or whatever FFmpeg reads.
        prompt: What it shows; a regeneration of a window may say it in other words. None takes the file's name.
        fps: Rate of the clip; None keeps a constant rate and gives a variable one the usual rate that is closest.
        reduce_depth: Take more than 8 bits per sample, rounded to 8.
        force: Make the clip again even if it is there.

    Returns:
        The clip; what was done to the frames stands in its notes.

    Raises:
        NotFound: The file cannot be read.
        SpecError: It holds no video that can become a clip.
        StorageError, Halted: As ``ReactorEngine.generate``.
    """
    # Looked at before it is copied: what is refused leaves nothing behind.
    open_video(path, fps=fps, reduce_depth=reduce_depth)
    with SourceStore(engine.config.workspace).held(path) as source:
        file = open_video(source.path, fps=fps, reduce_depth=reduce_depth)
        origin = {"sha256": source.sha256, "name": source.name, "codec": file.codec, "sound": file.sound}
        spec = JobSpec(
            prompt=prompt or f"imported from {source.name}",
            negative_prompt="",
            fps=file.timing.fps,
            seconds=file.timing.frames / file.timing.fps,
            width=file.width,
            height=file.height,
            provider=IMPORT,
            metadata={"source": origin},
        )
        result = replace(engine, provider=ImportedVideo(source, file)).generate(spec, force=force)
    return replace(result, notes=(*file.notes, *result.notes))
