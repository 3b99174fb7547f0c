"""Reading every file of a clip and comparing it with what was stored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from a1_reactor.media.mp4 import count_frames
from a1_reactor.storage.clip import Clip
from reactor_core.errors import ArtifactCorrupt
from reactor_core.utils.files import sha256_file

__all__ = ["VerifyReport", "verify_clip"]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyReport:
    """What was read and what was wrong with it."""

    clip: str
    """Key of the clip."""
    frames: int
    """Frame files hashed."""
    segments: int
    """Segment files hashed."""
    decoded: int | None
    """Frames that the mp4 decoded to; None where it was not decoded."""
    problems: tuple[str, ...]
    """One line for each file that is not what was stored; empty where all is well."""

    @property
    def whole(self) -> bool:
        """Whether nothing was wrong."""
        return not self.problems

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "problems": list(self.problems), "whole": self.whole}


def verify_clip(clip: Clip, *, decode: bool = True) -> VerifyReport:
    """Hash every file of a clip, whatever its seal says, and decode the mp4.

    Args:
        decode: False leaves the mp4 undecoded, which takes the most time.
    """
    problems: list[str] = []
    segments = () if clip.manifest.video is None else clip.manifest.video.segments

    def check(read: Callable[[], None]) -> None:
        try:
            read()
        except ArtifactCorrupt as error:
            problems.append(str(error))

    for index in range(clip.frame_count):
        check(lambda index=index: clip.check_frame_file(index))  # type: ignore[misc]
    for entry in segments:
        check(lambda entry=entry: clip.check_segment_file(entry))  # type: ignore[misc]
    check(lambda: _check_init(clip))
    check(clip.check_artifact)
    decoded = None
    if decode:
        try:
            decoded = count_frames(clip.artifact)
        except ArtifactCorrupt as error:
            problems.append(str(error))
        else:
            if decoded != clip.frame_count:
                problems.append(f"{clip.artifact} decodes to {decoded} frames, not {clip.frame_count}")
    return VerifyReport(
        clip=clip.key,
        frames=clip.frame_count,
        segments=len(segments),
        decoded=decoded,
        problems=tuple(problems),
    )


def _check_init(clip: Clip) -> None:
    video = clip.manifest.video
    if video is not None and sha256_file(clip.init_path) != video.init:
        raise ArtifactCorrupt(f"{clip.init_path} is not the file that was stored")
