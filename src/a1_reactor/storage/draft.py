"""A clip in the making."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from a1_reactor.media.frames import Frame, pixel_hash
from a1_reactor.media.png import encode_png
from a1_reactor.storage.clip import Clip
from a1_reactor.storage.layout import frame_name
from a1_reactor.storage.links import same_file_as
from a1_reactor.storage.manifest import ArtifactEntry, FrameEntry, JobRecord, Manifest, dump_json
from reactor_core.utils.files import fsync_dir, sha256_file, storage_errors

__all__ = ["Draft"]


class Draft:
    """Collects the files of a clip; ``commit`` puts them in place all at once.

    Every method raises StorageFull when no space is left and StorageError on other failures of the file system.
    """

    def __init__(self, path: Path, target: Path) -> None:
        self.path = path
        self.run = path / "run"
        self.artifact = path / "artifact.mp4"
        self._target = target
        self._frames: dict[int, FrameEntry] = {}

    def frame_path(self, index: int) -> Path:
        """File of a frame."""
        return self.run / "frames" / frame_name(index)

    def add_frame(self, index: int, frame: Frame) -> None:
        """Write a frame; its file is read-only, since other clips may link to it."""
        data = encode_png(frame)
        path = self.frame_path(index)
        self._write(path, data, mode=0o444)
        self._frames[index] = FrameEntry(pixel_hash(frame), hashlib.sha256(data).hexdigest(), len(data))

    def link_frame(self, index: int, parent: Clip) -> str:
        """Take over a frame's file from another clip, after checking it byte for byte.

        Returns:
            How: ``"reflink"``, ``"hardlink"`` or ``"copy"``.

        Raises:
            ArtifactCorrupt: The parent's file is not the one that was stored.
        """
        parent.check_frame_file(index)
        with storage_errors(self.frame_path(index)):
            how = same_file_as(parent.frame_path(index), self.frame_path(index))
        self._frames[index] = parent.manifest.frames[index]
        return how

    def add_json(self, name: str, document: Mapping[str, Any]) -> None:
        """Write a JSON file into ``run``."""
        self._write(self.run / name, dump_json(document))

    def add_bytes(self, name: str, data: bytes) -> None:
        """Write a file into ``run``."""
        self._write(self.run / name, data)

    def entry(self, index: int) -> FrameEntry:
        """What has been recorded of a frame."""
        return self._frames[index]

    def commit(self, job: JobRecord, *, decoded_frames: int) -> None:
        """Write manifest and job record, make all of it durable, and rename it into the cache.

        Args:
            job: Where the clip comes from.
            decoded_frames: How many frames ``artifact.mp4`` has been seen to decode to.
        """
        count = job.resolved.frames
        assert sorted(self._frames) == list(range(count)), "every frame must have been added"
        with storage_errors(self.artifact):
            artifact = ArtifactEntry(sha256_file(self.artifact), self.artifact.stat().st_size, decoded_frames)
        manifest = Manifest(tuple(self._frames[index] for index in range(count)), artifact)
        self.add_json("manifest.json", manifest.to_json())
        self._write(self.path / "job.json", dump_json(job.to_json()))
        with storage_errors(self._target):
            for file in self.path.rglob("*"):
                # Linked frames were made durable with their own clip.
                if file.is_file() and file.stat().st_nlink == 1:
                    with file.open("rb") as stream:
                        os.fsync(stream.fileno())
            for folder in (self.run / "frames", self.run, self.path):
                fsync_dir(folder)
            self._target.parent.mkdir(parents=True, exist_ok=True)
            # A folder cannot be renamed over another one; the old clip, if any, steps aside first.
            aside = self.path.with_name(f"{self.path.name}.old")
            if aside.exists():
                shutil.rmtree(aside)
            if self._target.exists():
                os.replace(self._target, aside)
            os.replace(self.path, self._target)
            fsync_dir(self._target.parent)
            if aside.exists():
                shutil.rmtree(aside)

    @staticmethod
    def _write(path: Path, data: bytes, *, mode: int = 0o644) -> None:
        with storage_errors(path):
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            try:
                view = memoryview(data)
                while view:
                    view = view[os.write(descriptor, view) :]
            finally:
                os.close(descriptor)
