"""A stored clip, read-only."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from a1_reactor.media.frames import Frame, pixel_hash
from a1_reactor.media.png import read_png
from a1_reactor.storage.layout import PREVIEW, frame_name, segment_name
from a1_reactor.storage.manifest import JobRecord, Manifest, SegmentEntry, load_json
from reactor_core.errors import ArtifactCorrupt
from reactor_core.utils.files import sha256_file

__all__ = ["Clip"]


@dataclass(frozen=True, slots=True)
class Clip:
    """A stored clip."""

    path: Path
    job: JobRecord
    manifest: Manifest

    @classmethod
    def open(cls, path: Path) -> Clip:
        """Read a clip's folder.

        Raises:
            ArtifactCorrupt: A file is missing or does not have its recorded size.
        """
        clip = cls(path, JobRecord.load(path / "job.json"), Manifest.load(path / "run" / "manifest.json"))
        if len(clip.manifest.frames) != clip.job.resolved.frames:
            raise ArtifactCorrupt(f"{path} lists {len(clip.manifest.frames)} frames, not {clip.job.resolved.frames}")
        frames = str(path / "run" / "frames")
        # Strings, not paths: a minute of video has 1440 frames, and every clip that is opened looks at each of them.
        expected = [(f"{frames}/{frame_name(i)}", entry.size) for i, entry in enumerate(clip.manifest.frames)]
        expected.append((str(clip.artifact), clip.manifest.artifact.size))
        if clip.manifest.video is not None:
            expected.append((str(clip.init_path), clip.manifest.video.init_size))
            expected += [(str(clip.segment_path(entry)), entry.size) for entry in clip.manifest.video.segments]
        for file, size in expected:
            try:
                found = os.stat(file).st_size  # noqa: PTH116  a Path for each would cost more than the call
            except OSError as error:
                raise ArtifactCorrupt(f"{file} is missing") from error
            if found != size:
                raise ArtifactCorrupt(f"{file} has {found} bytes, {size} were stored")
        return clip

    @property
    def key(self) -> str:
        """Name of the folder: 16 hexadecimal digits."""
        return self.path.name

    @property
    def artifact(self) -> Path:
        """The mp4 file."""
        return self.path / "artifact.mp4"

    @property
    def frame_count(self) -> int:
        """Length in frames."""
        return len(self.manifest.frames)

    def frame_path(self, index: int) -> Path:
        """File of a frame."""
        return self.path / "run" / "frames" / frame_name(index)

    @property
    def preview(self) -> Path:
        """Folder with ``playlist.m3u8``, ``init.mp4`` and the segments."""
        return self.path / "run" / PREVIEW

    @property
    def init_path(self) -> Path:
        """File that stands in front of every segment."""
        return self.preview / "init.mp4"

    def segment_path(self, entry: SegmentEntry) -> Path:
        """File of a segment."""
        return self.preview / segment_name(entry.start, entry.stop)

    def frame(self, index: int) -> Frame:
        """Read a frame and check its pixels against the manifest.

        Raises:
            ArtifactCorrupt: They are not what was stored.
        """
        spec = self.job.resolved
        pixels = read_png(self.frame_path(index), width=spec.width, height=spec.height)
        if pixel_hash(pixels) != self.manifest.frames[index].pixels:
            raise self._changed(self.frame_path(index))
        return pixels

    def check_frame_file(self, index: int) -> None:
        """Check a frame's file byte for byte, without decoding it.

        Raises:
            ArtifactCorrupt: It is not what was stored.
        """
        path = self.frame_path(index)
        try:
            found = sha256_file(path)
        except OSError as error:
            raise ArtifactCorrupt(f"{path} cannot be read: {error.strerror}") from error
        if found != self.manifest.frames[index].file:
            raise self._changed(path)

    def check_segment_file(self, entry: SegmentEntry) -> None:
        """Check a segment's file byte for byte.

        Raises:
            ArtifactCorrupt: It is not what was stored.
        """
        path = self.segment_path(entry)
        try:
            found = sha256_file(path)
        except OSError as error:
            raise ArtifactCorrupt(f"{path} cannot be read: {error.strerror}") from error
        if found != entry.file:
            raise self._changed(path)

    def check_artifact(self) -> None:
        """Check the mp4 byte for byte: its header and the frames of every segment.

        Raises:
            ArtifactCorrupt: It is not what was stored.
        """
        recorded, video = self.manifest.artifact, self.manifest.video
        try:
            if video is None:
                if sha256_file(self.artifact) != recorded.file:
                    raise self._changed(self.artifact)
                return
            with self.artifact.open("rb") as stream:
                payloads = [entry.size - entry.offset for entry in video.segments]
                parts = [(recorded.header, recorded.size - sum(payloads))]
                parts += [(entry.payload, size) for entry, size in zip(video.segments, payloads, strict=True)]
                for hash_, size in parts:
                    if hashlib.sha256(stream.read(size)).hexdigest() != hash_:
                        raise self._changed(self.artifact)
        except OSError as error:
            raise ArtifactCorrupt(f"{self.artifact} cannot be read: {error.strerror}") from error

    def _changed(self, path: Path) -> ArtifactCorrupt:
        return ArtifactCorrupt(f"{path} is not the file that was stored", remedy="make the clip again with --force")

    def report(self) -> dict[str, Any]:
        """``run/report.json``.

        Raises:
            ArtifactCorrupt: It cannot be read.
        """
        return load_json(self.path / "run" / "report.json")
