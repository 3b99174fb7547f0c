"""Video files that clips were imported from, kept as they were: for their sound, and to say where a clip comes from.

::

    <workspace>/sources/<sha256 of the file>/original.<ending>
                                            /source.json
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from a1_reactor.storage.manifest import JobRecord, dump_json, load_json
from reactor_core.errors import ArtifactCorrupt, NotFound
from reactor_core.utils.files import atomic_dir, sha256_file, storage_errors

__all__ = ["Source", "SourceStore", "source_of"]

_KEY = re.compile(r"[0-9a-f]{64}")
_ENDING = re.compile(r"\.[a-z0-9]{1,8}")


@dataclass(frozen=True, slots=True)
class Source:
    """A kept file."""

    sha256: str
    """Of its bytes; names its folder."""
    name: str
    """What it was called where it came from."""
    size: int
    """Bytes."""
    path: Path
    """Where it is."""


class SourceStore:
    """The kept files of one workspace.

    Args:
        workspace: Folder of the clips.
    """

    def __init__(self, workspace: Path) -> None:
        self.folder = workspace / "sources"
        self._locks = workspace / "locks"

    @contextmanager
    def held(self, path: Path) -> Iterator[Source]:
        """Keep a copy of a file, or find the one that is kept; it is not swept while the block runs.

        Raises:
            NotFound: The file cannot be read.
            StorageError: The copy could not be written; nothing of it remains.
        """
        try:
            sha256 = sha256_file(path)
        except OSError as error:
            raise NotFound(f"cannot read {path}: {error.strerror}") from error
        with self._lock(sha256):
            yield self.open(sha256) if (self.folder / sha256).is_dir() else self._put(path, sha256)

    def _put(self, path: Path, sha256: str) -> Source:
        folder = self.folder / sha256
        ending = path.suffix.lower() if _ENDING.fullmatch(path.suffix.lower()) else ""
        # A file's name may hold bytes that are no UTF-8; they have no form in JSON.
        name = path.name.encode("utf-8", "replace").decode()
        with storage_errors(folder):
            self.folder.mkdir(parents=True, exist_ok=True)
        with atomic_dir(folder) as draft:
            copy = draft / f"original{ending}"
            shutil.copyfile(path, copy)
            copy.chmod(0o444)
            if sha256_file(copy) != sha256:
                raise ArtifactCorrupt(f"{path} changed while it was copied", remedy="import it when it is finished")
            entry = {"name": name, "size": copy.stat().st_size, "file": copy.name}
            (draft / "source.json").write_bytes(dump_json(entry))
        return self.open(sha256)

    def open(self, sha256: str) -> Source:
        """A kept file.

        Raises:
            NotFound: There is none with this hash.
            ArtifactCorrupt: Its folder is damaged.
        """
        folder = self.folder / sha256
        if not (_KEY.fullmatch(sha256) and folder.is_dir()):
            raise NotFound(
                f"the file that the clip was imported from is not kept: {sha256[:16]}", remedy="import it again"
            )
        entry = load_json(folder / "source.json")
        try:
            source = Source(sha256, str(entry["name"]), int(entry["size"]), folder / Path(str(entry["file"])).name)
            found = source.path.stat().st_size
        except (KeyError, TypeError, ValueError, OSError) as error:
            raise ArtifactCorrupt(f"{folder} is damaged: {error}", remedy="import the file again") from error
        if found != source.size:
            raise ArtifactCorrupt(f"{source.path} has {found} bytes, {source.size} were stored")
        return source

    def sweep(self, needed: Container[str], *, dry_run: bool = False) -> list[str]:
        """Remove the files that no clip needs; those that are held stay.

        Args:
            needed: Hashes of the files to leave (see :func:`source_of`).
            dry_run: Only say which would be removed.

        Returns:
            The hashes of those that were removed.
        """
        if not self.folder.is_dir():
            return []
        gone = []
        for path in sorted(self.folder.iterdir()):
            if not _KEY.fullmatch(path.name) or path.name in needed:
                continue
            lock = self._lock(path.name)
            try:
                lock.acquire(timeout=0)
            except Timeout:  # a clip is being made of it
                continue
            try:
                with storage_errors(path):
                    if not dry_run:
                        shutil.rmtree(path)
            finally:
                lock.release()
            gone.append(path.name)
        return gone

    def _lock(self, sha256: str) -> BaseFileLock:
        with storage_errors(self._locks):
            self._locks.mkdir(parents=True, exist_ok=True)
        return FileLock(self._locks / f"source-{sha256[:32]}.lock")


def source_of(job: JobRecord) -> str | None:
    """Hash of the file that a clip, or its first ancestor, was imported from; None where it was generated."""
    source = job.origin.metadata.get("source")
    if job.origin.provider != "import" or not isinstance(source, dict):
        return None
    sha256 = source.get("sha256")
    return sha256 if isinstance(sha256, str) else None
