"""Clips on their way out: one file, complete or not there, in the format that its name asks for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from a1_reactor.engine.stages import Progress, silent
from a1_reactor.media.export_gif import MAX_FPS, export_gif, gif_step
from a1_reactor.media.export_sound import SoundFile
from a1_reactor.media.export_stills import export_stills
from a1_reactor.media.export_video import export_mp4, export_webm
from a1_reactor.media.frames import Frame
from a1_reactor.media.import_video import open_video
from a1_reactor.storage.clip import Clip
from a1_reactor.storage.layout import frame_name
from a1_reactor.storage.manifest import dump_json
from a1_reactor.storage.sources import SourceStore, source_of
from reactor_core.errors import NotFound, SpecError, StorageError
from reactor_core.utils.files import fsync_dir, sha256_file, storage_errors
from reactor_core.utils.ids import new_id

__all__ = ["FORMATS", "Exported", "Sign", "export_clip", "sound_of"]

FORMATS = ("mp4", "webm", "gif", "zip")
"""What the ending of the file's name may be."""

Sign = Callable[[Path, Path], None]
"""Signs the file at the first path into a new one at the second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """A file that was written."""

    path: Path
    format: str
    sha256: str
    size: int
    """Bytes."""
    frames: int
    signed: bool
    notes: tuple[str, ...]
    """What differs from the clip, in words."""

    def to_json(self) -> dict[str, Any]:
        """Plain values; the path is absolute."""
        return {**asdict(self), "path": str(self.path.resolve()), "notes": list(self.notes)}


def sound_of(clip: Clip, workspace: Path) -> SoundFile | None:
    """The sound of the file that a clip, or its first ancestor, was imported from; None where there is none.

    Raises:
        NotFound: The file had sound and is not kept any more.
        ArtifactCorrupt: It is damaged.
    """
    sha256 = source_of(clip.job)
    if sha256 is None or not clip.job.origin.metadata["source"].get("sound"):
        return None
    source = SourceStore(workspace).open(sha256)
    # Read anew: what metadata says of it is anybody's word.
    codec = open_video(source.path, reduce_depth=True).sound
    return None if codec is None else SoundFile(source.path, codec)


def export_clip(
    clip: Clip,
    target: Path,
    *,
    workspace: Path,
    mute: bool = False,
    gif_width: int | None = None,
    sign: Sign | None = None,
    force: bool = False,
    progress: Progress = silent,
) -> Exported:
    """Write a clip into a file; every frame that is read is checked against its hash.

    Args:
        clip: What to write.
        target: The file; its ending says the format.
        workspace: Folder of the clips, for the sound of imported ones.
        mute: Leave the sound out.
        gif_width: Pixels of a GIF; None keeps the clip's.
        sign: Makes the signed file of the finished one, mp4 only; None leaves it unsigned.
        force: Replace a file that is there.
        progress: Told of every frame.

    Raises:
        SpecError: The ending is unknown, an option does not go with it, or the file is there.
        NotFound: The folder of the file, or the sound of the clip, is not there.
        ArtifactCorrupt: A frame, the clip's mp4 or its sound is not what was stored.
        StorageFull, StorageError: The file cannot be written; nothing of it remains.
    """
    kind = _kind(target, gif_width=gif_width, signed=sign is not None)
    sound = None if mute or kind in ("gif", "zip") else sound_of(clip, workspace)
    spec = clip.job.resolved
    seconds = clip.frame_count / spec.fps
    with _written(target, force=force) as draft:
        if kind == "mp4":
            progress("export", 0, 1)
            clip.check_artifact()
            export_mp4(clip.artifact, draft, seconds=seconds, sound=sound)
            progress("export", 1, 1)
        elif kind == "webm":
            export_webm(
                _frames(clip, progress, 1), draft,
                width=spec.width, height=spec.height, fps=spec.fps, seconds=seconds, sound=sound,
            )  # fmt: skip
        elif kind == "gif":
            passes = iter(range(2))
            export_gif(
                lambda: _frames(clip, progress, 2, begin=next(passes)), draft,
                size=spec.pixel_size, fps=spec.fps, width=gif_width,
            )  # fmt: skip
        else:
            export_stills(_stills(clip, progress), draft)
        if sign is not None:
            _sign(sign, draft)
    return Exported(
        path=target,
        format=kind,
        sha256=sha256_file(target),
        size=target.stat().st_size,
        frames=-(-clip.frame_count // gif_step(spec.fps)) if kind == "gif" else clip.frame_count,
        signed=sign is not None,
        notes=_notes(clip, kind, sound, gif_step(spec.fps)),
    )


def _kind(target: Path, *, gif_width: int | None, signed: bool) -> str:
    kind = target.suffix.lower().lstrip(".")
    if kind not in FORMATS:
        raise SpecError(f"{target.name!r} has no known ending", remedy=f"one of: {', '.join(FORMATS)}")
    if signed and kind != "mp4":
        raise SpecError(f"{target.name!r} cannot be signed", remedy="sign an mp4")
    if gif_width is not None:
        if kind != "gif":
            raise SpecError("a width was given, and only GIFs are made smaller", remedy="leave it out, or write a .gif")
        if not 16 <= gif_width <= 4096:
            raise SpecError(f"width={gif_width} is outside 16..4096")
    return kind


@contextmanager
def _written(target: Path, *, force: bool) -> Iterator[Path]:
    """A temporary neighbour that becomes the file at the end, or nothing at all."""
    if not target.parent.is_dir():
        raise NotFound(f"there is no folder {target.parent}", remedy="make it, or name another")
    if target.exists() and not force:
        raise SpecError(f"{target} is there already", remedy="name another file, or pass --force to replace it")
    draft = target.with_name(f".tmp-{new_id()}{target.suffix.lower()}")
    with storage_errors(target):
        try:
            yield draft
            with draft.open("rb") as stream:
                os.fsync(stream.fileno())
            os.replace(draft, target)
            fsync_dir(target.parent)
        finally:
            draft.unlink(missing_ok=True)


def _sign(sign: Sign, draft: Path) -> None:
    signed = draft.with_name(f"{draft.stem}-signed{draft.suffix}")
    try:
        sign(draft, signed)
        os.replace(signed, draft)
    finally:
        signed.unlink(missing_ok=True)


def _frames(clip: Clip, progress: Progress, passes: int, *, begin: int = 0) -> Iterator[Frame]:
    for index in range(clip.frame_count):
        yield clip.frame(index)
        progress("export", begin * clip.frame_count + index + 1, passes * clip.frame_count)


def _stills(clip: Clip, progress: Progress) -> Iterator[tuple[str, bytes]]:
    for index in range(clip.frame_count):
        clip.check_frame_file(index)
        path = clip.frame_path(index)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise StorageError(f"cannot read {path}: {error.strerror}") from error
        yield f"frames/{frame_name(index)}", data
        progress("export", index + 1, clip.frame_count)
    pixels = [entry.pixels for entry in clip.manifest.frames]
    yield "clip.json", dump_json({"clip": clip.key, "job": clip.job.to_json(), "frames_sha256_of_pixels": pixels})


def _notes(clip: Clip, kind: str, sound: SoundFile | None, step: int) -> tuple[str, ...]:
    notes = []
    if sound is not None:
        how = "copied" if sound.copied_into(kind) else "encoded anew"
        notes.append(f"sound {how} ({sound.codec})")
    if kind == "webm":
        notes.append("frames encoded anew as VP9")
    if kind == "gif":
        notes.append("256 colours")
        if step > 1:
            notes.append(f"one frame of {step}: a GIF shows at most {MAX_FPS} a second")
    if kind in ("gif", "zip") and source_of(clip.job) and clip.job.origin.metadata["source"].get("sound"):
        notes.append("without the sound")
    return tuple(notes)
