"""Removing clips that nobody wants any more, and the shared files that no clip needs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from filelock import Timeout

from a1_reactor.storage.manifest import JobRecord, Manifest
from a1_reactor.storage.store import ClipStore
from reactor_core.errors import ArtifactCorrupt
from reactor_core.utils.files import fsync_dir, storage_errors

__all__ = ["GcReport", "collect"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GcReport:
    """What was removed, or would be."""

    clips: tuple[str, ...]
    """Keys of the clips, sorted."""
    busy: tuple[str, ...]
    """Keys of clips that are not wanted, but somebody is at work on them; they stay."""
    frames: int
    """Shared frames that no clip needs."""
    segments: int
    """Shared segments that no clip needs."""
    bytes: int
    """Space that comes free: the files of which no name is left."""
    dry_run: bool
    """Whether nothing was done."""

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "clips": list(self.clips), "busy": list(self.busy)}


def collect(store: ClipStore, *, keep: Collection[str] | None = None, dry_run: bool = False) -> GcReport:
    """Remove every clip that is not wanted, and every shared file that no remaining clip is made of.

    A wanted clip keeps its ancestors, of which its report and its provenance speak; so does a clip that another process
    is making this moment. A clip owns its files by links of its own, so whatever goes here, what remains is whole.
    Nobody can finish a clip while this runs; making one may go on.

    Args:
        keep: Keys of the clips that are wanted. None wants all of them: only shared files without a clip go.
        dry_run: Report what would be removed, and remove nothing.

    Raises:
        StorageError: A file cannot be removed; what was removed until then is gone.
    """
    with storage_errors(store.workspace), store.exclusive(), ExitStack() as locks:
        keys = store.clip_keys()
        wanted = set(keys) if keep is None else _with_ancestors(store, set(keep) | store.pinned())
        doomed: list[str] = []
        busy: list[str] = []
        for key in keys:
            if key in wanted:
                continue
            try:
                locks.enter_context(store.lock(key).acquire(timeout=0))
            except Timeout:
                busy.append(key)
            else:
                doomed.append(key)
        needed = {name for key in keys if key not in doomed for name in _names(store.cache / key)}
        blobs = [path for name, path in store.blobs.files() if name not in needed]
        report = GcReport(
            clips=tuple(doomed),
            busy=tuple(busy),
            frames=sum(path.suffix == ".png" for path in blobs),
            segments=sum(path.suffix == ".m4s" for path in blobs),
            bytes=_space([*_files(store.cache / key for key in doomed), *blobs]),
            dry_run=dry_run,
        )
        if not dry_run:
            for key in doomed:
                _remove_clip(store, key)
            for path in blobs:
                path.unlink(missing_ok=True)
        return report


def _with_ancestors(store: ClipStore, keys: set[str]) -> set[str]:
    found = set(keys)
    for key in keys:
        try:
            found.update(JobRecord.load(store.cache / key / "job.json").lineage)
        except ArtifactCorrupt:  # not there, or damaged: it names nobody
            continue
    return found


def _names(clip: Path) -> Iterator[str]:
    """What a clip is made of, as the shared store names it."""
    try:
        manifest = Manifest.load(clip / "run" / "manifest.json")
    except ArtifactCorrupt:
        # Without a manifest nobody can open it. Its own links are left alone.
        return
    for frame in manifest.frames:
        yield frame.pixels
    for segment in () if manifest.video is None else manifest.video.segments:
        yield segment.key


def _files(folders: Iterable[Path]) -> Iterator[Path]:
    for folder in folders:
        yield from (path for path in folder.rglob("*") if path.is_file())


def _space(files: Iterable[Path]) -> int:
    """Bytes that come free when these names go: those of inodes that keep no other name."""
    names: dict[tuple[int, int], int] = {}
    freed = 0
    for path in files:
        stat = os.lstat(path)
        inode = stat.st_dev, stat.st_ino
        names[inode] = names.get(inode, 0) + 1
        if names[inode] == stat.st_nlink:
            freed += stat.st_size
    return freed


def _remove_clip(store: ClipStore, key: str) -> None:
    # Out of sight in one step; whoever is killed in the second leaves a folder that the next sweep removes.
    aside = store.building / f"{key}.old"
    aside.parent.mkdir(parents=True, exist_ok=True)
    if aside.exists():
        shutil.rmtree(aside)
    os.replace(store.cache / key, aside)
    fsync_dir(store.cache)
    shutil.rmtree(aside)
