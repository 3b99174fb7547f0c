"""What providers have answered, kept until the clip is finished: a kill costs nothing that had come by then.

::

    <workspace>/answers/<16 hex>/000000.<pixel hash>.raw   a frame as it came, its bare samples
                                /000000.<pixel hash>.png   the same, compressed
                                /calls.jsonl               what was asked, and what it cost

The folder has the clip's key, and whoever holds the key's lock may use it. It goes when the clip is finished; what was
never finished goes with ``a1-reactor gc`` once nobody has added to it for a week. Files are not forced to the disk:
they outlive the process, and after a power failure a damaged one is noticed by its hash and asked for again.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from filelock import BaseFileLock, Timeout

from a1_reactor.media.frames import Frame, pixel_hash
from a1_reactor.media.png import encode_png, read_png
from a1_reactor.storage.links import same_file_as
from reactor_core.errors import ArtifactCorrupt
from reactor_core.utils.failpoints import reach
from reactor_core.utils.files import storage_errors

__all__ = ["Answer", "AnswerStore"]

_NAME = re.compile(r"(\d{6,})\.([0-9a-f]{64})\.(png|raw)")
_CALLS = "calls.jsonl"
_RAW_BYTES = 64 << 20
"""So much of an answer is written as it is, which costs a millisecond a frame; more than that is compressed."""


class Answer:
    """The frames that came for one clip so far. Hold the key's lock.

    Args:
        folder: Where they are; made with the first of them.
        width: Pixels of every frame.
        height: Pixels of every frame.
        lasting: Whether it stays when the clip is finished; whoever owns the folder removes it.
    """

    def __init__(self, folder: Path, *, width: int, height: int, lasting: bool = False) -> None:
        self.folder = folder
        self._width, self._height = width, height
        self._lasting = lasting
        self._room = _RAW_BYTES
        found = [_NAME.fullmatch(path.name) for path in (folder.iterdir() if folder.is_dir() else ())]
        self._files = {int(match[1]): (match[2], match[3]) for match in found if match}

    def __contains__(self, index: int) -> bool:
        return index in self._files

    def __len__(self) -> int:
        return len(self._files)

    def read(self, index: int) -> Frame | None:
        """A frame that is kept; None where there is none or its file is damaged, which is forgotten then."""
        if index not in self._files:
            return None
        pixels, ending = self._files[index]
        path = self._path(index)
        try:
            frame = self._read(path, raw=ending == "raw")
            if pixel_hash(frame) == pixels:
                return frame
        except (ArtifactCorrupt, OSError, ValueError):
            pass
        self.forget([index])
        return None

    def keep(self, index: int, frame: Frame) -> None:
        """Keep a frame as it came.

        Raises:
            StorageError: It cannot be written.
        """
        raw = frame.nbytes <= self._room
        self._room -= frame.nbytes if raw else 0
        path = self._put(index, pixel_hash(frame), "raw" if raw else "png")
        with storage_errors(path):
            # A part that a kill leaves does not have the hash of its name.
            path.write_bytes(np.ascontiguousarray(frame).data if raw else encode_png(frame))
        reach("frames.kept")

    def keep_file(self, index: int, pixels: str, path: Path) -> None:
        """Keep a frame by one more name of the file that holds it.

        Args:
            pixels: The frame's hash.
            path: A PNG that nobody will write to.

        Raises:
            StorageError: The name cannot be made.
        """
        target = self._put(index, pixels, "png")
        with storage_errors(target):
            same_file_as(path, target)
        reach("frames.kept")

    def forget(self, indices: Iterable[int]) -> None:
        """Remove frames that are of no use."""
        for index in [index for index in indices if index in self._files]:
            path = self._path(index)
            del self._files[index]
            with storage_errors(path):
                path.unlink(missing_ok=True)

    def add_call(self, document: Mapping[str, Any]) -> None:
        """Write down something about a call of the provider, JSON values.

        Raises:
            StorageError: It cannot be written.
        """
        path = self.folder / _CALLS
        with storage_errors(path):
            self.folder.mkdir(parents=True, exist_ok=True)
            # One write, so that a kill leaves whole lines.
            with path.open("ab", buffering=0) as stream:
                stream.write(json.dumps(document).encode() + b"\n")

    def calls(self) -> list[dict[str, Any]]:
        """What :meth:`add_call` wrote, in all attempts; a line that was cut off is left out."""
        try:
            lines = (self.folder / _CALLS).read_bytes().splitlines()
        except FileNotFoundError:
            return []
        found = []
        for line in lines:
            with suppress(ValueError):
                found.append(json.loads(line))
        return found

    def finish(self) -> None:
        """The clip is in its place: remove what was kept for it."""
        reach("clip.finished")
        if not self._lasting:
            self.remove()

    def discard(self) -> None:
        """Remove the frames, and what was said of calls unless it speaks of money that is spent."""
        self.forget(list(self._files))
        if not any(line.get("ended") for line in self.calls()):
            self.remove()

    def remove(self) -> None:
        """Remove all of it."""
        with storage_errors(self.folder):
            if self.folder.exists():
                shutil.rmtree(self.folder)
        self._files.clear()

    def _put(self, index: int, pixels: str, ending: str) -> Path:
        self.forget([index])
        if not self._files:
            with storage_errors(self.folder):
                self.folder.mkdir(parents=True, exist_ok=True)
        self._files[index] = pixels, ending
        return self._path(index)

    def _path(self, index: int) -> Path:
        pixels, ending = self._files[index]
        return self.folder / f"{index:06d}.{pixels}.{ending}"

    def _read(self, path: Path, *, raw: bool) -> Frame:
        if not raw:
            return read_png(path, width=self._width, height=self._height)
        return np.fromfile(path, np.uint8).reshape(self._height, self._width, 3)


class AnswerStore:
    """The kept answers of a workspace, or of one job that keeps its own.

    Args:
        folder: Where they are.
        lasting: They stay when their clips are finished, and clips that are made again by force use them; whoever owns
            the folder removes it.
    """

    def __init__(self, folder: Path, *, lasting: bool = False) -> None:
        self.folder = folder
        self._lasting = lasting

    def open(self, key: str, *, width: int, height: int, force: bool = False) -> Answer:
        """What was kept for a clip, perhaps nothing. Hold the key's lock.

        Args:
            force: Begin anew, unless the answers are lasting.

        Raises:
            StorageError: Old files cannot be removed.
        """
        answer = Answer(self.folder / key, width=width, height=height, lasting=self._lasting)
        if force and not self._lasting:
            answer.remove()
        return answer

    def sweep(
        self,
        lock: Callable[[str], BaseFileLock],
        *,
        finished: Callable[[str], bool],
        before: datetime,
        dry_run: bool = False,
    ) -> list[str]:
        """Remove what was kept for clips that are finished, or that nobody has gone on with since a moment.

        Args:
            lock: The lock of a key; what is held by somebody stays.
            finished: Whether the clip with a key is there.
            before: What was added to later than this stays.
            dry_run: Only say which would be removed.

        Returns:
            Keys of those that were removed.

        Raises:
            StorageError: A file cannot be removed.
        """
        gone = []
        for path in sorted(self.folder.iterdir()) if self.folder.is_dir() else ():
            try:
                held = lock(path.name).acquire(timeout=0)
            except Timeout:  # its maker is at work
                continue
            with held, storage_errors(path):
                if not path.is_dir():  # finished this moment
                    continue
                changed = datetime.fromtimestamp(path.stat().st_mtime, UTC)
                if not finished(path.name) and changed >= before:
                    continue
                if not dry_run:
                    shutil.rmtree(path)
            gone.append(path.name)
        return gone
