"""Frames and segments by what they hold, so that clips of one workspace share them.

::

    <workspace>/store/frames/<2 hex>/<pixel hash>.png
                     /segments/<2 hex>/<key>.<file hash>.m4s

A name here is one more link to a file that clips hold as well. A clip never looks here for its own files, so a name may
be removed at any time, and nothing of a clip is lost with it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from a1_reactor.storage.links import same_file_as
from reactor_core.utils.files import sha256_file

__all__ = ["Blobs"]


class Blobs:
    """The shared files of one workspace.

    Every method raises OSError where the file system fails.
    """

    def __init__(self, root: Path) -> None:
        self._frames = root / "frames"
        self._segments = root / "segments"

    def adopt_frame(self, pixels: str, data: bytes, target: Path) -> bool:
        """Link a stored frame to ``target`` if its file has exactly these bytes.

        Args:
            pixels: The frame's hash.
            data: The file as it would be written now. A stored one may be damaged, or be from another encoder.
        """
        path = self._frame(pixels)
        try:
            if path.stat().st_size != len(data) or path.read_bytes() != data:
                return False
            return same_file_as(path, target) != "copy"
        except FileNotFoundError:  # never there, or removed this moment
            return False

    def adopt_segment(self, key: str, target: Path) -> str | None:
        """Link a stored segment to ``target``, after hashing it.

        Returns:
            SHA-256 of the file, or None if there is no such segment.
        """
        folder = self._segments / key[:2]
        for path in sorted(folder.glob(f"{key}.*.m4s")) if folder.is_dir() else ():
            hash_ = path.name.split(".")[1]
            try:
                if sha256_file(path) == hash_:
                    same_file_as(path, target)
                    return hash_
                path.unlink()  # damaged; whoever links to this file finds out when it verifies
            except FileNotFoundError:
                continue
        return None

    def publish_frame(self, pixels: str, source: Path) -> None:
        """Give a frame's finished file its shared name."""
        self._publish(self._frame(pixels), source)

    def publish_segment(self, key: str, hash_: str, source: Path) -> None:
        """Give a segment's finished file its shared name."""
        self._publish(self._segments / key[:2] / f"{key}.{hash_}.m4s", source)

    def files(self) -> Iterator[tuple[str, Path]]:
        """Every shared file, with the name that a manifest knows it by: pixel hash, or key of a segment."""
        for root in (self._frames, self._segments):
            for folder in sorted(root.iterdir()) if root.is_dir() else ():
                for path in sorted(folder.iterdir()):
                    yield path.name.split(".")[0], path

    def _frame(self, pixels: str) -> Path:
        return self._frames / pixels[:2] / f"{pixels}.png"

    @staticmethod
    def _publish(path: Path, source: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            found = path.stat()
        except FileNotFoundError:
            pass
        else:
            if os.path.samestat(found, source.stat()):
                return
            # Other bytes under this name: damaged, or from another encoder. Clips keep their own links to that file.
            path.unlink()
        # Where a second name would cost a second copy, there is nothing to share.
        if same_file_as(source, path) == "copy":
            path.unlink()
