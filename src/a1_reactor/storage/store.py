"""The store of clips.

::

    <workspace>/cache/<16 hex>/job.json            where the clip comes from
                              /artifact.mp4
                              /run/frames/000000.png ...   read-only
                              /run/preview/playlist.m3u8, init.mp4, 000000-000024.m4s ...
                              /run/manifest.json   hashes of all of these
                              /run/report.json
    <workspace>/building/<16 hex>/                 a clip in the making
    <workspace>/answers/<16 hex>/                  what its provider has answered so far, see ``answers``
    <workspace>/locks/<16 hex>.lock                held by whoever makes it
                     /<16 hex>.parent              the clip that it is made from, which must stay meanwhile
                     /store.lock                   held for a moment, while a clip gets its place or others are removed
    <workspace>/store/                             frames and segments by what they hold, see ``blobs``

A clip is made in ``building`` and renamed into ``cache`` when it is complete, so whatever is in ``cache`` is whole.
Only files that the manifest names belong to a clip; anything else in its folders is ignored.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from a1_reactor.storage.blobs import Blobs
from a1_reactor.storage.clip import Clip
from a1_reactor.storage.draft import Draft
from a1_reactor.storage.layout import PREVIEW
from a1_reactor.storage.manifest import JobRecord
from reactor_core.errors import ArtifactCorrupt, NotFound
from reactor_core.utils.files import storage_errors

__all__ = ["ClipStore"]

_KEY = re.compile(r"[0-9a-f]{16}")


class ClipStore:
    """The clips of one workspace; any number of processes may use it at once."""

    def __init__(self, workspace: Path) -> None:
        self.workspace = workspace
        self.cache = workspace / "cache"
        self.building = workspace / "building"
        self.blobs = Blobs(workspace / "store")
        self._locks = workspace / "locks"

    def find(self, hash_: str) -> Clip | None:
        """The clip with this hash, or None if there is none or its folder is damaged.

        Args:
            hash_: 64 hexadecimal digits.
        """
        try:
            clip = Clip.open(self.cache / hash_[:16])
        except ArtifactCorrupt:
            return None
        return clip if clip.job.hash == hash_ else None

    def open(self, name: str | Path) -> Clip:
        """A clip by its key or by the path of its folder or mp4 file.

        Raises:
            NotFound: There is none.
            ArtifactCorrupt: Its folder is damaged.
        """
        if isinstance(name, str) and _KEY.fullmatch(name):
            path = self.cache / name
        else:
            path = Path(name)
            path = path.parent if path.name == "artifact.mp4" else path
        if not (path / "job.json").is_file():
            raise NotFound(
                f"there is no clip {str(name)!r} in {self.cache}", remedy="a1-reactor clips lists those that are there"
            )
        return Clip.open(path)

    def newest(self, *, width: int, height: int, fps: Fraction, frames: int) -> Clip | None:
        """The clip of this size, rate and length that was made, or asked for again, last; None if there is none."""
        found: list[tuple[int, str, Path]] = []
        for path in self.cache.iterdir() if self.cache.is_dir() else ():
            record = path / "job.json"
            if not (_KEY.fullmatch(path.name) and record.is_file()):
                continue
            try:
                job = JobRecord.load(record)
                moment = record.stat().st_mtime_ns
            except (ArtifactCorrupt, OSError):  # damaged, or being replaced this moment: not a candidate
                continue
            spec = job.resolved
            if (spec.width, spec.height, spec.fps, spec.frames) == (width, height, fps, frames):
                found.append((moment, job.created, path))
        for _, _, path in sorted(found, reverse=True):
            try:
                return Clip.open(path)
            except ArtifactCorrupt:
                continue
        return None

    def clip_keys(self) -> list[str]:
        """Keys of all folders in the cache that could be clips, sorted."""
        return sorted(
            path.name
            for path in (self.cache.iterdir() if self.cache.is_dir() else ())
            if _KEY.fullmatch(path.name) and (path / "job.json").is_file()
        )

    def preview(self, key: str) -> Path | None:
        """Folder with the playlist of a clip, also while it is being made; None while there is nothing to play."""
        for root in (self.cache, self.building):
            folder = root / key / "run" / PREVIEW
            if (folder / "playlist.m3u8").is_file():
                return folder
        return None

    def touch(self, clip: Clip) -> None:
        """Note that a clip was asked for again."""
        with storage_errors(clip.path):
            os.utime(clip.path / "job.json")

    def lock(self, key: str) -> BaseFileLock:
        """The lock of a key; the system releases it when its holder dies."""
        with storage_errors(self._locks):
            self._locks.mkdir(parents=True, exist_ok=True)
        return FileLock(self._locks / f"{key}.lock")

    def exclusive(self) -> BaseFileLock:
        """The lock of the whole store, for the moments in which clips come and go."""
        return self.lock("store")

    @contextmanager
    def draft(self, key: str, *, parent: Clip | None = None) -> Iterator[Draft]:
        """A new clip in the making. Hold the key's lock.

        Its folder is removed if the block ends without ``Draft.commit``.

        Args:
            parent: A clip of this store whose files will be taken over; it is not removed meanwhile.

        Raises:
            NotFound: The parent has been removed.
            StorageFull: No space is left.
            StorageError: The folder cannot be made.
        """
        path = self.building / key
        pin = self._locks / f"{key}.parent"
        with storage_errors(path):
            # Whoever left this behind is dead: we hold its lock.
            if path.exists():
                shutil.rmtree(path)
            (path / "run" / "frames").mkdir(parents=True)
            (path / "run" / PREVIEW).mkdir()
        try:
            if parent is not None:
                with storage_errors(pin), self.exclusive():
                    pin.write_text(parent.key)
                    if not (parent.path / "job.json").is_file():
                        raise NotFound(f"clip {parent.key} was removed this moment", remedy="regenerate another clip")
            yield Draft(path, self.cache / key, self.blobs, self.exclusive)
        finally:
            if path.exists():
                shutil.rmtree(path, ignore_errors=True)
            pin.unlink(missing_ok=True)

    def pinned(self) -> set[str]:
        """Keys of clips that others are being made from by someone who is alive."""
        found = set()
        for pin in self._locks.glob("*.parent"):
            lock = self.lock(pin.stem)
            try:
                lock.acquire(timeout=0)
            except Timeout:
                with suppress(FileNotFoundError):  # made and gone this moment
                    found.add(pin.read_text())
            else:
                lock.release()
        return found

    def sweep(self) -> int:
        """Remove what killed processes left behind; returns how many folders that were."""
        count = 0
        for path in list(self.building.iterdir()) if self.building.is_dir() else []:
            lock = self.lock(path.name.partition(".")[0])
            try:
                lock.acquire(timeout=0)
            except Timeout:  # its maker is at work
                continue
            try:
                shutil.rmtree(path, ignore_errors=True)
            finally:
                lock.release()
            count += 1
        return count
