"""A stored clip, read-only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from a1_reactor.media.frames import Frame, pixel_hash
from a1_reactor.media.png import read_png
from a1_reactor.storage.layout import frame_name
from a1_reactor.storage.manifest import JobRecord, Manifest, load_json
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
        expected = [(clip.artifact, clip.manifest.artifact.size)]
        expected += [(clip.frame_path(index), entry.size) for index, entry in enumerate(clip.manifest.frames)]
        for file, size in expected:
            try:
                found = file.stat().st_size
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

    def _changed(self, path: Path) -> ArtifactCorrupt:
        return ArtifactCorrupt(f"{path} is not the file that was stored", remedy="make the clip again with --force")

    def report(self) -> dict[str, Any]:
        """``run/report.json``.

        Raises:
            ArtifactCorrupt: It cannot be read.
        """
        return load_json(self.path / "run" / "report.json")
