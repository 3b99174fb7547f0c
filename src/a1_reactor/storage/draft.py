"""A clip in the making."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, TypeVar

from a1_reactor.media.boxes import Track, file_header, init_segment
from a1_reactor.media.fragments import Fragment, append_payload, playlist, read_fragment
from a1_reactor.media.frames import Frame, pixel_hash
from a1_reactor.media.png import encode_png
from a1_reactor.storage.blobs import Blobs
from a1_reactor.storage.clip import Clip
from a1_reactor.storage.layout import PREVIEW, frame_name, segment_name
from a1_reactor.storage.links import is_sealed, same_file_as, seal
from a1_reactor.storage.manifest import (
    ArtifactEntry,
    FrameEntry,
    JobRecord,
    Manifest,
    SegmentEntry,
    VideoEntry,
    dump_json,
)
from reactor_core.errors import ArtifactCorrupt
from reactor_core.utils.files import fsync_dir, sha256_file, storage_errors

__all__ = ["Draft"]

T = TypeVar("T")


class Draft:
    """Collects the files of a clip; ``commit`` puts them in place all at once.

    Every method raises StorageFull when no space is left and StorageError on other failures of the file system.

    Args:
        path: Folder to fill, with ``run/frames`` and ``run/preview`` in it.
        target: Where the folder goes.
        blobs: The workspace's shared files.
        publishing: Held while files get their shared names and the clip its place.
    """

    def __init__(
        self, path: Path, target: Path, blobs: Blobs, publishing: Callable[[], AbstractContextManager[Any]]
    ) -> None:
        self.path = path
        self.run = path / "run"
        self.preview = self.run / PREVIEW
        self.artifact = path / "artifact.mp4"
        self._target = target
        self._blobs = blobs
        self._publishing = publishing
        self._frames: dict[int, FrameEntry] = {}
        self._segments: dict[int, SegmentEntry] = {}
        self._fragments: dict[int, Fragment] = {}
        self._init: tuple[bytes, bytes] | None = None
        self._artifact: ArtifactEntry | None = None
        self._written: set[Path] = set()
        self._new_frames: list[int] = []
        self._new_segments: list[SegmentEntry] = []

    # Frames

    def frame_path(self, index: int) -> Path:
        """File of a frame."""
        return self.run / "frames" / frame_name(index)

    def add_frame(self, index: int, frame: Frame, *, pixels: str | None = None) -> None:
        """Store a frame: as a link to the same picture, if the workspace has it, or as a new file.

        Args:
            pixels: The frame's hash, where it is known already.
        """
        data = encode_png(frame)
        pixels = pixel_hash(frame) if pixels is None else pixels
        path = self.frame_path(index)
        with storage_errors(path):
            if not self._blobs.adopt_frame(pixels, data, path):
                self._write(path, data)
                seal(path)
                self._new_frames.append(index)
        self._frames[index] = FrameEntry(pixels, hashlib.sha256(data).hexdigest(), len(data))

    def link_frames(self, indices: Iterable[int], parent: Clip) -> dict[int, str]:
        """Take over files of frames from another clip.

        A file whose seal is unbroken is not read: the link is to the very inode that was hashed when it was stored.
        Any other one is hashed first.

        Returns:
            How, by number: ``"hardlink"``, ``"reflink"`` or ``"copy"``.

        Raises:
            ArtifactCorrupt: A file of the parent is not the one that was stored.
        """
        # Strings, not paths: this is done for every frame of the clip, however small the window.
        old, new = os.fspath(parent.frame_path(0).parent), os.fspath(self.run / "frames")
        entries, methods = parent.manifest.frames, {}
        with storage_errors(self.run / "frames"):
            for index in indices:
                name = frame_name(index)
                methods[index] = self._take_over(f"{old}/{name}", f"{new}/{name}", parent.check_frame_file, index)
                self._frames[index] = entries[index]
        return methods

    def entry(self, index: int) -> FrameEntry:
        """What has been recorded of a frame."""
        return self._frames[index]

    # Video

    def add_init(self, track: Track) -> None:
        """Write what stands in front of every segment."""
        data = init_segment(track)
        self._write(self.preview / "init.mp4", data)
        self._init = track.config, data

    def segment_path(self, start: int, stop: int) -> Path:
        """File of the segment of frames ``[start, stop)``."""
        return self.preview / segment_name(start, stop)

    def add_segment(self, key: str, start: int, data: bytes, fragment: Fragment) -> None:
        """Write a segment file."""
        path = self.segment_path(start, start + len(fragment.samples))
        with storage_errors(path):
            self._write(path, data)
            seal(path)
        entry = self._record(key, start, hashlib.sha256(data).hexdigest(), data, fragment)
        self._new_segments.append(entry)

    def find_segment(self, key: str, start: int, stop: int, ticks: int) -> bool:
        """Take a segment from the workspace's store, if it is there and whole.

        Args:
            ticks: Length of a frame in the file's time.
        """
        path = self.segment_path(start, stop)
        with storage_errors(path):
            hash_ = self._blobs.adopt_segment(key, path)
        if hash_ is None:
            return False
        fragment = read_fragment(path, ticks)
        if len(fragment.samples) != stop - start:
            raise ArtifactCorrupt(f"{path} holds {len(fragment.samples)} frames, not {stop - start}")
        self._record(key, start, hash_, path.read_bytes(), fragment)
        return True

    def link_segment(self, entry: SegmentEntry, parent: Clip, ticks: int) -> None:
        """Take over a segment's file from another clip, as :meth:`link_frames` does a frame's."""
        path = self.segment_path(entry.start, entry.stop)
        with storage_errors(path):
            self._take_over(os.fspath(parent.segment_path(entry)), os.fspath(path), parent.check_segment_file, entry)
        self._segments[entry.start] = entry
        self._fragments[entry.start] = read_fragment(path, ticks)

    def segments(self) -> list[SegmentEntry]:
        """The segments so far, in order."""
        return [self._segments[start] for start in sorted(self._segments)]

    def fragment(self, start: int) -> Fragment:
        """The index of a segment."""
        return self._fragments[start]

    def write_playlist(self, track: Track, *, ended: bool) -> None:
        """List the segments that follow each other without a gap from frame 0."""
        listed, stop = [], 0
        for entry in self.segments():
            if entry.start != stop:
                break
            listed.append((segment_name(entry.start, entry.stop), entry.stop - entry.start))
            stop = entry.stop
        text = playlist(track.fps, listed, ended=ended).encode()
        path = self.preview / "playlist.m3u8"
        # Players read the list while the clip is being made, so it is replaced, not rewritten.
        fresh = path.with_suffix(".next")
        self._write(fresh, text)
        with storage_errors(path):
            os.replace(fresh, path)
        self._written.discard(fresh)
        self._written.add(path)

    def write_artifact(self, track: Track, *, decoded_frames: int) -> None:
        """Put the segments together to ``artifact.mp4``; no frame is encoded.

        Args:
            decoded_frames: How many frames the segments have been seen to decode to.
        """
        entries = self.segments()
        header = file_header(track, [self._fragments[entry.start].samples for entry in entries])
        self._write(self.artifact, header)
        with storage_errors(self.artifact):
            # Not opened to append: the kernel copies between files only where it is told the place.
            descriptor = os.open(self.artifact, os.O_WRONLY)
            try:
                os.lseek(descriptor, 0, os.SEEK_END)
                for entry in entries:
                    path = self.segment_path(entry.start, entry.stop)
                    append_payload(path, self._fragments[entry.start], descriptor)
            finally:
                os.close(descriptor)
            size = self.artifact.stat().st_size
        expected = len(header) + sum(entry.size - entry.offset for entry in entries)
        if size != expected:
            raise ArtifactCorrupt(
                f"{self.artifact} has {size} bytes after joining {len(entries)} segments of {expected}"
            )
        self._artifact = ArtifactEntry(None, size, decoded_frames, hashlib.sha256(header).hexdigest())

    # Everything else

    def add_json(self, name: str, document: Mapping[str, Any]) -> None:
        """Write a JSON file into ``run``."""
        self._write(self.run / name, dump_json(document))

    def add_bytes(self, name: str, data: bytes) -> None:
        """Write a file into ``run``."""
        self._write(self.run / name, data)

    def commit(self, job: JobRecord, *, encoder: str) -> None:
        """Write manifest and job record, make all of it durable, and rename it into the cache.

        Args:
            job: Where the clip comes from.
            encoder: Identity of what encoded the segments.
        """
        count = job.resolved.frames
        assert sorted(self._frames) == list(range(count)), "every frame must have been added"
        assert self._init is not None, "the video must have been begun"
        assert self._artifact is not None, "and put together"
        config, init = self._init
        video = VideoEntry(encoder, config.hex(), hashlib.sha256(init).hexdigest(), len(init), tuple(self.segments()))
        manifest = Manifest(tuple(self._frames[index] for index in range(count)), self._artifact, video)
        self.add_json("manifest.json", manifest.to_json())
        self._write(self.path / "job.json", dump_json(job.to_json()))
        with storage_errors(self._target):
            # Linked files were made durable with their own clip.
            for file in self._written:
                with file.open("rb") as stream:
                    os.fsync(stream.fileno())
            for folder in (self.run / "frames", self.preview, self.run, self.path):
                fsync_dir(folder)
            self._target.parent.mkdir(parents=True, exist_ok=True)
            with self._publishing():
                for index in self._new_frames:
                    self._blobs.publish_frame(self._frames[index].pixels, self.frame_path(index))
                for entry in self._new_segments:
                    self._blobs.publish_segment(entry.key, entry.file, self.segment_path(entry.start, entry.stop))
                self._move_into_place()

    def _move_into_place(self) -> None:
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

    def _record(self, key: str, start: int, hash_: str, data: bytes, fragment: Fragment) -> SegmentEntry:
        payload = hashlib.sha256(memoryview(data)[fragment.offset :]).hexdigest()
        stop = start + len(fragment.samples)
        entry = SegmentEntry(key, start, stop, hash_, len(data), payload, fragment.offset)
        self._segments[start], self._fragments[start] = entry, fragment
        return entry

    @staticmethod
    def _take_over(source: str, target: str, check: Callable[[T], None], what: T) -> str:
        """Link a file of another clip to a place in this one; ``check`` hashes it where its seal is broken.

        Raises:
            OSError: The link cannot be made.
        """
        try:
            if not is_sealed(os.stat(source)):  # noqa: PTH116  see link_frames
                check(what)
        except OSError as error:
            raise ArtifactCorrupt(f"{source} cannot be read: {error.strerror}") from error
        how = same_file_as(source, target)
        if how == "copy" and sha256_file(Path(target)) != sha256_file(Path(source)):
            raise ArtifactCorrupt(f"{target} is not the copy of {source} that was asked for")
        return how

    def _write(self, path: Path, data: bytes) -> None:
        with storage_errors(path):
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
            try:
                view = memoryview(data)
                while view:
                    view = view[os.write(descriptor, view) :]
            finally:
                os.close(descriptor)
        self._written.add(path)
